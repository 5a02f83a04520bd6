"""A service with one model in force, and a client of it."""

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from tests.worlds import World


@pytest.fixture
def world() -> World:
    made = World()
    made.promote(0.1, version=1)
    return made


@pytest.fixture
def client(world: World) -> Iterator[TestClient]:
    with TestClient(world.app(), raise_server_exceptions=False) as client:
        yield client
