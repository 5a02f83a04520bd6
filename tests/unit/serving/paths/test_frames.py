"""The scoring path, asked with an Arrow stream."""

import sys

import pyarrow as pa
import pytest
from fastapi.testclient import TestClient

from serving.protocols.frames import ARROW
from tests.bundles import MODEL, fake_bundle, record, records
from tests.doors import Doorway, bearer, key
from tests.unit.serving.adapters.test_arrow_streams import stream, table
from tests.worlds import SCORE, World, problem

TWO = records({"status_0": 0}, {"status_0": 5})
DECLARED = {"content-type": ARROW}


def test_a_stream_gets_the_decisions_of_its_records_as_a_stream(client: TestClient, world: World) -> None:
    ours = client.post(SCORE, json={"records": TWO}).json()["answers"]
    response = client.post(SCORE, content=stream(table(TWO)), headers={"content-type": f"{ARROW.upper()}; q=1"})
    assert (response.status_code, response.headers["content-type"]) == (200, ARROW)
    found = pa.ipc.open_stream(response.content).read_all()
    assert found.schema.metadata[b"model"] == MODEL.encode()
    assert found.schema.metadata[b"request_id"] == response.headers["x-request-id"].encode()
    rows = found.to_pylist()
    assert [row["action"] for row in rows] == ["review", "reduce"]
    assert [row["probability"] for row in rows] == [answer["probability"] for answer in ours]
    assert [[row["interval_low"], row["interval_high"]] for row in rows] == [answer["interval"] for answer in ours]
    assert [row["reasons"] for row in rows] == [[], ours[1]["reasons"]]
    assert [(row["version"], row["bundle"]) for row in rows] == [(1, fake_bundle(0.1).digest)] * 2
    assert [row["no_notice"] for row in rows] == [None, True]
    assert {row["decision_id"] for row in rows} <= world.log.decisions.keys()
    assert len(world.log.decisions) == 4


def test_what_is_refused_is_a_problem_and_nothing_is_decided(client: TestClient, world: World) -> None:
    wrong = stream(table([record(), record(account_id="A2", status_0=99)]))
    said = problem(client.post(SCORE, content=wrong, headers=DECLARED), 422)
    assert [(rule.record, rule.field) for rule in said.errors] == [(1, "status_0")]
    problem(client.post(SCORE, content=b"x", headers=DECLARED), 422)
    problem(client.post(SCORE, content=b" " * 20_001, headers=DECLARED), 413)
    problem(client.post(SCORE, content=stream(table(TWO)), headers=DECLARED | {"content-encoding": "gzip"}), 415)
    problem(client.post("/v1/models/other/score", content=stream(table(TWO)), headers=DECLARED), 404)
    assert world.log.decisions == {}


def test_a_retry_is_decided_once(client: TestClient, world: World) -> None:
    headers = DECLARED | {"idempotency-key": "k"}
    first, again = (client.post(SCORE, content=stream(table(TWO)), headers=headers) for _ in range(2))
    assert (again.content, again.headers["idempotent-replayed"]) == (first.content, "true")
    assert len(world.log.decisions) == 2


def test_it_is_counted_as_all_are_and_other_methods_are_refused_as_before(client: TestClient) -> None:
    client.post(SCORE, content=stream(table(TWO)), headers=DECLARED)
    assert 'steward_responses_total{status="200"} 1.0' in client.get("/metrics").text
    refused = client.get(SCORE)
    assert (problem(refused, 405).status, refused.headers["allow"]) == (405, "POST")
    assert "application/json" in problem(client.post(SCORE, content=b"x", headers={"content-type": "text/csv"}), 415).hint


def test_who_sends_an_arrow_file_is_told_to_send_a_stream(client: TestClient) -> None:
    declared = {"content-type": "application/vnd.apache.arrow.file"}
    assert problem(client.post(SCORE, content=b"x", headers=declared), 415).hint.startswith(
        f"send a stream, content-type: {ARROW}"
    )


def test_a_key_for_another_model_opens_nothing() -> None:
    with TestClient(Doorway(key(models=["other"])).app) as client:
        problem(client.post(SCORE, content=stream(table(TWO)), headers=DECLARED | bearer()), 403)
        problem(client.post(SCORE, content=stream(table(TWO)), headers=DECLARED), 401)


def test_without_the_library_the_client_is_told_what_to_send(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    body = stream(table(TWO))
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    assert "steward[arrow]" in problem(client.post(SCORE, content=body, headers=DECLARED), 415).hint
    with TestClient(Doorway().app) as bare:
        assert "send JSON" in problem(bare.post(SCORE, content=body, headers=DECLARED), 415).hint
