"""MLflow's aliases follow whatever comes into force, at once; what a person set by hand there is put right when looked at."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from models.clock import SystemClock
from pipelines.adapters.mlflow_registry import MlflowRegistry
from pipelines.promotion import Desk
from tests.bundles import MODEL
from tests.e2e.test_governance import Home
from tests.samples import ensemble, sealed

pytestmark = pytest.mark.integration

SIGNED = ("--by", "on-call", "--reason", "too many reductions")


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    """Two champions, one after the other, in a real registry too."""
    made = Home(tmp_path)
    made.desk = Desk(MlflowRegistry.below(tmp_path, SystemClock()), made.office)
    for bundle in (sealed(seed=1), sealed(ensemble(high=2.5), seed=2)):
        made.champion(bundle)
    yield made
    made.service.stop(signal.SIGKILL)


def aliases(home: Home) -> dict[int, set[str]]:
    return {version.version: set(version.aliases) for version in home.desk.registry.versions(MODEL)}


def test_aliases_follow_a_roll_back_at_once_and_looking_puts_right_what_was_set_by_hand(home: Home) -> None:
    assert aliases(home) == {1: {"previous"}, 2: {"champion"}}

    assert "back at version 1" in home.run("rollback", *SIGNED)
    assert aliases(home) == {1: {"champion"}, 2: {"previous"}}

    by_hand = sealed(ensemble(high=2.5), seed=2).digest
    home.desk.registry.mirror(MODEL, {"champion": by_hand, "previous": None})
    said = home.run("versions")
    assert "champion" in next(line for line in said.splitlines() if line.startswith("version 1 "))
    assert "follow the release channel now" in said
    assert aliases(home) == {1: {"champion"}, 2: {"previous"}}
    assert "follow the release channel now" not in home.run("versions")


def test_a_second_roll_back_offers_to_go_on_only_where_something_was_before(home: Home) -> None:
    home.run("rollback", *SIGNED)
    said = home.run("rollback", *SIGNED, ends=1)
    assert "was rolled back already, to version 1" in said
    assert "there is no champion before that one" in said
    assert "--again" not in said
