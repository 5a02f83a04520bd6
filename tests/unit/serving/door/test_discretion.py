"""What neither an answer nor the log may hold: keys, account ids, audit values, what an error says of itself."""

import io
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text

from models.credit_default import USE_CASE
from models.governance.api_keys import Allowance
from monitoring.adapters.sql_decisions import SqlDecisionLog
from monitoring.telemetry.logs import TEXT, Readable, Structured
from serving.door.envelope import PLAIN
from tests.bundles import NOW, record
from tests.doors import COUNSEL, SCORE, Doorway, bearer, key
from tests.fakes.decisions import InMemoryDecisionLog

ACCOUNT = "A94731"
VALUE = 8_675_309
"""An audit column's, or a text where none may be."""
AUDIT = [column.name for column in USE_CASE.contract.columns if column.role == "audit"]
JSON = {"content-type": "application/json"}
REVIEW = {"outcome": "keep", "reviewer": "app", "reason_code": "X"}
FORBIDDEN = [ACCOUNT, str(VALUE), "secret-", "Traceback", *(each.digest for each in (key(), key("poor")))]


class Broken(InMemoryDecisionLog):
    """Fails once it is told to, and says in its error what nobody may read."""

    broken = False

    def append_all(self, entries: Any) -> None:
        if self.broken:
            raise ValueError(f"{ACCOUNT} {VALUE} {[entry.decisions for entry in entries]}")
        super().append_all(entries)


@pytest.fixture(params=[Readable(TEXT), Structured("serving")], ids=["text", "json"])
def written(request: pytest.FixtureRequest) -> Iterator[io.StringIO]:
    """The whole log, down to every detail, in each of the service's own forms."""
    text, root = io.StringIO(), logging.getLogger()
    handler, before = logging.StreamHandler(text), root.level
    handler.setFormatter(request.param)
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield text
    root.removeHandler(handler)
    root.setLevel(before)


def requests(decision: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Every way to be turned away, each with something that must not come back: method, path, what httpx is given."""
    mine, review = record(account_id=ACCOUNT), f"/v1/decisions/{decision}/review"
    for headers in ({}, bearer("unknown"), bearer("ended"), bearer("poor"), {"Authorization": f"Basic secret-{ACCOUNT}"}):
        for path in (SCORE, COUNSEL, "/invocations", review, "/nothing"):
            yield "POST", path, {"json": mine, "headers": headers}
        for path in ("/v1/models", "/openapi.json", "/metrics", "/health/ready", "/health/live", review):
            yield "GET", path, {"headers": headers}
    for path in (SCORE, COUNSEL, "/invocations"):
        for name in [*AUDIT, "snapshot", "status_9"]:
            yield "POST", path, {"json": mine | {name: VALUE}, "headers": bearer()}
        yield "POST", path, {"json": mine | {"account_id": VALUE}, "headers": bearer()}
        yield "POST", path, {"json": mine | {"account_id": [ACCOUNT]}, "headers": bearer()}
        yield "POST", path, {"json": {"records": [mine, mine | {"credit_limit": -1}]}, "headers": bearer()}
        yield "POST", path, {"content": json.dumps(mine)[:-5], "headers": bearer() | JSON}
        yield "POST", path, {"content": f"account_id\n{ACCOUNT}", "headers": bearer() | {"content-type": "text/csv"}}
        yield (
            "POST",
            path,
            {"content": b"x" * 30_000 + ACCOUNT.encode(), "headers": bearer() | JSON},
        )
        yield "POST", path, {"content": b"x" * 30_000 + ACCOUNT.encode(), "headers": bearer() | JSON}
    yield "GET", "/nothing", {"headers": bearer()}
    yield "POST", "/invocations", {"json": {"dataframe_records": [mine | {AUDIT[0]: VALUE}]}, "headers": bearer()}
    yield "POST", SCORE, {"json": {"records": [mine, mine]}, "headers": bearer()}
    yield "POST", SCORE, {"json": mine, "headers": bearer() | {"Idempotency-Key": f"{ACCOUNT} "}}
    yield "POST", review, {"json": REVIEW | {"comment": f"it is {ACCOUNT}"}, "headers": bearer()}
    yield "POST", review, {"json": REVIEW | {"reviewer": ACCOUNT + " "}, "headers": bearer()}


def test_no_answer_and_no_line_of_the_log_holds_a_key_an_account_or_an_audit_value(written: io.StringIO) -> None:
    log = Broken()
    ended = key("ended").model_copy(update={"revoked_at": NOW})
    doorway = Doorway(
        key(), ended, key("poor", models=["another"], allowance=Allowance(burst=1, requests_per_second=0.01)), log=log
    )
    told: dict[int, int] = {}
    with TestClient(doorway.app, raise_server_exceptions=False) as client:
        decision = client.post(SCORE, json=record(account_id=ACCOUNT), headers=bearer()).json()["answers"][0]["decision_id"]
        for method, path, given in requests(decision):
            response = client.request(method, path, **given)
            told[response.status_code] = told.get(response.status_code, 0) + 1
            said = response.text + str(response.headers)
            assert [word for word in FORBIDDEN if word in said] == [], (method, path, given, said)
            assert all(response.headers[name.decode()] == value.decode() for name, value in PLAIN)
            assert "server" not in response.headers
        log.broken = True
        broken = client.post(SCORE, json=record(account_id=ACCOUNT), headers=bearer())
        assert broken.status_code == 500
        assert [word for word in FORBIDDEN if word in broken.text] == []
    assert told.keys() >= {200, 401, 403, 404, 413, 415, 422, 429}
    logged = written.getvalue()
    assert f"request {broken.json()['request_id']} broke" in logged
    assert [word for word in [*FORBIDDEN, *(f'"{name}"' for name in AUDIT)] if word in logged] == []


def test_an_error_is_logged_by_its_kind_and_places(written: io.StringIO) -> None:
    try:
        int(ACCOUNT)
    except ValueError:
        logging.getLogger("any").exception("it broke")
    said = written.getvalue()
    assert "ValueError" in said
    assert "test_an_error_is_logged_by_its_kind_and_places" in said
    assert ACCOUNT not in said


def test_what_was_sent_to_the_database_does_not_stand_in_its_errors(tmp_path: Path) -> None:
    log = SqlDecisionLog(f"sqlite:///{tmp_path / 'log.db'}")
    with pytest.raises(Exception, match="no such table") as error, log._database.engine.connect() as connection:
        connection.execute(text("SELECT :value FROM nowhere"), {"value": ACCOUNT})
    assert ACCOUNT not in str(error.value)
    log.close()


def deep(kind: str) -> bytes:
    return {"lists": b"[" * 100_000, "objects": b'{"records":' * 100_000, "closed": b"[" * 100_000 + b"]" * 100_000}[kind]


@pytest.mark.parametrize("kind", ["lists", "objects", "closed"])
@pytest.mark.parametrize("path", [SCORE, COUNSEL, "/invocations", "/v1/decisions/1-0/review"])
def test_a_body_of_any_depth_is_refused_as_bad_json(path: str, kind: str) -> None:
    """pydantic's parser stops at a depth of 200, Python's at its own limit of recursion."""
    with TestClient(Doorway(most_bytes=2**21).app) as client:
        response = client.post(path, content=deep(kind), headers={"content-type": "application/json"})
    assert response.status_code == 422
    assert len(response.text) < 2_000
