"""Scores, asked over HTTP."""

from fastapi.testclient import TestClient

from serving.protocols.documents import Scored
from tests.bundles import MODEL, fake_bundle, record, records
from tests.worlds import SCORE, World, problem


def test_one_record_is_scored_and_the_answer_is_as_documented(client: TestClient, world: World) -> None:
    response = client.post(SCORE, json=record())
    assert response.status_code == 200
    scored = Scored.model_validate(response.json())
    assert (scored.model, scored.version, scored.bundle) == (MODEL, 1, fake_bundle(0.1).digest)
    assert [(answer.decision, answer.probability) for answer in scored.answers] == [("review", 0.1)]
    assert world.log.find(scored.answers[0].decision_id).request_id == scored.request_id == response.headers["x-request-id"]


def test_a_batch_is_scored_in_order(client: TestClient) -> None:
    response = client.post(SCORE, json={"records": records({"status_0": 0}, {"status_0": 3}, {"status_0": 1})})
    assert [answer["probability"] for answer in response.json()["answers"]] == [0.1, 0.4, 0.2]


def test_a_retry_gets_the_same_bytes_and_is_marked(client: TestClient, world: World) -> None:
    first = client.post(SCORE, json=record(), headers={"Idempotency-Key": "k1"})
    again = client.post(SCORE, json=record(), headers={"Idempotency-Key": "k1"})
    assert again.content == first.content
    assert ("idempotent-replayed" in first.headers, again.headers["idempotent-replayed"]) == (False, "true")
    assert len(world.log.decisions) == 1


def test_a_key_used_for_another_body_is_a_conflict(client: TestClient) -> None:
    client.post(SCORE, json=record(), headers={"Idempotency-Key": "k1"})
    said = problem(client.post(SCORE, json=record(status_0=1), headers={"Idempotency-Key": "k1"}), 409)
    assert "another body" in said.detail
    assert "k1" not in said.detail + said.hint


def test_a_broken_rule_is_named(client: TestClient, world: World) -> None:
    said = problem(client.post(SCORE, json={"records": [record(), record(bill_0="28")]}), 422)
    assert [rule.model_dump() for rule in said.errors] == [
        {"record": 1, "field": "bill_0", "value": '"28"', "rule": "number from -5,000,000 to 5,000,000"}
    ]
    assert said.type == "urn:steward:problem:input-refused"
    assert world.log.decisions == {}


def test_an_audit_column_is_refused_and_its_value_does_not_come_back(client: TestClient) -> None:
    response = client.post(SCORE, json=record(sex=31337))
    assert [rule.field for rule in problem(response, 422).errors] == ["sex"]
    assert "31337" not in response.text


def test_a_model_that_is_not_served_is_not_found(client: TestClient) -> None:
    said = problem(client.post("/v1/models/other/score", json=record()), 404)
    assert MODEL in said.hint


def test_what_is_served_is_listed(client: TestClient) -> None:
    (served,) = client.get("/v1/models").json()["models"]
    assert (served["model"], served["version"], served["bundle"]) == (MODEL, 1, fake_bundle(0.1).digest)
    assert served["fields"] == list(record())
