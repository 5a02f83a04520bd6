"""What only the Parquet lake can get wrong: files, kills, other engines."""

import os
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import numpy as np
import pyarrow.parquet as pq
import pytest

from models.adapters.arrow import lake_schemas, metadata, restricted_schemas
from models.adapters.parquet_lake import ParquetLake
from models.clock import Month
from models.credit_default.contract import CONTRACT
from models.errors import InputRefused, Integrity, Unavailable
from models.lake import AUDIT, OUTCOMES, SNAPSHOTS

JULY = Month(2005, 7)
NOON = datetime(2005, 8, 1, 12, tzinfo=UTC)
OUTCOME = {"account_id": np.array(["A1", "A2"]), "outcome_code": np.array([0, 2]), "bad": np.array([False, True])}

pytestmark = pytest.mark.integration


@pytest.fixture
def lake(tmp_path: Path) -> ParquetLake:
    return ParquetLake(tmp_path, schemas=lake_schemas(CONTRACT))


def test_duckdb_reads_a_partition_by_its_path(lake: ParquetLake) -> None:
    written = lake.write(OUTCOMES, JULY, OUTCOME, recorded_at=NOON)

    with duckdb.connect() as engine:
        found = engine.execute("select account_id, outcome_code, bad from read_parquet(?)", [str(lake.path(written))])
        assert found.fetchall() == [("A1", 0, False), ("A2", 2, True)]


def test_a_changed_value_is_noticed_and_the_file_named(lake: ParquetLake) -> None:
    written = lake.write(OUTCOMES, JULY, OUTCOME, recorded_at=NOON)
    path = lake.path(written)
    stored = pq.read_table(path)
    forged = stored.set_column(2, "bad", [[False, False]])
    pq.write_table(forged.cast(stored.schema).replace_schema_metadata(stored.schema.metadata), path)

    with pytest.raises(Integrity, match=r"outcomes/month=2005-07/v0001\.parquet .* bad"):
        lake.read([written], ["bad"])


def test_an_edited_fact_is_noticed(lake: ParquetLake) -> None:
    written = lake.write(OUTCOMES, JULY, OUTCOME, recorded_at=NOON, facts={"matured_at": "2005-08-31"})
    path = lake.path(written)
    stored = pq.read_table(path)
    notes = {key: value.replace("2005-08-31", "2005-07-31") for key, value in metadata(stored.schema).items()}
    pq.write_table(stored.replace_schema_metadata(notes), path)

    with pytest.raises(Integrity, match="record was edited"):
        lake.versions(OUTCOMES)


def test_a_cut_off_file_is_named(lake: ParquetLake) -> None:
    path = lake.path(lake.write(OUTCOMES, JULY, OUTCOME, recorded_at=NOON))
    path.write_bytes(path.read_bytes()[:-100])

    with pytest.raises(Integrity, match=r"v0001\.parquet is damaged"):
        lake.versions(OUTCOMES)


def test_the_digest_does_not_depend_on_how_parquet_encodes(lake: ParquetLake) -> None:
    written = lake.write(OUTCOMES, JULY, OUTCOME, recorded_at=NOON)
    path = lake.path(written)
    pq.write_table(pq.read_table(path), path, compression="none", use_dictionary=False, row_group_size=1)

    np.testing.assert_array_equal(lake.read([written])["bad"], OUTCOME["bad"])


def test_an_audit_column_cannot_be_stored_where_the_trainer_reads(lake: ParquetLake, tmp_path: Path) -> None:
    audit = {"account_id": np.array(["A1"])} | {name: np.array([1]) for name in ("sex", "education", "marriage", "age")}

    with pytest.raises(InputRefused, match="sex"):
        lake.write(OUTCOMES, JULY, {**OUTCOME, "sex": np.array([1, 2])}, recorded_at=NOON)
    with pytest.raises(InputRefused, match="sex"):
        lake.write(SNAPSHOTS, JULY, audit, recorded_at=NOON)
    ParquetLake(tmp_path / "restricted", restricted_schemas(CONTRACT)).write(AUDIT, JULY, audit, recorded_at=NOON)


def test_a_column_of_another_type_is_refused(lake: ParquetLake) -> None:
    with pytest.raises(InputRefused, match=r"outcome_code \(double\)"):
        lake.write(OUTCOMES, JULY, {**OUTCOME, "outcome_code": np.array([0.0, 2.0])}, recorded_at=NOON)


def test_a_folder_that_cannot_be_written_is_said_to_be_so(tmp_path: Path) -> None:
    (tmp_path / "lake").write_text("a file where the folder should be")

    with pytest.raises(Unavailable, match="cannot be written"):
        ParquetLake(tmp_path / "lake").write(OUTCOMES, JULY, OUTCOME, recorded_at=NOON)


def test_each_damaged_file_is_named_and_the_others_are_examined(lake: ParquetLake) -> None:
    first, second, third, sound = (
        lake.path(lake.write(OUTCOMES, Month(2005, number), OUTCOME, recorded_at=NOON)) for number in (5, 6, 7, 8)
    )
    stored = pq.read_table(first)
    pq.write_table(stored.set_column(2, "bad", [[False, False]]).replace_schema_metadata(stored.schema.metadata), first)
    second.write_bytes(b"")
    third.write_bytes(sound.read_bytes())

    found = dict(lake.examined())

    assert [path for path, each in found.items() if isinstance(each, Integrity)] == [first, second, third]
    assert "bad do not match" in str(found[first])
    assert "not readable" in str(found[second])
    assert "month=2005-08" in str(found[third])


KILLED_WHILE_WRITING = """
import os, signal, sys
from pathlib import Path
from tests.integration.test_parquet_lake import JULY, NOON, OUTCOME
from models.adapters.parquet_lake import ParquetLake

def killed(*arguments, **named):
    os.kill(os.getpid(), signal.SIGKILL)

setattr(os, sys.argv[2], killed)
ParquetLake(Path(sys.argv[1])).write("outcomes", JULY, OUTCOME, recorded_at=NOON)
"""


@pytest.mark.parametrize("step", ["fsync", "link"])
def test_a_killed_writer_leaves_no_half_partition(tmp_path: Path, step: str) -> None:
    root = str(Path(__file__).parents[2])
    command = [sys.executable, "-c", KILLED_WHILE_WRITING, str(tmp_path), step]
    killed = subprocess.run(command, check=False, env=os.environ | {"PYTHONPATH": root}, capture_output=True)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    folder = tmp_path / "outcomes" / "month=2005-07"
    assert [path.name[0] for path in folder.iterdir()] == ["."], "the kill came before the commit"

    lake = ParquetLake(tmp_path)
    assert lake.versions("outcomes") == []
    written = lake.write("outcomes", JULY, OUTCOME, recorded_at=NOON)

    assert written.version == 1
    assert [path.name for path in folder.iterdir()] == ["v0001.parquet"]
    np.testing.assert_array_equal(lake.read([written])["bad"], OUTCOME["bad"])
