"""Ingest with its real parts: Parquet lake, Great Expectations, file ledger, quarantine folder, and kills at every commit."""

import json
import os
import signal
import stat
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from models.adapters.arrow import lake_schemas, restricted_schemas
from models.adapters.file_ledger import FileLedger
from models.adapters.parquet_lake import ParquetLake
from models.clock import FixedClock
from models.contract import Role
from models.credit_default import USE_CASE
from models.errors import BatchRejected, Unavailable
from models.governance.ledger import Event, open_holds
from models.lake import AUDIT, OUTCOMES, SNAPSHOTS
from models.usecase import Cohort
from pipelines.adapters.expectations import GreatExpectations
from pipelines.adapters.folder_quarantine import FolderQuarantine
from pipelines.batches import Batch, Finding, Ruling, Verdict
from pipelines.ingest import Intake, ingest
from pipelines.settings import PipelineSettings
from pipelines.validation import Expectations
from pipelines.wiring import Platform
from tests.fakes.expectations import FakeExpectations
from tests.fakes.source import JULY, SEPTEMBER, SomeAccounts
from tests.rings import ACCOUNTS, AUDIT_KEYS

pytestmark = pytest.mark.integration

CLOCK = FixedClock(datetime(2005, 11, 1, tzinfo=UTC))
CONTRACT = USE_CASE.contract


def intake(home: Path, expectations: Expectations) -> Intake:
    return Intake(
        lake=ParquetLake(home / "lake", lake_schemas(CONTRACT)),
        restricted=ParquetLake(home / "restricted", restricted_schemas(CONTRACT)),
        expectations=expectations,
        quarantine=FolderQuarantine(home / "restricted" / "quarantine"),
        ledger=FileLedger(home / "ledger.jsonl"),
        clock=CLOCK,
        accounts=ACCOUNTS,
        audit_keys=AUDIT_KEYS,
    )


def quiet(_: str) -> None: ...


def test_only_its_owner_may_enter_the_folder_of_the_audit_columns_and_of_quarantine(tmp_path: Path) -> None:
    _ = Platform(PipelineSettings(home=tmp_path)).intake
    assert stat.S_IMODE((tmp_path / "restricted").stat().st_mode) == 0o700


def test_the_real_2005_is_taken_in_and_only_its_coding_change_is_held(tmp_path: Path) -> None:
    parts = intake(tmp_path, GreatExpectations(tmp_path / "validation", CLOCK))
    source = SomeAccounts(step=5)

    before = ingest(USE_CASE, source, parts, as_of=date(2005, 9, 29), progress=quiet)
    assert (before.holds, len(parts.lake.versions(SNAPSHOTS)), len(parts.lake.versions(OUTCOMES))) == ((), 4, 3)

    september = ingest(USE_CASE, source, parts, as_of=date(2005, 9, 30), progress=quiet)
    october = ingest(USE_CASE, source, parts, as_of=date(2005, 10, 31), progress=quiet)

    assert [(hold.month, hold.coding) for hold in september.holds] == [("2005-09", "repayment_status"), ("2005-09", "")]
    assert [(hold.month, hold.coding) for hold in october.holds] == [("2005-10", "published_label")]
    assert len(open_holds(parts.ledger.entries())) == 3
    assert Path(october.docs).exists()


def test_a_bad_month_is_in_quarantine_for_people_and_for_programs(tmp_path: Path) -> None:
    def negative_payment(cohort: Cohort) -> Cohort:
        payments = cohort.columns["payment_0"].copy()
        payments[[2, 5]] = -1.0
        return replace(cohort, columns={**cohort.columns, "payment_0": payments})

    parts = intake(tmp_path, GreatExpectations(tmp_path / "validation", CLOCK))
    source = SomeAccounts(step=50)
    source.changes[JULY] = negative_payment

    with pytest.raises(BatchRejected, match=r"range of payment_0: 2 of 600 rows") as refused:
        ingest(USE_CASE, source, parts, as_of=date(2005, 8, 31), progress=quiet)

    (folder,) = (tmp_path / "restricted" / "quarantine" / "credit_default" / "snapshots").iterdir()
    text = (folder / "verdict.md").read_text()
    verdict = json.loads((folder / "verdict.json").read_text())
    stored = pq.read_table(folder / "batch.parquet").to_pydict()
    assert str(folder / "verdict.md") in refused.value.hint
    assert "**range** of `payment_0`: 2 of 600 rows; allowed: number from 0 to 5,000,000" in text
    assert f"{stored['account_id'][2]}: payment_0 = -1.0" in text
    assert verdict["ruling"] == "quarantine"
    assert stored["payment_0"][2] == -1.0
    assert JULY not in [part.month for part in parts.lake.versions(SNAPSHOTS)]


def test_neither_pages_nor_quarantine_nor_lake_show_an_account_id(tmp_path: Path) -> None:
    """A key in another spelling, too: what is wrong with it is said without it."""

    def spelled_otherwise(cohort: Cohort) -> Cohort:
        keys = cohort.columns["account_id"].astype("<U12")
        keys[3] = "A 3/1337"
        return replace(cohort, columns={**cohort.columns, "account_id": keys}, audit={**cohort.audit, "account_id": keys})

    parts = intake(tmp_path, GreatExpectations(tmp_path / "validation", CLOCK))
    source = SomeAccounts(step=500)
    ids = [name.encode() for name in source.cohort(JULY, date(2005, 8, 31)).columns["account_id"].tolist()]
    source.changes[JULY] = spelled_otherwise

    with pytest.raises(BatchRejected, match="pattern of account_id"):
        ingest(USE_CASE, source, parts, as_of=date(2005, 8, 31), progress=quiet)

    written = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    tables = [str(pq.read_table(path)["account_id"].to_pylist()).encode() for path in tmp_path.rglob("*.parquet")]
    assert len(tables) > 4
    assert any(b"not a key: p1_" in content for content in written)
    for hidden in [*ids, b"3/1337"]:
        assert not any(hidden in content for content in [*written, *tables])


