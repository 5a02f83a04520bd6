"""What every test of monitoring may begin with."""

import pytest

from tests.desks import Office


@pytest.fixture
def office() -> Office:
    return Office()
