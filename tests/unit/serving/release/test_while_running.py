"""A release that changes while requests come, and the end of a service."""

import logging
from time import monotonic
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.bundles import record
from tests.worlds import SCORE, World


def test_a_promotion_is_picked_up_while_requests_come(world: World) -> None:
    with TestClient(world.app(poll_seconds=0.01)) as client:
        assert client.get("/health/ready").json()["models"][0]["version"] == 1
        world.promote(0.2, version=2)
        answers = (client.post(SCORE, json=record()) for _ in range(1_000))
        seen = []
        for answer in answers:
            assert answer.status_code == 200
            seen.append((answer.json()["version"], answer.json()["answers"][0]["probability"]))
            if seen[-1][0] == 2:
                break
        assert set(seen) <= {(1, 0.1), (2, 0.2)}
        assert seen[-1] == (2, 0.2)


def awaited(client: TestClient, problems: list[str]) -> dict[str, Any]:
    """What readiness says, once it names these problems."""
    until = monotonic() + 30
    while True:
        said: dict[str, Any] = client.get("/health/ready").json()
        if [problem["problem"] for problem in said["problems"]] == problems:
            return said
        assert monotonic() < until, said


def test_a_look_that_breaks_off_is_told_and_the_next_ones_are_made_all_the_same(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    with TestClient(world.app(poll_seconds=0.01)) as client:
        world.channel.unexpected = KeyError("what nobody expected")
        said = awaited(client, ["the look at the release channel broke off: KeyError"])
        assert said["ready"]
        assert said["models"][0]["stale"]
        assert client.post(SCORE, json=record()).status_code == 200
        world.promote(0.2, version=2)
        world.channel.unexpected = None
        said = awaited(client, [])
        assert (said["models"][0]["version"], said["models"][0]["stale"]) == (2, False)
    assert [each.levelno for each in caplog.records].count(logging.CRITICAL) == 1


def test_the_log_is_closed_after_the_last_request(world: World) -> None:
    with TestClient(world.app()) as client:
        assert client.post(SCORE, json=record()).status_code == 200
        assert not world.closed
    assert world.closed
