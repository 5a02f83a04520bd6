"""MLflow's and SageMaker's paths, asked over HTTP."""

from fastapi.testclient import TestClient

from tests.bundles import record
from tests.unit.serving.answers.test_prediction import loaded
from tests.worlds import World, problem


def test_mlflows_protocol_gets_the_same_decision_and_records_it(client: TestClient, world: World) -> None:
    said = client.post("/invocations", json={"dataframe_records": [record(status_0=5)]})
    [answer] = said.json()["predictions"]
    assert (answer["decision"], answer["probability"]) == ("reduce", 0.6)
    assert world.log.find(answer["decision_id"]).action == "reduce"
    lines = "\n".join([",".join(record()), ",".join(map(str, record(account_id="A2").values()))])
    assert client.post("/invocations", content=lines, headers={"content-type": "text/csv"}).status_code == 200
    assert len(world.log.decisions) == 2


def test_a_retry_by_mlflows_protocol_is_decided_once(client: TestClient, world: World) -> None:
    body, headers = {"instances": [record()]}, {"Idempotency-Key": "k"}
    first, again = (client.post("/invocations", json=body, headers=headers) for _ in range(2))
    assert (first.json(), again.headers["idempotent-replayed"]) == (again.json(), "true")
    assert len(world.log.decisions) == 1


def test_mlflows_protocol_refuses_as_our_own_does(client: TestClient) -> None:
    assert problem(client.post("/invocations", json={"instances": [record(status_0=99)]}), 422).errors[0].field == "status_0"
    assert "text/csv" in problem(client.post("/invocations", content=b"x", headers={"content-type": "text/plain"}), 415).hint
    target = {"X-Amzn-SageMaker-Target-Model": "other"}
    assert "'other'" in problem(client.post("/invocations", json={"instances": [record()]}, headers=target), 404).detail


def test_where_several_models_are_served_the_protocol_must_name_one(client: TestClient, world: World) -> None:
    world.predictor.swap(loaded(0.2, model="other")[0])
    body = {"instances": [record()]}
    assert "credit_default, other" in problem(client.post("/invocations", json=body), 422).hint
    target = {"X-Amzn-SageMaker-Target-Model": "other"}
    assert client.post("/invocations", json=body, headers=target).json()["model"] == "other"


def test_a_ping_is_answered_while_requests_can_be(client: TestClient, world: World) -> None:
    assert client.get("/ping").status_code == 200
    with TestClient(World().app()) as empty:
        assert empty.get("/ping").status_code == 503
        problem(empty.post("/invocations", json={"instances": [record()]}), 503)


def test_half_a_character_in_a_name_is_refused_and_not_repeated(client: TestClient) -> None:
    """No answer could be written with it."""
    body, headers = b'{"\\ud800": 1}', {"content-type": "application/json"}
    assert "there is ?" in problem(client.post("/invocations", content=body, headers=headers), 422).detail
    nested = b'{"instances": [{"\\ud800": 1}]}'
    problem(client.post("/invocations", content=nested, headers=headers), 422)
