"""The form of a request, whatever it asks: ids, keys, media types, sizes."""

import json

import pytest
from fastapi.testclient import TestClient

from tests.bundles import record
from tests.worlds import SCORE, World, problem


def test_a_callers_request_id_comes_back_and_is_kept_nowhere(client: TestClient, world: World) -> None:
    """It may be an account's id. The answer is kept for retries, so its body has our own."""
    headers = {"X-Request-ID": "A00017", "Idempotency-Key": "A00017"}
    response = client.post(SCORE, json=record(), headers=headers)
    assert response.headers["x-request-id"] == "A00017"
    assert [decision.request_id for decision in world.log.decisions.values()] == [response.json()["request_id"]]
    assert "A00017" not in repr((world.log.decisions, world.log.answers))


@pytest.mark.parametrize("bad", ["", "x" * 65, "a b", "<script>", "é".encode("latin-1")])
def test_a_harmful_request_id_is_replaced(client: TestClient, bad: str | bytes) -> None:
    response = client.get("/health/live", headers={"X-Request-ID": bad})
    assert len(response.headers["x-request-id"]) == 32


def test_two_keys_in_one_request_are_refused(client: TestClient, world: World) -> None:
    headers = [("Idempotency-Key", "one"), ("Idempotency-Key", "two")]
    assert "twice" in problem(client.post(SCORE, json=record(), headers=headers), 422).detail
    assert world.log.decisions == {}


@pytest.mark.parametrize("key", ["", "x" * 256, "two words", "\x7f"])
def test_a_key_that_cannot_be_kept_is_refused(client: TestClient, key: str) -> None:
    assert "Idempotency-Key" in problem(client.post(SCORE, json=record(), headers={"Idempotency-Key": key}), 422).detail


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "text/csv"},
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"Content-Type": ""},
        {"Content-Type": "application/json", "Content-Encoding": "gzip"},
    ],
)
def test_a_body_that_is_not_declared_as_plain_json_is_refused(client: TestClient, headers: dict[str, str]) -> None:
    said = problem(client.post(SCORE, content=json.dumps(record()), headers=headers), 415)
    assert "application/json" in said.hint


def test_a_character_set_may_be_named(client: TestClient) -> None:
    headers = {"Content-Type": "Application/JSON; charset=utf-8"}
    assert client.post(SCORE, content=json.dumps(record()), headers=headers).status_code == 200


def test_a_body_that_says_it_is_too_large_is_not_read(client: TestClient) -> None:
    said = problem(client.post(SCORE, content=b" " * 20_001, headers={"Content-Type": "application/json"}), 413)
    assert "20,000 bytes" in said.detail


def test_a_body_that_turns_out_too_large_is_refused(client: TestClient) -> None:
    parts = (b" " * 9_000 for _ in range(3))
    problem(client.post(SCORE, content=parts, headers={"Content-Type": "application/json"}), 413)


def test_a_plain_api_sends_plain_headers(client: TestClient) -> None:
    headers = client.post(SCORE, json=record()).headers
    assert (headers["x-content-type-options"], headers["cache-control"]) == ("nosniff", "no-store")
