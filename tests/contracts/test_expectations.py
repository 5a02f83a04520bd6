"""What every checker of single rows must find: pandas in this process, and Spark where the rows are staged."""

import fcntl
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.adapters.spark_session import Spark
from models.contract import Role
from models.errors import Unavailable
from models.lake import AUDIT
from models.usecase import Cohort
from pipelines.adapters.expectations import GreatExpectations
from pipelines.adapters.spark_expectations import SparkExpectations
from pipelines.batches import Batch
from tests import sparks
from tests.integration.test_expectations import AUGUST, CLOCK, FAULTS, USE_CASE, cohorts, snapshot

__all__ = ["cohorts"]  # a fixture


class Watched(SparkExpectations):
    """It notes which rules executors found broken, by batch that they were asked about."""

    said: list[set[tuple[str, str]]]

    def _by_executors(self, name: str, batch: Batch) -> Any:
        found = super()._by_executors(name, batch)
        broken = [result.expectation_config for result in found.results if not result.success]
        self.said.append({(config.meta["rule"], config.kwargs["column"]) for config in broken})
        return found


@pytest.fixture(scope="module", params=["spark", "spark on a cluster"])
def spark(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Spark]:
    sparks.skip_without()
    spill = tmp_path_factory.mktemp("spill")
    with ExitStack() as begun:
        master = begun.enter_context(sparks.cluster(spill / "cluster")) if "cluster" in request.param else "local[2]"
        yield begun.enter_context(sparks.running(spill, master))


@pytest.fixture
def checked(spark: Spark, tmp_path: Path) -> Watched:
    made = Watched(tmp_path / "spark", CLOCK, spark, tmp_path / "staging")
    made.said = []
    return made


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> GreatExpectations:
    return GreatExpectations(tmp_path_factory.mktemp("pandas"), CLOCK)


def faulty(group: int, cohorts: list[Cohort]) -> tuple[Batch, Batch]:
    """A month with the faults of a group that leave the types as they are, and with all of them.

    A fault puts a text into a column of objects; a source would hold texts as texts.
    """
    sound = every = snapshot(cohorts[3])
    for fault in (fault for number, fault in FAULTS.values() if number == group):
        every = replace(every, columns=fault.into(every.columns))
        columns = fault.into(sound.columns)
        if all(isinstance(value, str) for value in columns[fault.column].tolist()):
            columns = {**columns, fault.column: columns[fault.column].astype(np.str_)}
        changed = replace(sound, columns=columns)
        sound = changed if changed.typed(fault.column) else sound
    return sound, every


@pytest.mark.parametrize("group", [1, 2, 3])
def test_a_faulty_month_has_the_same_findings(
    group: int, checked: Watched, here: GreatExpectations, cohorts: list[Cohort], tmp_path: Path
) -> None:
    """What has another type cannot be staged as it came: executors are not asked about it."""
    typed, every = faulty(group, cohorts)

    found, others = checked.check(typed, []), checked.check(every, [])

    assert found == here.check(typed, [])
    assert others == here.check(every, [])
    named = {(finding.rule, finding.column) for finding in found}
    assert named
    assert others
    assert checked.said == [named] * (1 if not all(map(every.typed, every.contract.names)) else 2)
    assert list((tmp_path / "staging").glob("*")) == []


def test_the_faults_that_executors_are_shown_break_every_kind_of_rule(here: GreatExpectations, cohorts: list[Cohort]) -> None:
    rules = {finding.rule for group in (1, 2, 3) for finding in here.check(faulty(group, cohorts)[0], [])}

    assert rules == {"no nulls", "range", "pattern", "month", "allowed codes", "unique key"}


def test_of_a_sound_month_executors_have_the_last_word_and_it_is_on_record(
    checked: Watched, cohorts: list[Cohort], tmp_path: Path
) -> None:
    checked.check(snapshot(cohorts[3]), [])

    assert checked.said == [set()]
    (record,) = (tmp_path / "spark" / "results").rglob("*.json")
    assert "LongType" in record.read_text()
    assert "2005-08" in Path(checked.publish()).read_text()


def test_audit_columns_are_checked_here(checked: Watched, cohorts: list[Cohort], tmp_path: Path) -> None:
    contract = USE_CASE.contract.only(Role.KEY, Role.AUDIT)
    audit = cohorts[0].audit
    broken = np.where(np.arange(len(audit["age"])) == 7, 44, audit["marriage"])
    batch = Batch(USE_CASE.name, AUDIT, AUGUST, contract, {**audit, "marriage": broken}, accounts=audit["account_id"])

    found = checked.check(batch, [])

    assert [(finding.rule, finding.column) for finding in found] == [("allowed codes", "marriage")]
    assert checked.said == []
    assert not (tmp_path / "staging").exists()


def test_what_a_killed_process_left_staged_is_taken_away_and_what_another_is_at_stays(
    checked: Watched, cohorts: list[Cohort], tmp_path: Path
) -> None:
    staging = tmp_path / "staging"
    staging.mkdir()
    for name in ("left", "held"):
        (staging / f"{name}.parquet").write_bytes(b"")
    with (staging / "held.parquet").open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        checked.check(snapshot(cohorts[3]), [])

    assert [path.name for path in staging.iterdir()] == ["held.parquet"]
    assert staging.stat().st_mode & 0o077 == 0


class Losing:
    """A Spark whose executors do not see the file."""

    def __init__(self, spark: Spark) -> None:
        self._spark = spark

    def __getattr__(self, name: str) -> Any:
        return getattr(self._spark, name)

    def rows(self, source: str, names: Any) -> Any:
        frame = self._spark.rows(source, names)
        Path(source).unlink()
        return frame


def test_what_spark_could_not_check_is_not_taken_for_sound(spark: Spark, cohorts: list[Cohort], tmp_path: Path) -> None:
    checked = SparkExpectations(tmp_path / "record", CLOCK, Losing(spark), tmp_path / "staging")  # type: ignore[arg-type]

    with pytest.raises(Unavailable, match=r"Spark could not check snapshots of 2005-08"):
        checked.check(snapshot(cohorts[3]), [])
