"""Months that do not come: retraining is held until they do, or until a person goes on without them."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from models.credit_default import USE_CASE
from models.errors import Held
from models.governance.ledger import Event
from models.lake import OUTCOMES, SNAPSHOTS
from models.splits import Plan
from pipelines.batches import Batch, Measure, Ruling
from pipelines.ingest import ingest
from pipelines.knowledge import Knowledge
from tests.fakes.source import AUGUST, JULY, JUNE, MAY
from tests.intake import Bank, quiet

NO_SNAPSHOTS, NO_OUTCOMES = "the snapshots have not come", "the outcomes have not come"


@pytest.fixture
def bank() -> Bank:
    return Bank()


def test_a_lost_month_is_named_and_held_and_the_months_after_it_enter(bank: Bank) -> None:
    bank.source.lost = {JULY}

    report = bank.ingest(AUGUST.last_day)

    assert [(hold.month, hold.what) for hold in report.holds] == [("2005-07", NO_SNAPSHOTS)]
    assert bank.ledger.entries()[0].facts["evidence"] == "the snapshots of cohort 2005-07 were due at the end of 2005-07-31"
    assert bank.months(SNAPSHOTS) == [MAY, JUNE, AUGUST]


def test_the_newest_month_that_did_not_come_is_held_on_the_day_it_was_due(bank: Bank) -> None:
    bank.source.lost = {AUGUST}

    assert bank.ingest(date(2005, 8, 30)).holds == ()
    bank.ingest(AUGUST.last_day)

    assert bank.holds() == [("2005-08", NO_SNAPSHOTS)]


def test_the_validation_of_the_month_after_a_gap_shows_the_gap() -> None:
    bank = Bank()
    bank.source.lost = {JUNE, JULY}

    bank.ingest(AUGUST.last_day)

    shown = {(batch.table, batch.month): measure for batch, measure in gaps(bank)}
    of_august = shown[SNAPSHOTS, AUGUST]
    assert (of_august.value, of_august.ruling, of_august.broken) == (2, Ruling.HOLD, True)
    assert of_august.evidence == "2005-06, 2005-07 missing before it"


def gaps(bank: Bank) -> list[tuple[Batch, Measure]]:
    return [(batch, one) for batch, measures in bank.expectations.recorded for one in measures if one.rule == "gap"]


def test_a_month_that_comes_late_enters_and_releases_its_own_hold(bank: Bank) -> None:
    bank.source.lost = {JULY}
    bank.ingest(JULY.last_day)
    assert bank.holds() == [("2005-07", NO_SNAPSHOTS)]

    bank.source.lost.clear()
    bank.ingest(AUGUST.last_day)

    assert bank.holds() == []
    assert bank.months(SNAPSHOTS) == [MAY, JUNE, JULY, AUGUST]
    released = bank.ledger.entries()[-1]
    assert (released.event, released.actor, released.facts["reason"]) == (Event.HOLD_RELEASED, "ingest", "they have come")


def test_outcomes_that_are_due_and_did_not_come_are_held_and_released_when_they_come(bank: Bank) -> None:
    bank.source.changes[JUNE] = lambda cohort: replace(cohort, outcome_codes=None)

    assert bank.ingest(date(2005, 7, 30)).holds == ()
    bank.ingest(JULY.last_day)
    assert bank.holds() == [("2005-07", NO_OUTCOMES)]

    del bank.source.changes[JUNE]
    bank.ingest(JULY.last_day)
    assert bank.holds() == []
    assert bank.months(OUTCOMES) == [MAY, JUNE]


def test_outcomes_are_due_when_their_last_day_is_over_and_not_at_noon(bank: Bank) -> None:
    bank.source.changes[JUNE] = lambda cohort: replace(cohort, outcome_codes=None)
    bank.ingest(date(2005, 7, 30))
    bank.source.lost = {JULY}

    bank.clock.set(datetime(2005, 7, 31, 12, tzinfo=UTC))
    report = ingest(USE_CASE, bank.source, bank.intake(), as_of=JULY.last_day, progress=quiet)

    assert report.holds == ()


def test_nothing_is_trained_while_a_month_is_missing_until_a_person_goes_on_without_it(bank: Bank) -> None:
    bank.source.lost = {JULY}
    bank.ingest(AUGUST.last_day)

    def cohorts(as_of: date) -> Plan:
        return Knowledge(USE_CASE, bank.lake, bank.ledger, as_of, bank.clock.now()).cohorts().plan

    with pytest.raises(Held, match=r"the snapshots have not come \(2005-07\)") as held:
        cohorts(AUGUST.last_day)
    assert "make accept-input MONTH=2005-07" in held.value.hint

    bank.accept_input("2005-07")
    assert cohorts(AUGUST.last_day) == Plan((MAY,), JUNE)


def test_outcomes_that_the_lake_has_are_not_missed_when_the_source_no_longer_gives_them(bank: Bank) -> None:
    bank.ingest(JULY.last_day)
    bank.source.changes[JUNE] = lambda cohort: replace(cohort, outcome_codes=None)

    assert bank.ingest(JULY.last_day).holds == ()


def test_the_outcomes_of_a_lost_month_are_not_missed_a_second_time(bank: Bank) -> None:
    bank.source.lost = {JUNE}

    bank.ingest(JULY.last_day)

    assert bank.holds() == [("2005-06", NO_SNAPSHOTS)]


def test_a_missing_month_is_held_once_and_a_person_may_go_on_without_it(bank: Bank) -> None:
    bank.source.lost = {JULY}
    bank.ingest(JULY.last_day)
    bank.ingest(JULY.last_day)
    assert bank.events() == [Event.HOLD_OPENED]

    bank.accept_input("2005-07")

    assert bank.ingest(AUGUST.last_day).holds == ()
    assert bank.holds() == []


def test_a_definition_says_nothing_about_a_month_that_never_came(bank: Bank) -> None:
    bank.source.lost = {JULY}
    bank.ingest(JULY.last_day)

    bank.accept(2)

    assert bank.holds() == [("2005-07", NO_SNAPSHOTS)]
