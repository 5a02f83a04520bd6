"""What the ledger has of retrainings is read back as it was meant."""

from datetime import UTC, date, datetime
from typing import Any

from models.governance.ledger import Event
from models.governance.retrainings import Begun, Cited, Course, Explanation, Trigger, TriggerKind, explanations, listed, trainings
from tests.fakes.ledger import FakeLedger

AT = datetime(2005, 11, 1, 6, tzinfo=UTC)
DRIFT = Trigger(TriggerKind.DRIFT, "bill_0 has shifted.", (Cited("report", "m/2005-10/1", "a" * 64),))
ADA = Trigger(TriggerKind.PERSON, "Ada asked for it.")
LOST = Explanation("2005-10-31", Course.TRAIN, (DRIFT,), "why", "kept", "Keep: no gain.", ("AUC gain is .0.",), 2, "b" * 64)


def ledger(*said: tuple[Event, dict[str, Any]]) -> FakeLedger:
    made = FakeLedger()
    for event, facts in said:
        made.append(event, model="m", actor="pipeline", at=AT, facts=facts)
    return made


def begun(*triggers: Trigger, on: str = "2005-10-31") -> tuple[Event, dict[str, Any]]:
    return Event.RETRAINING_BEGUN, {"as_of": on, "triggers": listed(triggers), "reason": "why"}


def test_an_explanation_is_read_back_with_its_evidence_and_what_the_challenger_lacked() -> None:
    (found,) = explanations(ledger((Event.RETRAINING_ENDED, LOST.facts())).entries("m"))
    assert (found.triggers, found.failed, found.version, found.course) == ((DRIFT,), LOST.failed, 2, Course.TRAIN)
    assert (found.recorded_at, found.entry) == (AT.isoformat(), 1)
    assert found.facts() == LOST.facts()


def test_a_training_says_what_it_should_have_ended() -> None:
    first = Trigger(TriggerKind.FIRST, "There is no champion yet.")
    (one,) = trainings(ledger(begun(first, DRIFT)).entries("m"))
    assert (one.automatic, one.settling) == (False, frozenset({"There is no champion yet."}))


def test_trainings_say_whether_a_person_was_behind_them_and_whether_a_model_came_of_it() -> None:
    failed = {**LOST.facts(), "bundle": "", "ending": "failed"}
    found = ledger(
        begun(DRIFT), (Event.RETRAINING_ENDED, LOST.facts()), begun(ADA, DRIFT), (Event.RETRAINING_ENDED, failed), begun(DRIFT)
    )
    day = date(2005, 10, 31)
    assert trainings(found.entries("m")) == [Begun(day, True, True), Begun(day, False, False), Begun(day, True, False)]


def test_a_killed_training_is_not_taken_for_the_next_ones() -> None:
    held_back = {**LOST.facts(), "course": "held back", "bundle": ""}
    found = ledger(begun(DRIFT), (Event.RETRAINING_ENDED, held_back), begun(DRIFT), (Event.RETRAINING_ENDED, LOST.facts()))
    assert [one.made for one in trainings(found.entries("m"))] == [False, True]
