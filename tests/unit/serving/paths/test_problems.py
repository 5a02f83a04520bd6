"""What a client is told when something goes wrong."""

import logging
from collections.abc import Sequence

import pytest
from fastapi.testclient import TestClient

from models import errors
from models.errors import PlatformError, Unavailable
from monitoring.decisions import Entry
from serving.paths.problems import STATUS
from tests.bundles import record
from tests.fakes.decisions import InMemoryDecisionLog
from tests.worlds import SCORE, World, problem


def every_error() -> list[type[PlatformError]]:
    return [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, PlatformError)]


def test_every_error_of_the_platform_has_a_status() -> None:
    assert set(every_error()) - {PlatformError} <= STATUS.keys()


def test_a_path_that_is_not_there_and_a_method_that_is_not_meant_are_problems_too(client: TestClient) -> None:
    assert problem(client.get("/nothing"), 404).detail == "GET /nothing"
    response = client.get(SCORE)
    problem(response, 405)
    assert response.headers["allow"] == "POST"


def test_a_log_that_is_away_means_503_and_no_answer(client: TestClient, world: World) -> None:
    world.log.down = Unavailable("the decision log does not answer", hint="see to its database")
    response = client.post(SCORE, json=record())
    said = problem(response, 503)
    assert (said.detail, said.hint) == ("the decision log does not answer", "see to its database")
    assert response.headers["retry-after"] == "1"
    world.log.down = None
    assert world.log.decisions == {}
    assert client.post(SCORE, json=record()).status_code == 200


def test_what_nobody_expected_is_not_told(world: World, caplog: pytest.LogCaptureFixture) -> None:
    class Bug(InMemoryDecisionLog):
        def append_all(self, entries: Sequence[Entry]) -> None:
            if any(entry.decisions for entry in entries):
                raise RuntimeError("secret of the machine")

    world.log = Bug()
    with TestClient(world.app(), raise_server_exceptions=False) as client, caplog.at_level(logging.ERROR):
        response = client.post(SCORE, json=record(), headers={"X-Request-ID": "r7"})
    request_id = problem(response, 500).request_id
    assert response.headers["x-request-id"] == "r7"
    assert "secret" not in response.text
    assert f"request {request_id} broke" in caplog.text
