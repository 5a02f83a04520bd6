"""The Open Inference Protocol, asked over HTTP."""

import json
from typing import Any

import pytest
from fastapi.testclient import TestClient

from models.errors import Unavailable
from tests.bundles import MODEL, record, records
from tests.doors import Doorway, bearer, key
from tests.tensors import HEAD, INFER, binary, outputs, tensors
from tests.worlds import SCORE, World, problem

JSON = {"content-type": "application/json"}
TWO = records({"status_0": 0}, {"status_0": 5})


def asked(*names: str) -> dict[str, Any]:
    return {"inputs": tensors(TWO), **({"outputs": [{"name": name} for name in names]} if names else {})}


def test_records_in_tensors_get_the_decisions_of_records_and_are_recorded(client: TestClient, world: World) -> None:
    ours = client.post(SCORE, json={"records": TWO}).json()["answers"]
    response = client.post(INFER, json=asked() | {"id": "q7"})
    said = response.json()
    found = outputs(response.content, response.headers.get(HEAD))
    assert (said["model_name"], said["model_version"], said["id"]) == (MODEL, "1", "q7")
    assert found["probability"] == [answer["probability"] for answer in ours] == [0.1, 0.6]
    assert found["action"] == ["review", "reduce"]
    assert [world.log.find(decision).action for decision in found["decision_id"]] == ["review", "reduce"]
    assert len(world.log.decisions) == 4
    assert said["parameters"]["request_id"] == response.headers["x-request-id"]


def test_bytes_are_answered_with_bytes(client: TestClient) -> None:
    body, headers = binary(TWO)
    response = client.post(INFER, content=body, headers=headers)
    assert response.headers["content-type"] == "application/octet-stream"
    found = outputs(response.content, response.headers[HEAD])
    assert list(found) == ["decision_id", "action", "probability", "version"]
    assert (found["action"], found["probability"]) == (["review", "reduce"], [0.1, 0.6])


def test_reasons_and_all_that_is_said_are_told_if_asked_for(client: TestClient) -> None:
    [_, ours] = client.post(SCORE, json={"records": TWO}).json()["answers"]
    response = client.post(INFER, json=asked("reasons", "answer"))
    found = outputs(response.content, None)
    assert [json.loads(text) for text in found["reasons"]] == [[], ours["reasons"]]
    answer = json.loads(found["answer"][1])
    assert answer == ours | {"decision_id": answer["decision_id"]}


def test_a_retry_is_decided_once_and_may_ask_for_another_form(client: TestClient, world: World) -> None:
    headers = JSON | {"idempotency-key": "k"}
    first = client.post(INFER, json=asked(), headers=headers)
    body, own = binary(TWO)
    again = client.post(INFER, content=body, headers=own | {"idempotency-key": "k"})
    assert outputs(again.content, again.headers[HEAD]) == outputs(first.content, None)
    assert ("idempotent-replayed" in first.headers, again.headers["idempotent-replayed"]) == (False, "true")
    assert len(world.log.decisions) == 2


def test_only_the_version_that_is_asked_for_answers(client: TestClient, world: World) -> None:
    versioned = f"/v2/models/{MODEL}/versions"
    assert client.post(f"{versioned}/1/infer", json=asked()).status_code == 200
    for other in ("2", "0", "01x", "-1", "١", "9" * 30):
        assert "version 1 does" in problem(client.post(f"{versioned}/{other}/infer", json=asked()), 404).hint
        problem(client.get(f"{versioned}/{other}/ready"), 404)
    assert client.get(f"{versioned}/1/ready").status_code == 200
    assert client.get(f"{versioned}/1").json()["versions"] == ["1"]
    assert len(world.log.decisions) == 2


def test_a_refusal_is_a_problem_that_inference_clients_can_read(client: TestClient) -> None:
    wrong = tensors([record(status_0=99)])
    response = client.post(INFER, json={"inputs": wrong})
    said = problem(response, 422)
    assert said.errors[0].field == "status_0"
    assert response.json()["error"] == f"{said.detail} -> {said.hint}"
    assert int(response.headers["content-length"]) == len(response.content)
    assert "error" not in client.post(SCORE, json=record(status_0=99)).json()
    problem(client.post("/v2/models/other/infer", json=asked()), 404)


