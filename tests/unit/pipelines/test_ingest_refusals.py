"""Months arrive that must not enter: what is refused, and what stays as it was."""

from dataclasses import replace
from datetime import date

import pytest

from models.credit_default import USE_CASE
from models.errors import BatchRejected, InputRefused
from models.lake import AUDIT, SNAPSHOTS
from pipelines.batches import Batch, Finding, Ruling
from pipelines.ingest import ingest
from tests.fakes.expectations import FakeExpectations
from tests.fakes.source import AUGUST, JULY, JUNE, MAY
from tests.intake import Bank, quiet


@pytest.fixture
def bank() -> Bank:
    return Bank()


def test_a_bad_batch_goes_to_quarantine_and_stops_everything_after_it(bank: Bank) -> None:
    bank.ingest(JUNE.last_day)
    good = bank.lake.versions(SNAPSHOTS)
    bank.source.changes[JULY] = lambda cohort: replace(cohort, columns={n: v[:150] for n, v in cohort.columns.items()})

    with pytest.raises(BatchRejected) as refused:
        bank.ingest(AUGUST.last_day)

    assert refused.value.problem == ("snapshots of 2005-07 went to quarantine: row count: 150 rows, usually 3,000")
    assert "quarantine/snapshots/2005-07/verdict.md" in refused.value.hint
    ((batch, verdict),) = bank.quarantine.kept
    assert (batch.month, batch.rows, verdict.ruling) == (JULY, 150, Ruling.QUARANTINE)
    assert bank.lake.versions(SNAPSHOTS) == good
    assert bank.restricted.versions(AUDIT)[-1].month == JUNE


def test_a_corrected_batch_enters_after_quarantine(bank: Bank) -> None:
    bank.source.changes[MAY] = lambda cohort: replace(cohort, columns={**cohort.columns, "sex": cohort.audit["sex"]})
    with pytest.raises(BatchRejected, match="unknown column of sex"):
        bank.ingest(MAY.last_day)

    del bank.source.changes[MAY]
    bank.ingest(MAY.last_day)

    assert bank.months(SNAPSHOTS) == [MAY]


def test_a_restatement_that_is_bad_leaves_the_good_version(bank: Bank) -> None:
    bank.ingest(JUNE.last_day)
    bank.source.changes[JUNE] = lambda cohort: replace(cohort, columns={n: v[:9] for n, v in cohort.columns.items()})

    with pytest.raises(BatchRejected):
        bank.ingest(JUNE.last_day)

    assert [part.version for part in bank.lake.history(SNAPSHOTS, JUNE)] == [1]


def test_what_the_expectations_refuse_is_refused_and_the_error_counts_what_else_is_wrong() -> None:
    def nulls(batch: Batch) -> list[Finding]:
        found = Finding("no nulls", "bill_0", "2 of 3,000 rows", "no nulls", Ruling.QUARANTINE)
        return [found, replace(found, column="bill_1")] if batch.month == JUNE and batch.table == SNAPSHOTS else []

    bank = Bank(expectations=FakeExpectations(nulls))

    with pytest.raises(BatchRejected, match=r"no nulls of bill_0: 2 of 3,000 rows, and 1 more"):
        bank.ingest(JUNE.last_day)
    assert bank.months(SNAPSHOTS) == [MAY]


def test_audit_rows_of_other_accounts_are_refused(bank: Bank) -> None:
    bank.source.changes[MAY] = lambda cohort: replace(cohort, audit={n: v[1:] for n, v in cohort.audit.items()})

    with pytest.raises(BatchRejected, match="same accounts of account_id"):
        bank.ingest(MAY.last_day)
    assert bank.restricted.versions(AUDIT) == []


def test_the_future_cannot_be_ingested(bank: Bank) -> None:
    with pytest.raises(InputRefused, match="has not come yet"):
        ingest(USE_CASE, bank.source, bank.intake(), as_of=date(2005, 5, 2), progress=quiet)


def test_a_day_before_everything_that_is_known_is_refused_and_says_from_when_on(bank: Bank) -> None:
    with pytest.raises(InputRefused, match=r"1890-01-31 lies before everything that is known: the first month of .* is 2005-05"):
        bank.ingest(date(1890, 1, 31))
    assert bank.ingest(date(2005, 5, 30)).written == (), "the first month is not over yet"


def test_a_month_that_the_source_has_forgotten_and_the_lake_has_is_known(bank: Bank) -> None:
    bank.ingest(MAY.last_day)
    bank.source.lost = {MAY}
    bank.ingest(MAY.last_day)
