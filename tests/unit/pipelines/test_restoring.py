"""What somebody deleted from the lake comes back as it was recorded, or is named."""

from dataclasses import replace

import numpy as np
import pytest

from models.governance.pseudonyms import Keyring
from models.lake import OUTCOMES, SNAPSHOTS, PartitionVersion
from tests.fakes.source import JULY, JUNE, MAY, with_value
from tests.intake import Bank
from tests.rings import ACCOUNTS


@pytest.fixture
def bank() -> Bank:
    """Three months are in the lake, and a model was made of all that had matured."""
    found = Bank()
    found.ingest(JULY.last_day)
    months = (MAY, JUNE)
    parts = [part for table in (SNAPSHOTS, OUTCOMES) for part in found.lake.versions(table) if part.month in months]
    found.recorded = [replace(part, facts={}) for part in parts]  # a lineage does not say the facts
    return found


def of(bank: Bank, table: str, *versions: int) -> list[PartitionVersion]:
    return [part for part in bank.lake.history(table, JUNE) if part.version in (versions or (1,))]


@pytest.mark.parametrize("table", [SNAPSHOTS, OUTCOMES])
def test_a_deleted_version_that_the_source_still_delivers_comes_back_with_its_number_facts_and_instant(
    bank: Bank, table: str
) -> None:
    (part,) = of(bank, table)
    before = bank.lake.read([part])
    bank.lake.lose(part)

    report = bank.ingest(JULY.last_day)

    assert (report.restored, report.lost, report.written) == ((part,), (), ())
    assert of(bank, table) == [part]
    for name, values in bank.lake.read([part]).items():
        np.testing.assert_array_equal(values, before[name])


def test_an_old_version_that_a_newer_one_superseded_comes_back_too(bank: Bank) -> None:
    (old,) = of(bank, OUTCOMES)
    bank.accept(2)
    newer = bank.lake.history(OUTCOMES, JUNE)[-1]
    assert newer.version == 2
    bank.lake.lose(old)

    report = bank.ingest(JULY.last_day)

    assert report.restored == (old,)
    assert bank.lake.history(OUTCOMES, JUNE) == [old, newer]


def test_of_two_versions_that_differ_in_the_definition_alone_the_lost_one_comes_back_under_its_own(bank: Bank) -> None:
    (old,) = of(bank, OUTCOMES)
    bank.accept(2)
    newer = bank.lake.history(OUTCOMES, JUNE)[-1]
    assert newer.digest == old.digest, "nobody had code 1 in June"
    bank.recorded.append(replace(newer, facts={}))
    bank.lake.lose(newer)

    assert bank.ingest(JULY.last_day).restored == (newer,)


def test_a_version_stored_under_older_keys_comes_back_under_them(bank: Bank) -> None:
    (part,) = of(bank, SNAPSHOTS)
    bank.lake.lose(part)
    bank.accounts = Keyring((*ACCOUNTS.keys, b"n" * 32), ACCOUNTS.split)

    assert bank.ingest(JULY.last_day).restored == (part,)


def test_what_the_source_gives_otherwise_now_is_named_and_its_number_not_given_away(bank: Bank) -> None:
    (part,) = of(bank, SNAPSHOTS)
    bank.lake.lose(part)
    bank.source.changes[JUNE] = with_value("bill_0", 3, 17.0)
    said: list[str] = []

    report = bank.ingest(JULY.last_day, said.append)

    assert report.lost == (replace(part, facts={}),)
    assert any("v0001.parquet" in line and "backup" in line for line in said)
    assert [found.version for found in bank.lake.history(SNAPSHOTS, JUNE)] == [2]


def test_a_month_that_the_source_no_longer_has_is_lost(bank: Bank) -> None:
    (part,) = of(bank, SNAPSHOTS)
    bank.lake.lose(part)
    bank.source.lost = {JUNE}

    assert bank.ingest(JULY.last_day).lost == (replace(part, facts={}),)


def test_a_whole_lake_has_nothing_to_put_back(bank: Bank) -> None:
    report = bank.ingest(JULY.last_day)
    assert (report.restored, report.lost) == ((), ())
