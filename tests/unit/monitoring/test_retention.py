"""What is deleted when it was kept long enough, on the injected clock."""

from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta

import pytest

from models.clock import FixedClock, Month, end_of_day
from models.errors import NotFound, Unavailable
from models.governance.explanation.reasons import Reason
from models.governance.ledger import Event, verify_chain
from models.lake import PartitionVersion
from monitoring.decisions import Answered, LoggedDecision, Review
from monitoring.retention import Archive, Retained, retain
from monitoring.sealing import DECISIONS, find_sealed, seal_all
from tests.fakes.decisions import InMemoryDecisionLog
from tests.fakes.lake import InMemoryLake
from tests.fakes.ledger import FakeLedger

MODEL, JULY = "credit_default", Month(2005, 7)
ANSWERED = datetime(2005, 8, 15, 12, tzinfo=UTC)
LAST_DAY = date(2007, 9, 15)
REASON = Reason("status", "Delinquent", "group", 0.5, True)


def decision(identity: str, at: datetime = ANSWERED, month: Month = JULY, model: str = MODEL) -> LoggedDecision:
    inputs = {"bill_0": 10.5, "status_0": 2}
    return LoggedDecision(identity, model, 1, "b" * 64, "p1_00", month, inputs, 0.7, "reduce", at, "r", "", (REASON,))


@dataclass
class Home:
    log: InMemoryDecisionLog = field(default_factory=InMemoryDecisionLog)
    lake: InMemoryLake = field(default_factory=InMemoryLake)
    ledger: FakeLedger = field(default_factory=FakeLedger)
    clock: FixedClock = field(default_factory=lambda: FixedClock(ANSWERED))

    def seal(self) -> None:
        seal_all(self.log, self.lake, MODEL, recorded_at=self.clock.now())

    def retain(self, on: date) -> Retained:
        self.clock.set(end_of_day(on))
        return retain(Archive(self.log, self.lake, self.ledger, self.clock), MODEL, 25, "pipeline")

    def events(self) -> list[Event]:
        """Beside the notes of what the log holds."""
        return [entry.event for entry in self.ledger.entries() if entry.event is not Event.DECISIONS_SEALED]

    def sealed(self) -> PartitionVersion:
        (found,) = self.lake.versions(DECISIONS)
        return found


@pytest.fixture
def home() -> Home:
    home = Home()
    home.log.append([decision("d1")], Answered(f"{MODEL}:key", "digest", b"{}"))
    home.seal()
    return home


def test_after_24_months_and_30_days_everything_is_there(home: Home) -> None:
    before = home.sealed()
    done = home.retain(date(2007, 8, 15) + timedelta(days=30))
    assert (done.decisions, done.answers, done.sealed) == ({}, 0, 0)
    assert home.log.find("d1").inputs == find_sealed(home.lake, "d1")[1].inputs == {"bill_0": 10.5, "status_0": 2}
    assert (home.sealed(), home.events()) == (before, [])


def test_on_the_last_day_it_is_still_there(home: Home) -> None:
    home.retain(LAST_DAY)
    assert home.log.find("d1").inputs


def test_after_25_months_and_a_day_its_inputs_are_nowhere(home: Home) -> None:
    before = home.sealed()
    done = home.retain(LAST_DAY + timedelta(days=1))
    assert (done.decisions, done.answers, done.sealed) == ({"2005-07": 1}, 1, 1)
    assert home.log.find("d1").inputs == find_sealed(home.lake, "d1")[1].inputs == {}
    assert home.log.answered(f"{MODEL}:key") is None
    assert home.lake.history(DECISIONS, JULY) == [home.sealed()]
    with pytest.raises(NotFound):
        home.lake.read([before])


def test_what_was_decided_and_why_outlives_its_inputs(home: Home) -> None:
    home.retain(LAST_DAY + timedelta(days=1))
    for kept in (home.log.find("d1"), find_sealed(home.lake, "d1")[1]):
        assert (kept.action, kept.probability, kept.bundle, kept.reasons) == ("reduce", 0.7, "b" * 64, (REASON,))