def test_what_is_declared_as_nothing_is_taken_but_not_from_a_page(client: TestClient, world: World) -> None:
    """NVIDIA's client declares nothing. A page in a browser could do so, too, without being asked for permission first."""
    body = json.dumps(asked()).encode()
    assert client.post(INFER, content=body).status_code == 200
    problem(client.post(INFER, content=body, headers={"origin": "https://elsewhere.example"}), 415)
    problem(client.post(INFER, content=body, headers={"content-type": "text/plain"}), 415)
    problem(client.post(INFER, content=body, headers=JSON | {"content-encoding": "gzip"}), 415)
    assert len(world.log.decisions) == 2


@pytest.mark.parametrize("head", ["", "x", "-1", "1.0", "٣", "9" * 40])
def test_a_length_that_is_none_is_refused(client: TestClient, head: str) -> None:
    problem(client.post(INFER, json=asked(), headers={HEAD: head.encode()}), 422)
    twice = [("content-type", "application/json"), (HEAD, "2"), (HEAD, "2")]
    problem(client.post(INFER, content=b"{}", headers=twice), 422)


def test_model_and_server_describe_themselves(client: TestClient) -> None:
    described = client.get(f"/v2/models/{MODEL}").json()
    assert {each["name"]: each["datatype"] for each in described["inputs"]} == {
        each["name"]: each["datatype"] for each in tensors([record()])
    }
    assert [each["name"] for each in described["outputs"]] == [
        "decision_id",
        "action",
        "probability",
        "version",
        "reasons",
        "answer",
    ]
    assert client.get("/v2").json()["extensions"] == ["binary_tensor_data"]
    assert client.get(f"/v2/models/{MODEL}/ready").json() == {"name": MODEL, "ready": True}


def test_readiness_follows_what_can_be_answered(client: TestClient) -> None:
    assert client.get("/v2/health/ready").status_code == client.get("/v2/health/live").status_code == 200
    with TestClient(World().app()) as empty:
        assert (empty.get("/v2/health/ready").status_code, empty.get("/v2/health/live").status_code) == (503, 200)
        problem(empty.get(f"/v2/models/{MODEL}/ready"), 503)
        problem(empty.post(INFER, json=asked()), 503)


def test_a_log_that_is_away_means_no_answer(client: TestClient, world: World) -> None:
    world.log.down = Unavailable("the decision log does not answer")
    response = client.post(INFER, json=asked())
    problem(response, 503)
    assert response.headers["retry-after"] == "1"
    world.log.down = None
    assert world.log.decisions == {}


def test_these_requests_are_counted_as_all_are(client: TestClient) -> None:
    client.post(INFER, json=asked())
    client.post(INFER, json={})
    lines = set(client.get("/metrics").text.splitlines())
    assert {f'steward_responses_total{{status="{status}"}} 1.0' for status in (200, 422)} <= lines
    assert {'steward_stage_seconds_count{stage="whole"} 2.0', "steward_in_flight 0.0"} <= lines


@pytest.mark.parametrize(
    ("path", "method", "status"),
    [
        (INFER, "POST", 403),
        (f"/v2/models/{MODEL}/versions/1/infer", "POST", 403),
        (f"/v2/models/{MODEL}", "GET", 200),
        (f"/v2/models/{MODEL}/ready", "GET", 200),
        (f"/v2/models/{MODEL}/versions/1/ready", "GET", 200),
        ("/v2/models/other", "GET", 403),
        ("/v2/models/other/versions/1", "GET", 403),
        ("/v2", "GET", 200),
        ("/v2/health/ready", "GET", 200),
        ("/v2/repository/index", "GET", 403),
    ],
)
def test_a_key_to_read_one_model_reads_that_one(path: str, method: str, status: int) -> None:
    door = Doorway(key("reader", actions=["read"], models=[MODEL]))
    with TestClient(door.app) as client:
        assert client.request(method, path, headers=bearer("reader")).status_code == status
        if "health" not in path:
            assert problem(client.request(method, path), 401)


def test_a_batch_is_taken_from_the_allowance_of_its_key() -> None:
    few = key(allowance={"requests_per_second": 0.001, "burst": 1})
    with TestClient(Doorway(few).app) as client:
        assert client.post(INFER, json=asked(), headers=bearer()).status_code == 200
        assert "more requests" in client.post(INFER, json=asked(), headers=bearer()).json()["error"]
