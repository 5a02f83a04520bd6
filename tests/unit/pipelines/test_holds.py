"""A person takes over what an input means, and nothing else with it."""

from datetime import UTC, datetime

import pytest

from models.clock import FixedClock
from models.credit_default import USE_CASE
from models.errors import InputRefused, NotFound
from models.governance.ledger import Event, Hold, open_holds
from pipelines.holds import Holds, accept_input
from tests.fakes.ledger import FakeLedger

OCTOBER = datetime(2005, 10, 1, tzinfo=UTC)


class Desk:
    """Open holds about two inputs of September, one of August, the September outcome, and a month that never came."""

    def __init__(self) -> None:
        self.ledger = FakeLedger()
        self.told: list[str] = []
        for month, column, coding in (
            ("2005-09", "status_0", ""),
            ("2005-09", "status_1", ""),
            ("2005-08", "status_0", ""),
            ("2005-09", "outcome_code", "repayment_status"),
            ("2005-06", "", ""),
        ):
            facts = {"month": month, "what": f"about {column or 'a whole month'}", "coding": coding, "column": column}
            self.ledger.append(Event.HOLD_OPENED, model=USE_CASE.name, actor="ingest", at=OCTOBER, facts=facts)

    def accept(self, month: str, column: str = "", by: str = "Ada", reason: str = "the manual says so") -> list[Hold]:
        holds = Holds(USE_CASE, self.ledger, FixedClock(OCTOBER))
        return accept_input(holds, month=month, column=column, by=by, reason=reason, progress=self.told.append)

    def left(self) -> set[tuple[str, str]]:
        return {(hold.month, hold.column) for hold in open_holds(self.ledger.entries())}


EVERYTHING = {
    ("2005-09", "status_0"),
    ("2005-09", "status_1"),
    ("2005-08", "status_0"),
    ("2005-09", "outcome_code"),
    ("2005-06", ""),
}


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_one_column_of_one_month_is_released_and_nothing_else(desk: Desk) -> None:
    released = desk.accept("2005-09", "status_0")

    assert [(hold.month, hold.column) for hold in released] == [("2005-09", "status_0")]
    assert desk.left() == EVERYTHING - {("2005-09", "status_0")}
    assert desk.told == ["2005-09: hold released: about status_0"]


def test_without_a_column_every_input_of_the_month_is_released_but_never_an_outcome(desk: Desk) -> None:
    desk.accept("2005-09")

    assert desk.left() == {("2005-08", "status_0"), ("2005-09", "outcome_code"), ("2005-06", "")}


def test_a_month_that_stays_missing_is_accepted_as_such(desk: Desk) -> None:
    desk.accept("2005-06")

    assert desk.left() == EVERYTHING - {("2005-06", "")}


def test_the_release_is_on_record_with_who_and_why(desk: Desk) -> None:
    desk.accept("2005-09", "status_0", by=" Ada ")

    entry = desk.ledger.entries()[-1]
    assert (entry.event, entry.actor, entry.facts["column"]) == (Event.HOLD_RELEASED, "Ada", "status_0")
    assert entry.facts["reason"] == "the manual says so"


def test_accepting_again_changes_nothing(desk: Desk) -> None:
    desk.accept("2005-09", "status_0")
    entries = len(desk.ledger.entries())

    assert desk.accept("2005-09", "status_0") == []
    assert len(desk.ledger.entries()) == entries


@pytest.mark.parametrize(
    ("month", "column"), [("2005-09", "outcome_code"), ("2005-09", "bill_0"), ("2005-07", ""), ("2005-06", "status_0")]
)
def test_what_was_never_held_cannot_be_accepted(desk: Desk, month: str, column: str) -> None:
    with pytest.raises(NotFound, match=f"no hold about .*{month}"):
        desk.accept(month, column)
    assert desk.left() == EVERYTHING


@pytest.mark.parametrize(("by", "reason"), [("", "because"), ("Ada", " \t")])
def test_nobody_and_no_reason_are_refused(desk: Desk, by: str, reason: str) -> None:
    with pytest.raises(InputRefused, match="a person answers for this"):
        desk.accept("2005-09", "status_0", by, reason)
    assert desk.left() == EVERYTHING


def test_a_hold_says_what_releases_it(desk: Desk) -> None:
    commands = {(hold.month, hold.column): hold.command for hold in open_holds(desk.ledger.entries())}

    assert commands["2005-09", "status_0"].startswith("make accept-input MONTH=2005-09 COLUMN=status_0 BY=")
    assert commands["2005-06", ""].startswith("make accept-input MONTH=2005-06 BY=")
    assert commands["2005-09", "outcome_code"].startswith("make accept-definition VERSION=")
