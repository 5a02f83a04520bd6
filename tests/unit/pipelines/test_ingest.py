"""Months arrive: what enters the lake, in which versions."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.credit_default import USE_CASE
from models.lake import AUDIT, OUTCOMES, SNAPSHOTS
from models.usecase import Cohort
from pipelines.arrivals import hidden
from pipelines.batches import Stored, in_key_order
from tests.fakes.source import JULY, JUNE, MAY, with_value
from tests.intake import Bank
from tests.rings import ACCOUNTS


@pytest.fixture
def bank() -> Bank:
    return Bank()


def test_the_lake_has_key_time_and_inputs_and_the_restricted_lake_the_audit_columns(bank: Bank) -> None:
    bank.ingest(JUNE.last_day)

    snapshots = bank.lake.read(bank.lake.versions(SNAPSHOTS))
    audit = bank.restricted.read(bank.restricted.versions(AUDIT))
    assert set(snapshots) == {"account_id", "snapshot_month", *USE_CASE.contract.inputs}
    assert set(audit) == {"account_id", "sex", "education", "marriage", "age"}
    assert bank.lake.versions(AUDIT) == []
    assert [part.table for part in bank.restricted.versions(SNAPSHOTS) + bank.restricted.versions(OUTCOMES)] == []


def test_an_outcome_enters_on_the_day_it_matures_and_not_before(bank: Bank) -> None:
    bank.ingest(date(2005, 7, 30))
    assert bank.months(SNAPSHOTS) == [MAY, JUNE]
    assert bank.months(OUTCOMES) == [MAY]

    bank.ingest(date(2005, 7, 31))
    assert bank.months(SNAPSHOTS) == [MAY, JUNE, JULY]
    assert bank.months(OUTCOMES) == [MAY, JUNE]


def test_an_outcome_says_when_it_matured_and_how_it_was_read(bank: Bank) -> None:
    bank.ingest(JULY.last_day)

    june = bank.lake.versions(OUTCOMES)[-1]
    columns = bank.lake.read([june])
    assert june.facts == {"matured_at": "2005-07-31", "definition_version": "1", "coding": "repayment_status"}
    assert set(columns) == {"account_id", "outcome_code", "bad"}
    np.testing.assert_array_equal(columns["bad"], columns["outcome_code"] >= 1)


def test_an_outcome_that_the_source_gives_away_too_early_is_left_out(bank: Bank) -> None:
    early = bank.source.cohort(JUNE, date(2005, 12, 31)).outcome_codes
    bank.source.changes[JUNE] = lambda cohort: replace(cohort, outcome_codes=early)

    bank.ingest(JUNE.last_day)

    assert bank.months(OUTCOMES) == [MAY]


def test_a_second_run_writes_and_checks_nothing(bank: Bank) -> None:
    first = bank.ingest(JULY.last_day)
    checks = len(bank.expectations.checked)

    second = bank.ingest(JULY.last_day)

    assert len(first.written) == 3 + 3 + 2
    assert (second.written, second.unchanged, second.docs) == ((), 8, "")
    assert len(bank.expectations.checked) == checks


def test_a_later_run_adds_only_what_is_new(bank: Bank) -> None:
    bank.ingest(JUNE.last_day)

    report = bank.ingest(JULY.last_day)

    assert [(part.table, part.month) for part in report.written] == [(OUTCOMES, JUNE), (SNAPSHOTS, JULY), (AUDIT, JULY)]


def test_a_late_restatement_adds_a_version_and_what_was_known_stays(bank: Bank) -> None:
    bank.ingest(JUNE.last_day)
    then = bank.clock.now()
    bank.source.changes[MAY] = with_value("bill_0", 0, 123.0)

    report = bank.ingest(JULY.last_day)

    restated = bank.lake.versions(SNAPSHOTS)[0]
    assert (restated.month, restated.version) == (MAY, 2)
    assert restated in report.written
    assert bank.lake.read([restated], ["bill_0"])["bill_0"][0] == 123.0
    known_then = bank.lake.versions(SNAPSHOTS, known_at=then)[0]
    assert bank.lake.read([known_then], ["bill_0"])["bill_0"][0] != 123.0


def test_a_restated_outcome_adds_a_version(bank: Bank) -> None:
    def one_more_bad(cohort: Cohort) -> Cohort:
        codes = cohort.outcome_codes
        return cohort if codes is None else replace(cohort, outcome_codes=np.where(np.arange(len(codes)) == 0, 8, codes))

    bank.ingest(JULY.last_day)
    bank.source.changes[MAY] = one_more_bad
    bank.ingest(JULY.last_day)

    assert [part.version for part in bank.lake.versions(OUTCOMES)] == [2, 1]
    assert bank.lake.read(bank.lake.versions(OUTCOMES)[:1])["outcome_code"][0] == 8


def test_audit_columns_that_did_not_change_are_not_checked_every_month(bank: Bank) -> None:
    bank.ingest(JULY.last_day)

    assert [batch.month for batch in bank.expectations.checked if batch.table == AUDIT] == [MAY]
    assert [part.month for part in bank.restricted.versions(AUDIT)] == [MAY, JUNE, JULY]


def test_audit_columns_delivered_in_another_order_are_the_same(bank: Bank) -> None:
    bank.ingest(MAY.last_day)
    before = bank.restricted.versions(AUDIT)
    bank.source.changes[MAY] = lambda cohort: replace(cohort, audit={n: v[::-1] for n, v in cohort.audit.items()})

    bank.ingest(MAY.last_day)

    assert bank.restricted.history(AUDIT, MAY) == before


def test_accounts_that_stand_in_both_tables_are_hidden_once_and_to_the_same_end_in_another_order(bank: Bank) -> None:
    cohort = bank.source.cohort(MAY, MAY.last_day)
    turned = replace(cohort, audit={name: values[::-1] for name, values in cohort.audit.items()})

    alike, other = (hidden(each, USE_CASE.contract, ACCOUNTS) for each in (cohort, turned))

    assert alike.audit["account_id"] is alike.columns["account_id"]
    np.testing.assert_array_equal(other.audit["account_id"][::-1], alike.columns["account_id"])


def test_of_the_months_before_only_what_is_asked_for_is_read(bank: Bank) -> None:
    bank.ingest(MAY.last_day)
    (part,) = bank.lake.versions(SNAPSHOTS)

    stored = Stored(bank.lake, part, ("account_id", "bill_0"))

    assert list(stored) == ["account_id", "bill_0"]
    np.testing.assert_array_equal(stored["bill_0"], bank.lake.read([part], ["bill_0"])["bill_0"])
    with pytest.raises(KeyError):
        stored["status_0"]


@given(
    st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=3), min_size=1, max_size=12)
)
def test_rows_are_sorted_by_their_keys_and_equal_ones_keep_their_order(keys: list[str]) -> None:
    order = sorted(range(len(keys)), key=keys.__getitem__)

    for held in (np.array(keys), np.array(keys, dtype=object)):
        found = in_key_order({"key": held, "row": np.arange(len(keys))}, "key")
        assert found["row"].tolist() == order


def test_progress_is_told_month_by_month(bank: Bank) -> None:
    told: list[str] = []

    bank.ingest(MAY.last_day, told.append)

    assert told == ["2005-05: snapshots 3,000 rows, version 1", "2005-05: audit 3,000 rows, version 1"]
