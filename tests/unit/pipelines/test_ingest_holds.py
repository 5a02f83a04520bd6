"""Months arrive whose codes mean something else: they enter, and a person is asked."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import Any

import numpy as np
import pytest

from models.clock import Month
from models.contract import Columns
from models.credit_default import USE_CASE
from models.errors import Unavailable
from models.governance.ledger import Event, open_holds
from models.lake import AUDIT, OUTCOMES, SNAPSHOTS, PartitionVersion
from models.usecase import Cohort
from tests.fakes.lake import InMemoryLake
from tests.fakes.source import AUGUST, JUNE, SEPTEMBER
from tests.intake import Bank


@pytest.fixture
def bank() -> Bank:
    return Bank()


def test_no_hold_is_opened_before_september_2005(bank: Bank) -> None:
    assert bank.ingest(date(2005, 9, 29)).holds == ()
    assert bank.events() == []


def test_september_2005_is_admitted_and_held(bank: Bank) -> None:
    report = bank.ingest(SEPTEMBER.last_day)

    assert bank.months(SNAPSHOTS)[-1] == SEPTEMBER
    assert bank.months(OUTCOMES)[-1] == AUGUST
    assert [(hold.month, hold.what, hold.coding) for hold in report.holds] == [
        ("2005-09", "the coding of outcome_code seems to have changed", "repayment_status"),
        ("2005-09", "the coding of status_0 seems to have changed", ""),
    ]
    assert open_holds(bank.ledger.entries("credit_default")) == list(report.holds)
    of_outcome, of_input = (entry.facts["evidence"] for entry in bank.ledger.entries())
    assert "code 1: 0." in of_input
    assert "bad rate" in of_outcome


def test_the_label_of_october_2005_opens_a_hold_for_its_coding_alone(bank: Bank) -> None:
    bank.ingest(SEPTEMBER.last_day)

    report = bank.ingest(date(2005, 10, 31))

    assert [(hold.month, hold.coding) for hold in report.holds] == [("2005-10", "published_label")]
    assert bank.ledger.entries()[-1].facts["evidence"] == (
        "the outcome's coding changed from repayment_status to published_label"
    )
    assert bank.lake.versions(OUTCOMES)[-1].facts["definition_version"] == "3"


def test_a_hold_is_not_opened_twice_nor_after_its_release(bank: Bank) -> None:
    bank.ingest(SEPTEMBER.last_day)
    bank.ingest(SEPTEMBER.last_day)
    assert bank.events() == [Event.HOLD_OPENED] * 2

    bank.accept(2)
    bank.accept_input("2005-09", "status_0")
    assert bank.ingest(SEPTEMBER.last_day).holds == ()
    assert bank.holds() == []


def test_new_outcomes_are_read_by_the_definition_that_a_person_accepted(bank: Bank) -> None:
    bank.ingest(AUGUST.last_day)
    bank.accept(2)

    bank.ingest(SEPTEMBER.last_day)

    august = bank.lake.versions(OUTCOMES)[-1]
    columns = bank.lake.read([august])
    assert august.facts["definition_version"] == "2"
    np.testing.assert_array_equal(columns["bad"], columns["outcome_code"] >= 2)


class DiesBeforeWriting(InMemoryLake):
    """A lake whose machine goes away just before a month is written."""

    def __init__(self, month: Month) -> None:
        super().__init__()
        self.month: Month | None = month

    def write(
        self,
        table: str,
        month: Month,
        columns: Columns,
        *,
        recorded_at: datetime,
        facts: Mapping[str, str] | None = None,
        after: int = 0,
    ) -> PartitionVersion:
        if (table, month) == (SNAPSHOTS, self.month):
            raise Unavailable("the machine went away")
        return super().write(table, month, columns, recorded_at=recorded_at, facts=facts, after=after)


def test_a_run_that_died_between_hold_and_lake_is_completed_by_the_next() -> None:
    lake = DiesBeforeWriting(SEPTEMBER)
    bank = Bank(lake=lake)
    with pytest.raises(Unavailable):
        bank.ingest(SEPTEMBER.last_day)
    assert bank.events() == [Event.HOLD_OPENED] * 2
    assert SEPTEMBER not in bank.months(SNAPSHOTS)

    lake.month = None
    report = bank.ingest(SEPTEMBER.last_day)

    assert [(part.table, part.month) for part in report.written] == [(SNAPSHOTS, SEPTEMBER), (AUDIT, SEPTEMBER)]
    assert bank.events() == [Event.HOLD_OPENED] * 2


def test_an_acceptance_that_died_half_way_is_completed_by_the_next_ingest(bank: Bank) -> None:
    bank.ingest(AUGUST.last_day)
    checks = len(bank.expectations.checked)
    facts: dict[str, Any] = {"version": 2, "codings": ["repayment_status"], "reason": "agreed", "rule": ""}
    bank.ledger.append(Event.DEFINITION_ACCEPTED, model=USE_CASE.name, actor="Ada", at=bank.clock.now(), facts=facts)

    bank.ingest(AUGUST.last_day)

    assert {part.facts["definition_version"] for part in bank.lake.versions(OUTCOMES)} == {"2"}
    assert len(bank.expectations.checked) == checks, "the codes are known; only their reading is new"


def test_restated_outcomes_enter_and_hold_retraining_until_a_person_has_looked(bank: Bank) -> None:
    bank.ingest(AUGUST.last_day)

    def corrected(cohort: Cohort) -> Cohort:
        assert cohort.outcome_codes is not None
        codes = cohort.outcome_codes.copy()
        codes[:60] = np.where(codes[:60] == 0, 2, 0)  # of 3,000
        return replace(cohort, outcome_codes=codes)

    bank.source.changes[JUNE] = corrected
    report = bank.ingest(date(2005, 9, 15))

    assert [(hold.month, hold.what) for hold in report.holds] == [("2005-06", "the outcomes were restated")]
    assert "2.0% of the outcomes of 2005-06" in bank.ledger.entries()[-1].facts["evidence"]
    assert [part.version for part in bank.lake.history(OUTCOMES, JUNE)] == [1, 2]
    bank.accept_input("2005-06", "")
    assert open_holds(bank.ledger.entries("credit_default")) == []
    assert bank.ingest(date(2005, 9, 16)).holds == (), "it is not opened again"
