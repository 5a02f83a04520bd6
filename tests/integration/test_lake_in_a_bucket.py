"""A home whose lake lies in an S3 bucket (`STEWARD_LAKE`): taken in, read and verified there, and nothing of it on the disk."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import boto3
import numpy as np
import pytest

from models.lake import SNAPSHOTS
from monitoring.adapters.duckdb_samples import DuckdbSamples
from monitoring.samples import Bounds
from pipelines import steps
from pipelines.settings import PipelineSettings
from pipelines.verification.partitions import check_partitions
from pipelines.wiring import Platform
from tests.fakes.source import SomeAccounts
from tests.stores import BUCKET, running_store

pytestmark = pytest.mark.integration

JULY = date(2005, 7, 31)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    with running_store(tmp_path_factory.mktemp("store")) as variables, pytest.MonkeyPatch.context() as patch:
        for name, value in variables.items():
            patch.setenv(name, value)
        settings = PipelineSettings(home=tmp_path_factory.mktemp("home"), lake=f"s3://{BUCKET}/bank")
        made = Platform(settings, source=SomeAccounts(step=20))
        steps.take_in(made, JULY)
        yield made


def test_the_lake_lies_in_the_bucket_and_the_audit_columns_at_home(home: Platform) -> None:
    (first, *_) = home.stored.versions(SNAPSHOTS)
    assert str(home.stored.path(first)) == f"s3://{BUCKET}/bank/credit_default/snapshots/month={first.month}/v0001.parquet"
    assert not (home.settings.home / "lake").exists()
    assert list((home.settings.home / "restricted").rglob("*.parquet"))


def test_what_is_taken_in_again_changes_nothing(home: Platform) -> None:
    again = Platform(home.settings, source=SomeAccounts(step=20))
    assert steps.take_in(again, JULY).written == ()


def test_cohorts_are_read_from_it(home: Platform) -> None:
    read = home.lake.read(home.lake.versions(SNAPSHOTS)[:1], ["credit_limit"])
    assert len(read["credit_limit"]) == 1_500
    assert np.all(read["credit_limit"] > 0)


def test_a_few_rows_are_shown_from_it(home: Platform) -> None:
    columns = {name: np.array(["a", "b", "c"]) for name in ("decision_id", "account_id", "action")}
    decided = columns | {"version": np.arange(3), "probability": np.array([0.1, 0.2, 0.3]), "bill": np.array([1.0, 2.0, 3.0])}
    sealed = home.stored.write("sealed", home.lake.versions(SNAPSHOTS)[0].month, decided, recorded_at=home.clock.now())
    rows = DuckdbSamples(home.stored).some(sealed, "bill", Bounds(low=2.0), 9)
    assert [row["decision_id"] for row in rows] == ["b", "c"]


def test_an_object_that_somebody_exchanged_is_named(home: Platform) -> None:
    first, second, *_ = home.stored.versions(SNAPSHOTS)
    assert list(check_partitions(home.stored, [first, second])) == []
    client = boto3.session.Session().client("s3")
    key = str(home.stored.path(first)).removeprefix(f"s3://{BUCKET}/")
    kept = client.get_object(Bucket=BUCKET, Key=key)["Body"].read()
    client.put_object(Bucket=BUCKET, Key=key, Body=kept[: len(kept) // 2])
    try:
        assert str(home.stored.path(first)) in {found.where for found in check_partitions(home.stored, [first, second])}
        client.delete_object(Bucket=BUCKET, Key=key)
        assert "it is gone" in str([found.problem for found in check_partitions(home.stored, [first, second])])
    finally:
        client.put_object(Bucket=BUCKET, Key=key, Body=kept)


def test_a_home_of_its_own_does_not_share_it(home: Platform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from models.settings import of_own

    monkeypatch.setenv("STEWARD_LAKE", home.settings.lake)
    monkeypatch.setenv("STEWARD_DATABASE_URL", "postgresql://bank/decisions")
    for name, value in of_own(tmp_path).items():
        monkeypatch.setenv(name, value)
    replayed = PipelineSettings.read()
    assert replayed.lake_of("credit_default") == f"{tmp_path}/lake/credit_default"
    assert replayed.database == f"sqlite:///{tmp_path}/decisions.db"