def bad_batch(**columns: np.ndarray) -> Batch:
    return Batch(USE_CASE.name, SNAPSHOTS, JULY, CONTRACT.only(Role.KEY, Role.INPUT), columns)


VERDICT = Verdict((Finding("no nulls", "bill_0", "1 of 2 rows", "no nulls", Ruling.QUARANTINE),))


def test_the_same_batch_is_kept_once_and_another_beside_it(tmp_path: Path) -> None:
    quarantine = FolderQuarantine(tmp_path)

    first = quarantine.store(bad_batch(bill_0=np.array([1.0, np.nan])), VERDICT)
    again = quarantine.store(bad_batch(bill_0=np.array([1.0, np.nan])), VERDICT)
    other = quarantine.store(bad_batch(bill_0=np.array([2.0, np.nan])), VERDICT)

    assert first == again != other
    assert len(list(tmp_path.glob("credit_default/snapshots/*"))) == 2


def test_a_batch_that_fits_no_table_is_kept_all_the_same(tmp_path: Path) -> None:
    mixed = np.array([1, "two", None], dtype=object)

    place = FolderQuarantine(tmp_path).store(bad_batch(status_0=mixed, bill_0=np.array([1.0])), VERDICT)

    stored = pq.read_table(Path(place).with_name("batch.parquet")).to_pydict()
    assert stored == {"status_0": ["1", "two", None], "bill_0": [1.0, None, None]}


def test_a_quarantine_that_was_killed_half_way_is_written_whole_the_next_time(tmp_path: Path) -> None:
    batch = bad_batch(bill_0=np.array([1.0]))
    quarantine = FolderQuarantine(tmp_path)
    place = Path(quarantine.store(batch, VERDICT)).parent
    place.rename(place.with_name(f".{place.name}.leftover"))
    next(place.parent.glob(".*")).joinpath("verdict.md").unlink()

    quarantine.store(batch, VERDICT)

    assert [folder.name for folder in place.parent.iterdir()] == [place.name]
    assert len(list(place.iterdir())) == 3


def test_a_quarantine_that_cannot_be_written_is_said_to_be_so(tmp_path: Path) -> None:
    (tmp_path / "credit_default").write_text("a file where the folder should be")

    with pytest.raises(Unavailable, match="cannot be written"):
        FolderQuarantine(tmp_path).store(bad_batch(bill_0=np.array([1.0])), VERDICT)


KILLED_AT_A_SYNC = """
import os, signal, sys
from datetime import date
from pathlib import Path
from models.credit_default import USE_CASE
from pipelines.ingest import ingest
from tests.fakes.expectations import FakeExpectations
from tests.fakes.source import SomeAccounts
from tests.integration.test_ingest import intake

left, real = int(sys.argv[2]), os.fsync

def fsync(file):
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    real(file)

os.fsync = fsync
ingest(USE_CASE, SomeAccounts(step=50), intake(Path(sys.argv[1]), FakeExpectations()), as_of=date(2005, 10, 31), progress=print)
"""


def contents(home: Path) -> dict[str, object]:
    """What an ingest left: digests of every version, and what the ledger says, without times."""
    parts = intake(home, FakeExpectations())
    partitions = {
        f"{part.table} {part.month}": [
            (known.version, known.digest, known.facts) for known in lake.history(part.table, part.month)
        ]
        for lake, tables in ((parts.lake, (SNAPSHOTS, OUTCOMES)), (parts.restricted, (AUDIT,)))
        for table in tables
        for part in lake.versions(table)
    }
    holds = [dict(entry.facts) for entry in parts.ledger.entries() if entry.event is Event.HOLD_OPENED]
    return {**partitions, "holds": sorted(holds, key=str)}


def run(home: Path, killed_at: int) -> int:
    root = str(Path(__file__).parents[2])
    command = [sys.executable, "-c", KILLED_AT_A_SYNC, str(home), str(killed_at)]
    return subprocess.run(command, check=False, env=os.environ | {"PYTHONPATH": root}, capture_output=True).returncode


@pytest.mark.soak
def test_a_run_killed_again_and_again_ends_as_one_that_was_left_alone(tmp_path: Path) -> None:
    alone, killed = tmp_path / "alone", tmp_path / "killed"
    ingest(USE_CASE, SomeAccounts(step=50), intake(alone, FakeExpectations()), as_of=date(2005, 10, 31), progress=quiet)

    endings = [run(killed, at) for at in (1, 6, 11)]
    ingest(USE_CASE, SomeAccounts(step=50), intake(killed, FakeExpectations()), as_of=date(2005, 10, 31), progress=quiet)

    assert endings == [-signal.SIGKILL] * 3
    assert contents(killed) == contents(alone)
    assert len(contents(alone)) == 3 * 5 + 1
    assert not list(killed.rglob(".*.parquet.*")), "leftovers are tidied up"
    assert SEPTEMBER in [part.month for part in intake(killed, FakeExpectations()).lake.versions(SNAPSHOTS)]
