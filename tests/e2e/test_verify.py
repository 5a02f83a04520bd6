"""`make verify` in a home that somebody has been in."""

import shutil
import signal
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from models.adapters.parquet_lake import ParquetLake
from models.bundle import MANIFEST, Bundle
from models.clock import Month
from models.lake import SNAPSHOTS
from tests.bundles import MODEL
from tests.e2e.test_governance import Home
from tests.samples import sealed

pytestmark = pytest.mark.integration

JULY = Month(2005, 7)
NOON = datetime(2005, 9, 1, 12, tzinfo=UTC)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    """A champion that was made of one partition."""
    made = Home(tmp_path)
    rows = {"account_id": np.array(["A1"]), "bill": np.array([1.0])}
    part = ParquetLake(tmp_path / "lake" / MODEL).write(SNAPSHOTS, JULY, rows, recorded_at=NOON)
    named = {"table": part.table, "month": str(part.month), "version": part.version, "digest": part.digest, "rows": part.rows}
    lineage = {"partitions": [named | {"recorded_at": part.recorded_at.isoformat()}]}
    parts = {name: data for name, data in sealed(seed=1).files.items() if name != MANIFEST}
    made.champion(Bundle.seal(MODEL, parts, lineage=lineage))
    yield made
    made.service.stop(signal.SIGKILL)


def partition(home: Home) -> Path:
    return home.path / "lake" / MODEL / SNAPSHOTS / "month=2005-07" / "v0001.parquet"


def test_an_untouched_home_holds_and_says_what_was_looked_at(home: Home) -> None:
    said = home.run("verify")
    assert "Every partition that credit_default was made of is in the lake, byte by byte." in said
    assert "Every evidence pack follows from its artefacts." in said


def test_a_deleted_partition_is_named_with_its_file_and_what_to_do(home: Home) -> None:
    partition(home).unlink()
    said = home.run("verify", ends=1)
    assert f"{partition(home)}: it is gone" in said
    assert "make ingest" in said


def test_a_changed_partition_is_named_with_its_file(home: Home) -> None:
    stored = pq.read_table(partition(home))
    forged = stored.set_column(1, "bill", [[2.0]]).replace_schema_metadata(stored.schema.metadata)
    pq.write_table(forged, partition(home))
    assert str(partition(home)) in home.run("verify", ends=1)


def test_a_home_whose_whole_record_was_taken_away_does_not_pass(home: Home) -> None:
    for name in ("ledger.jsonl", "ledger.head.json"):
        (home.path / name).unlink()
    for name in ("pointers", "approvals"):
        shutil.rmtree(home.path / "channel" / name)
    said = home.run("verify", ends=1)
    assert "ledger: it is empty or gone, and models were made here" in said
    assert str(home.path / "channel" / "bundles") in said


def test_junk_among_the_approvals_is_reported(home: Home) -> None:
    (folder,) = (home.path / "channel" / "approvals").iterdir()
    (folder / "junk.json").write_text("{")
    assert f"{folder / 'junk.json'}: it lies among the approvals, and is none" in home.run("verify", ends=1)
