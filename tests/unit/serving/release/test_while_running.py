"""A release that changes while requests come, and the end of a service."""

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


def test_the_log_is_closed_after_the_last_request(world: World) -> None:
    with TestClient(world.app()) as client:
        assert client.post(SCORE, json=record()).status_code == 200
        assert not world.closed
    assert world.closed
