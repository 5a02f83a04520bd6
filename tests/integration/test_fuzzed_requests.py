"""Whatever is sent, nothing breaks and nothing is scored in silence: over a real socket, by a real graph, into a real log."""

import json
import os
import socket
import sqlite3
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pyarrow as pa
import pyarrow.ipc
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from pydantic import TypeAdapter
from schemathesis.specs.openapi.checks import positive_data_acceptance

from models.adapters.onnx_runtime import OnnxScorer
from models.governance.api_keys import Allowance
from monitoring.adapters.sql_decisions import SqlDecisionLog
from monitoring.chain import ChainKeys
from serving.adapters.arrow_streams import ArrowStreams
from serving.door.connections import Patience
from serving.protocols.frames import ARROW
from tests.bundles import USE_CASE, real_bundle, record
from tests.doors import SCORE, Doorway, bearer, key
from tests.fuzzing import Sent, asks
from tests.servers import serving
from tests.tensors import HEAD, INFER

pytestmark = pytest.mark.integration

SOAK = int(os.environ.get("FUZZ_REQUESTS", "100000"))
A_FEW = 2_000
BY_SCHEMA = 10
"""One request in so many is made from the OpenAPI document, which takes far longer than to change a good one."""
MANY = Allowance(requests_per_second=1e6, burst=10**6, decisions_per_second=1e9, in_flight=1_000)
NEEDS_NO_KEY = ("/health/live", "/health/answering", "/health/ready", "/v2/health/live", "/v2/health/ready", "/ping")
RECORD = TypeAdapter(USE_CASE.contract.request_model())


@schemathesis.serializer(ARROW)
def _as_it_is(_context: object, value: Any) -> Any:
    """A stream is drawn as bytes."""
    return value


class Home:
    """A service with one key, and its log."""

    def __init__(self, port: int, log: Path) -> None:
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self._log = sqlite3.connect(log)

    def logged(self, decision: str) -> dict[str, Any]:
        """The inputs that a decision was recorded with; none if it is not there."""
        found = self._log.execute("SELECT inputs FROM decisions WHERE decision_id = ?", [decision]).fetchone()
        return dict(json.loads(found[0])) if found else {}

    def of_request(self, request: str) -> list[dict[str, Any]]:
        """The inputs of all its decisions, in their order."""
        found = self._log.execute("SELECT decision_id, inputs FROM decisions WHERE request_id = ?", [request]).fetchall()
        return [dict(json.loads(inputs)) for _, inputs in sorted(found, key=lambda row: int(row[0].rpartition("-")[2]))]

    def to_review(self) -> str:
        """A decision that waits for a person."""
        answer = httpx.post(self.url + SCORE, json=record(status_0=0), headers=bearer(), trust_env=False).json()
        assert "answers" in answer, answer
        return str(answer["answers"][0]["decision_id"])

    def close(self) -> None:
        self._log.close()


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    path = tmp_path_factory.mktemp("fuzz") / "decisions.db"
    log = SqlDecisionLog(f"sqlite:///{path}", lambda: ChainKeys((b"k" * 32,)))
    doorway = Doorway(
        key(allowance=MANY), log=log, bundle=real_bundle(0.1), scorer=OnnxScorer, close=log.close, frames=ArrowStreams()
    )
    with serving(doorway.app, Patience(5.0)) as port:
        made = Home(port, path)
        yield made
        made.close()


@dataclass
class Told:
    status: int
    body: bytes
    closed: bool

    def decisions(self) -> list[str]:
        said = json.loads(self.body)
        return [answer["decision_id"] for answer in said.get("answers") or said["predictions"]]

    def request(self) -> tuple[str, int]:
        """Of an answer in tensors or as a stream, which may leave out the decisions' ids: its own id, and its records."""
        if self.body.startswith(b"{"):
            said, _ = json.JSONDecoder().raw_decode(self.body.decode("latin-1"))
            return said["parameters"]["request_id"], said["outputs"][0]["shape"][0]
        rows = pa.ipc.open_stream(self.body).read_all()
        return rows.schema.metadata[b"request_id"].decode(), rows.num_rows


@dataclass
class Wire:
    """One connection at a time, opened anew when the server closes it or when what was sent may have left it unclear."""

    port: int
    open: list[socket.socket] = field(default_factory=list)

    def ask(self, sent: Sent) -> Told | None:
        """None if the server closed without a word."""
        if not self.open:
            self.open.append(socket.create_connection(("127.0.0.1", self.port), timeout=20))
        try:
            self.open[0].sendall(sent.wire())
            told = self._answer(sent.method)
        except ConnectionError:
            told = None
        if told is None or told.closed or sent.odd_head or sent.method in ("CONNECT", "HEAD"):
            self.open.pop().close()
        return told

    def _answer(self, method: str) -> Told | None:
        said = b""
        while True:
            while b"\r\n\r\n" not in said:
                if not (part := self.open[0].recv(65_536)):
                    return None
                said += part
            head, _, said = said.partition(b"\r\n\r\n")
            if not head.startswith(b"HTTP/1.1 1"):
                break
        names = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
        length = 0 if method == "HEAD" else int(names[b"content-length"])
        while len(said) < length:
            said += self.open[0].recv(65_536)
        return Told(int(head.split()[1]), said, names.get(b"connection") == b"close")

    def close(self) -> None:
        for each in self.open:
            each.close()


