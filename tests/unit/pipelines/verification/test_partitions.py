"""What `make verify` says of a lake."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from models.clock import Month
from models.lake import SNAPSHOTS, PartitionVersion
from pipelines.verification.partitions import check_partitions
from tests.fakes.lake import InMemoryLake

JULY = Month(2005, 7)
NOON = datetime(2005, 9, 1, 12, tzinfo=UTC)


def rows(bill: float) -> dict[str, np.ndarray]:
    return {"account_id": np.array(["A1"]), "bill": np.array([bill])}


@pytest.fixture
def lake() -> InMemoryLake:
    return InMemoryLake()


@pytest.fixture
def part(lake: InMemoryLake) -> PartitionVersion:
    return lake.write(SNAPSHOTS, JULY, rows(1.0), recorded_at=NOON)


def test_an_untouched_lake_holds(lake: InMemoryLake, part: PartitionVersion) -> None:
    assert list(check_partitions(lake, [replace(part, facts={})])) == []


def test_a_changed_partition_is_named_once_though_a_model_was_made_of_it(lake: InMemoryLake, part: PartitionVersion) -> None:
    lake.damage(part, rows(2.0))
    (found,) = check_partitions(lake, [part])
    assert found.where.endswith("month=2005-07/v0001.parquet")


def test_a_changed_partition_that_no_model_was_made_of_is_named_too(lake: InMemoryLake, part: PartitionVersion) -> None:
    lake.damage(part, rows(2.0))
    assert len(list(check_partitions(lake))) == 1


def test_a_deleted_partition_is_named_with_what_to_do(lake: InMemoryLake, part: PartitionVersion) -> None:
    lake.lose(part)
    (found,) = check_partitions(lake, [part])
    assert found.where.endswith("v0001.parquet")
    assert f"gone. It held digest {part.digest[:12]}" in found.problem
    assert "make ingest" in found.hint


def test_other_rows_under_a_recorded_number_are_named_unless_the_recorded_ones_stand_elsewhere(
    lake: InMemoryLake, part: PartitionVersion
) -> None:
    lake.lose(part)
    lake.write(SNAPSHOTS, JULY, rows(2.0), recorded_at=NOON)
    (found,) = check_partitions(lake, [part])
    assert "other content" in found.problem

    lake.write(SNAPSHOTS, JULY, rows(1.0), recorded_at=NOON)
    assert list(check_partitions(lake, [part])) == []