def test_the_ledger_says_what_went_and_its_chain_holds(home: Home) -> None:
    before = home.sealed()
    home.retain(LAST_DAY + timedelta(days=1))
    noted, entry = home.ledger.entries()
    assert (noted.event, entry.event) == (Event.DECISIONS_SEALED, Event.INPUTS_EXPIRED)
    assert (entry.facts["decisions"], entry.facts["answers"], entry.facts["months"]) == ({"2005-07": 1}, 1, 25)
    (told,) = entry.facts["sealed"]
    assert (told["digest"], told["becomes"]) == (before.digest, home.sealed().digest)
    verify_chain(home.ledger.entries())


def test_a_month_in_which_some_must_stay_keeps_those(home: Home) -> None:
    home.log.append([decision("d2", ANSWERED + timedelta(days=9))])
    home.seal()
    home.retain(LAST_DAY + timedelta(days=1))
    assert home.log.find("d1").inputs == find_sealed(home.lake, "d1")[1].inputs == {}
    assert home.log.find("d2").inputs == find_sealed(home.lake, "d2")[1].inputs == {"bill_0": 10.5, "status_0": 2}


def test_a_month_of_decisions_that_lost_their_inputs_is_sealed_as_it_is_already(home: Home) -> None:
    for identity, days in (("d2", 9), ("d3", 20)):
        home.log.append([decision(identity, ANSWERED + timedelta(days=days))])
    home.seal()
    for day in (1, 10, 40):
        home.retain(LAST_DAY + timedelta(days=day))
        before = home.sealed()
        home.seal()
        assert home.sealed() == before


def test_done_again_it_deletes_nothing_and_says_nothing(home: Home) -> None:
    home.retain(LAST_DAY + timedelta(days=1))
    home.retain(LAST_DAY + timedelta(days=2))
    assert home.events() == [Event.INPUTS_EXPIRED]


def test_another_models_decisions_are_its_own_affair(home: Home) -> None:
    home.log.append([decision("d9", model="other")], Answered("other:key", "digest", b"{}"))
    home.retain(LAST_DAY + timedelta(days=1))
    assert home.log.find("d9").inputs
    assert home.log.answered("other:key")


def test_a_sealed_decision_that_the_log_has_lost_is_not_lost_with_its_inputs(home: Home) -> None:
    home.log.decisions.clear()
    home.retain(LAST_DAY + timedelta(days=1))
    kept = find_sealed(home.lake, "d1")[1]
    assert (kept.inputs, kept.action) == ({}, "reduce")


def test_where_a_person_reviewed_the_time_counts_from_the_review(home: Home) -> None:
    asked = replace(decision("d2"), action="review", reasons=())
    home.log.append([asked])
    home.log.review(Review("d2", "keep", "r.lin", "INCOME", "", ANSWERED + timedelta(days=10)))
    home.seal()
    assert home.retain(LAST_DAY + timedelta(days=10)).decisions == {"2005-07": 1}
    assert home.log.find("d2").inputs == find_sealed(home.lake, "d2")[1].inputs == asked.inputs
    assert home.retain(LAST_DAY + timedelta(days=11)).decisions == {"2005-07": 1}
    assert home.log.find("d2").inputs == find_sealed(home.lake, "d2")[1].inputs == {}


class Dying(InMemoryLake):
    dead = True

    def forget(self, partition: PartitionVersion) -> None:
        if self.dead:
            raise Unavailable("killed")
        super().forget(partition)


def test_a_run_that_was_killed_is_completed_by_the_next() -> None:
    lake = Dying()
    home = Home(lake=lake)
    home.log.append([decision("d1")])
    home.seal()
    with pytest.raises(Unavailable):
        home.retain(LAST_DAY + timedelta(days=1))
    assert len(lake.history(DECISIONS, JULY)) == 2
    lake.dead = False
    home.retain(LAST_DAY + timedelta(days=1))
    assert lake.history(DECISIONS, JULY) == [home.sealed()]
    assert home.events() == [Event.INPUTS_EXPIRED]


class Refusing(InMemoryDecisionLog):
    def expire(self, model: str, before: datetime) -> None:
        raise Unavailable("the database is away")


def test_what_is_about_to_be_deleted_is_on_record_first() -> None:
    log = Refusing()
    home = Home(log=log)
    log.append([decision("d1")])
    with pytest.raises(Unavailable):
        home.retain(LAST_DAY + timedelta(days=1))
    assert home.events() == [Event.INPUTS_EXPIRED]