def wrong(home: Home, sent: Sent, told: Told) -> str:
    """What is not as promised, "" if all is."""
    path = sent.path.partition("?")[0]
    if told.status >= 500:
        return f"{told.status}: {told.body[:300]!r}"
    if told.status == 200 and not sent.holds_a_key and path not in NEEDS_NO_KEY:
        return "answered without a key"
    if told.status != 200 or sent.method != "POST" or path not in (SCORE, "/invocations", INFER):
        return ""
    if path == INFER or not told.body.startswith(b"{"):
        return _unrecorded(home, sent, *told.request())
    inputs = [home.logged(decision) for decision in told.decisions()]
    if not inputs or not all(inputs):
        return f"answered and not recorded: {told.decisions()}"
    return _misread(sent.body, inputs) if path == SCORE else ""


def _unrecorded(home: Home, sent: Sent, request: str, answered: int) -> str:
    inputs = home.of_request(request)
    if not answered or len(inputs) != answered:
        return f"{answered} answered and {len(inputs)} recorded of {request}"
    binary = any(name.lower() == HEAD.lower() for name, _ in sent.headers)
    if sent.path.partition("?")[0] != INFER or binary:
        return ""
    tensors = json.loads(sent.body, object_pairs_hook=_once)["inputs"]
    columns = [[(each["name"], _plain(value)) for value in each["data"]] for each in tensors]
    records = [_once(list(row)) for row in zip(*columns, strict=True)]
    return _misread(json.dumps({"records": records}).encode(), inputs)


def _plain(value: Any) -> Any:
    """Of the shape [records, 1], too."""
    return value[0] if isinstance(value, list) else value


def _misread(body: bytes, inputs: list[dict[str, Any]]) -> str:
    """The records once more: names once in each object, values as pydantic reads them, and the same in the log."""
    whole = json.loads(body, object_pairs_hook=_once)
    records = whole.get("records", [whole])
    read = [RECORD.validate_json(json.dumps(each)).model_dump() for each in records]
    logged = [{name: each[name] for name in USE_CASE.contract.inputs} for each in read]
    return "" if logged == inputs else f"read as {logged[:2]} and recorded as {inputs[:2]}"


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    assert len(dict(pairs)) == len(pairs), f"named twice: {pairs}"
    return dict(pairs)


def changed_requests(home: Home, count: int, of: int) -> Counter[str]:
    """How often which status was told."""
    wire, told, failures = Wire(home.port), Counter[str](), []
    for sent in asks(count, of, home.to_review()):
        answer = wire.ask(sent)
        told[str(answer.status) if answer else "closed"] += 1
        if answer and (why := wrong(home, sent, answer)):
            failures.append(f"{why} after {sent.what}: {sent.wire()[:1_500]!r}")
    wire.close()
    assert failures == [], f"{len(failures)} of {count}: {failures[0]}"
    return told


def requests_by_schema(home: Home, count: int) -> Counter[str]:
    """What schemathesis makes of the OpenAPI document, of all operations alike. It holds the answers against the document too."""
    told = Counter[str]()
    # No schema says that a month has come or that an account stands once in a batch: such requests are refused.
    schema = schemathesis.openapi.from_url(f"{home.url}/openapi.json", headers=bearer())
    operations = [found.ok() for found in schema.get_all_operations()]
    for operation in operations:

        @seed(2005)
        @settings(
            max_examples=max(1, count // len(operations)),
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy())
        def holds(case: Any) -> None:
            response = case.call_and_validate(headers=bearer(), excluded_checks=[positive_data_acceptance])
            told[str(response.status_code)] += 1

        holds()
    return told


def test_changed_requests_break_nothing_and_none_is_scored_in_silence(home: Home) -> None:
    told = changed_requests(home, A_FEW, of=2005)
    assert told.keys() >= {"200", "400", "401", "404", "405", "409", "413", "415", "422", "431"}
    assert told["200"] > A_FEW / 10


def test_what_the_document_allows_is_answered_as_it_says(home: Home) -> None:
    told = requests_by_schema(home, 100)
    assert told["200"]


@pytest.mark.soak
@pytest.mark.timeout(7_200)
def test_a_hundred_thousand_requests_break_nothing_and_none_is_scored_in_silence(home: Home) -> None:
    by_schema = requests_by_schema(home, SOAK // BY_SCHEMA)
    changed = changed_requests(home, SOAK - sum(by_schema.values()), of=4)
    print(f"{sum(by_schema.values()):,} by the document: {dict(by_schema)}; {sum(changed.values()):,} changed: {dict(changed)}")
