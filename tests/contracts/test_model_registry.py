"""What every model registry must do, the fake one too."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from models.bundle import Bundle
from models.clock import FixedClock
from models.errors import NotFound
from models.registry import ModelRegistry, ModelVersion, RunRecord
from tests.fakes.registry import FakeRegistry
from tests.samples import NOON, numbered

MODEL = "credit_default"


@pytest.fixture(scope="session")
def migrated_mlflow(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """MLflow's empty database, migrated once and copied for every test."""
    from pipelines.adapters.mlflow_registry import MlflowRegistry

    home = tmp_path_factory.mktemp("mlflow")
    assert MlflowRegistry.below(home, FixedClock(NOON)).versions(MODEL) == []
    return home / "mlflow" / "mlflow.db"


@pytest.fixture(params=["memory", pytest.param("mlflow", marks=pytest.mark.integration)])
def registry(request: pytest.FixtureRequest, tmp_path: Path) -> ModelRegistry:
    def mlflow() -> ModelRegistry:
        from pipelines.adapters.mlflow_registry import MlflowRegistry

        (tmp_path / "mlflow").mkdir()
        shutil.copyfile(request.getfixturevalue("migrated_mlflow"), tmp_path / "mlflow" / "mlflow.db")
        return MlflowRegistry.below(tmp_path, FixedClock(NOON))

    makers: dict[str, Callable[[], ModelRegistry]] = {"memory": FakeRegistry, "mlflow": mlflow}
    return makers[request.param]()


def registered(registry: ModelRegistry, bundle: Bundle, **tags: str) -> ModelVersion:
    run = RunRecord("train 2005-08", {"trees": "100"}, {"auc": 0.8}, tags)
    return registry.register(MODEL, run, bundle.files, bundle.digest)


def test_a_registry_starts_without_versions(registry: ModelRegistry) -> None:
    assert registry.versions(MODEL) == []


def test_versions_are_numbered_and_the_newest_comes_first(registry: ModelRegistry) -> None:
    first, second = registered(registry, numbered(1), as_of="2005-07-31"), registered(registry, numbered(2))

    assert (first.version, second.version) == (1, 2)
    assert first.tags == {"as_of": "2005-07-31"}
    assert registry.versions(MODEL) == [second, first]


def test_registering_a_bundle_again_returns_its_version(registry: ModelRegistry) -> None:
    first = registered(registry, numbered(1))
    registered(registry, numbered(2))

    assert registered(registry, numbered(1)) == first
    assert len(registry.versions(MODEL)) == 2


def test_a_bundle_comes_back_byte_by_byte(registry: ModelRegistry) -> None:
    bundle = numbered(1)
    version = registered(registry, bundle)

    assert Bundle.verified(registry.bundle(version), version.bundle_digest) == bundle


def test_a_version_that_is_not_there_is_not_found(registry: ModelRegistry) -> None:
    registered(registry, numbered(1))

    with pytest.raises(NotFound):
        registry.bundle(ModelVersion(MODEL, 7, "", ""))


def test_aliases_move_and_go(registry: ModelRegistry) -> None:
    first, second = registered(registry, numbered(1)), registered(registry, numbered(2))

    registry.mirror(MODEL, {"champion": first.bundle_digest, "challenger": second.bundle_digest, "previous": None})
    assert [version.aliases for version in registry.versions(MODEL)] == [("challenger",), ("champion",)]

    registry.mirror(MODEL, {"champion": second.bundle_digest, "challenger": None, "previous": first.bundle_digest})
    assert [version.aliases for version in registry.versions(MODEL)] == [("champion",), ("previous",)]


def test_an_alias_for_a_bundle_that_was_never_registered_is_removed(registry: ModelRegistry) -> None:
    first = registered(registry, numbered(1))
    registry.mirror(MODEL, {"champion": first.bundle_digest})

    registry.mirror(MODEL, {"champion": "f" * 64})

    assert registry.versions(MODEL)[0].aliases == ()


def test_mirroring_a_model_that_has_no_versions_changes_nothing(registry: ModelRegistry) -> None:
    registry.mirror(MODEL, {"champion": None, "previous": "f" * 64})

    assert registry.versions(MODEL) == []
