"""A person accepts what "bad" means."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from models.clock import FixedClock, Month
from models.credit_default import USE_CASE
from models.errors import InputRefused, NotFound
from models.governance.ledger import Event, accepted_definition, open_holds
from models.lake import OUTCOMES
from pipelines.definitions import Acceptance, accept_definition
from tests.fakes.lake import InMemoryLake
from tests.fakes.ledger import FakeLedger

OCTOBER = datetime(2005, 10, 1, tzinfo=UTC)
CODES = np.array([0, 1, 2, -1])


class Desk:
    """Two months of outcomes as coded, a month by the published label, and open holds."""

    def __init__(self) -> None:
        self.lake, self.ledger, self.clock = InMemoryLake(), FakeLedger(), FixedClock(OCTOBER)
        self.told: list[str] = []
        for number in (7, 8):
            self._outcome(Month(2005, number), "repayment_status", 1, CODES >= 1)
        self._outcome(Month(2005, 9), "published_label", 3, CODES == 1)
        self.hold("2005-09", "status_0", "")
        self.hold("2005-09", "outcome_code", "repayment_status")
        self.hold("2005-10", "outcome_code", "published_label")

    def _outcome(self, month: Month, coding: str, version: int, bad: np.ndarray) -> None:
        facts = {"matured_at": str(month.plus(1).last_day), "coding": coding, "definition_version": str(version)}
        columns = {"account_id": np.array(["A1", "A2", "A3", "A4"]), "outcome_code": CODES, "bad": bad}
        self.lake.write(OUTCOMES, month, columns, recorded_at=OCTOBER - timedelta(days=1), facts=facts)

    def hold(self, month: str, what: str, coding: str) -> None:
        facts = {"month": month, "what": what, "evidence": "", "coding": coding, "column": what}
        self.ledger.append(Event.HOLD_OPENED, model=USE_CASE.name, actor="ingest", at=OCTOBER, facts=facts)

    def accept(self, version: int, by: str = "Ada Analyst", reason: str = "code 1 came into use") -> Acceptance:
        return accept_definition(
            USE_CASE, self.lake, self.ledger, self.clock, version=version, by=by, reason=reason, progress=self.told.append
        )

    def holds(self) -> list[tuple[str, str]]:
        return [(hold.month, hold.what) for hold in open_holds(self.ledger.entries())]


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_the_acceptance_is_on_record_with_who_and_why(desk: Desk) -> None:
    desk.accept(2)

    (entry,) = [entry for entry in desk.ledger.entries() if entry.event is Event.DEFINITION_ACCEPTED]
    assert (entry.actor, entry.facts["version"], entry.facts["codings"]) == ("Ada Analyst", 2, ["repayment_status"])
    assert entry.facts["reason"] == "code 1 came into use"
    assert accepted_definition(desk.ledger.entries(), USE_CASE.as_coded, "repayment_status") == 2
    assert accepted_definition(desk.ledger.entries(), USE_CASE.as_coded, "published_label") == 3


def test_outcomes_that_it_can_read_are_restated_and_others_left_alone(desk: Desk) -> None:
    acceptance = desk.accept(2)

    july, august, september = desk.lake.versions(OUTCOMES)
    assert acceptance.restated == (july, august)
    assert [part.version for part in (july, august, september)] == [2, 2, 1]
    assert july.facts == {"matured_at": "2005-08-31", "coding": "repayment_status", "definition_version": "2"}
    np.testing.assert_array_equal(desk.lake.read([july])["bad"], CODES >= 2)
    np.testing.assert_array_equal(desk.lake.read([july])["outcome_code"], CODES)


def test_as_known_then_still_gives_what_was_known(desk: Desk) -> None:
    desk.accept(2)

    july = desk.lake.versions(OUTCOMES, known_at=OCTOBER - timedelta(days=1))[0]
    np.testing.assert_array_equal(desk.lake.read([july])["bad"], CODES >= 1)


def test_it_releases_the_holds_that_it_covers_and_no_other(desk: Desk) -> None:
    acceptance = desk.accept(2)

    assert [(hold.month, hold.what) for hold in acceptance.released] == [("2005-09", "outcome_code")]
    assert desk.holds() == [("2005-09", "status_0"), ("2005-10", "outcome_code")]

    desk.accept(3)
    assert desk.holds() == [("2005-09", "status_0")]


def test_accepting_the_version_in_force_releases_the_hold_and_restates_nothing(desk: Desk) -> None:
    acceptance = desk.accept(1)

    assert len(acceptance.released) == 1
    assert acceptance.restated == ()
    assert [part.version for part in desk.lake.versions(OUTCOMES)] == [1, 1, 1]


def test_accepting_twice_changes_nothing_the_second_time(desk: Desk) -> None:
    desk.accept(2)
    entries = len(desk.ledger.entries())

    again = desk.accept(2)

    assert again == Acceptance(2, (), ())
    assert len(desk.ledger.entries()) == entries


def test_an_acceptance_that_died_before_the_restatement_is_completed_by_accepting_again(desk: Desk) -> None:
    facts = {"version": 2, "codings": ["repayment_status"], "reason": "", "rule": ""}
    desk.ledger.append(Event.DEFINITION_ACCEPTED, model=USE_CASE.name, actor="Ada", at=OCTOBER, facts=facts)

    acceptance = desk.accept(2)

    assert len(acceptance.released) == 1
    assert [part.month for part in acceptance.restated] == [Month(2005, 7), Month(2005, 8)]


@pytest.mark.parametrize(("by", "reason"), [("", "because"), ("  ", "because"), ("Ada", ""), ("Ada", "\t")])
def test_nobody_and_no_reason_are_refused(desk: Desk, by: str, reason: str) -> None:
    before = desk.ledger.entries()

    with pytest.raises(InputRefused, match="a person answers for this"):
        desk.accept(2, by, reason)
    assert desk.ledger.entries() == before


def test_an_unknown_version_is_refused_and_the_known_ones_named(desk: Desk) -> None:
    with pytest.raises(NotFound, match="no outcome definition 9") as refused:
        desk.accept(9)
    assert "2: behind: repayment status 2 or more" in refused.value.hint


def test_progress_names_every_month(desk: Desk) -> None:
    desk.accept(2)

    assert desk.told[0].startswith("definition 2 accepted by Ada Analyst")
    assert "2005-08: outcomes restated, 25.0% bad" in desk.told
