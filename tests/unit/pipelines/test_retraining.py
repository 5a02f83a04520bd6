import pytest

from models.governance.ledger import Hold
from monitoring.verdict import Level, Suggestion, Verdict
from pipelines.retraining import Course, decide_retraining
from pipelines.steps import Ending, Kind, despite

QUIET = Verdict(level=Level.GREEN, sentence="All quiet.", findings=(), suggests=Suggestion.NONE)
WORSE = Verdict(level=Level.RED, sentence="AUC fell by .08.", findings=(), suggests=Suggestion.RETRAIN)
UNSETTLED = Verdict(level=Level.RED, sentence="Code 1 of status_0 is new.", findings=(), suggests=Suggestion.WAIT)
HOLD = Hold("2005-09", "the codes of status_0 changed", "2005-09-30T23:59:59+00:00")


def test_a_quiet_month_rests_and_says_why() -> None:
    found = decide_retraining(QUIET, [], champion_definition=1, definition_in_force=1)
    assert (found.course, found.sentence) == (Course.REST, "No trigger: All quiet.")


def test_a_worse_month_trains_on_the_verdicts_evidence() -> None:
    found = decide_retraining(WORSE, [], champion_definition=1, definition_in_force=1)
    assert (found.course, found.trigger, found.sentence) == (Course.TRAIN, "verdict", "AUC fell by .08.")


def test_an_open_hold_stops_even_a_persons_wish() -> None:
    found = decide_retraining(WORSE, [HOLD], champion_definition=1, definition_in_force=2, asked_by="Ada")
    assert found.course is Course.HOLD
    assert "the codes of status_0 changed (2005-09)" in found.sentence


def test_a_newly_accepted_definition_is_a_trigger_of_its_own() -> None:
    found = decide_retraining(QUIET, [], champion_definition=1, definition_in_force=2)
    assert (found.course, found.trigger) == (Course.TRAIN, "definition")


def test_a_person_may_ask_in_a_quiet_month() -> None:
    found = decide_retraining(QUIET, [], champion_definition=1, definition_in_force=1, asked_by="Ada")
    assert (found.course, found.trigger) == (Course.TRAIN, "person")


@pytest.mark.parametrize(
    ("asked_by", "definition", "why"), [("Ada", 1, "Ada asked for it."), ("", 2, "definition 2 was accepted")]
)
def test_training_against_the_monitorings_advice_says_both(asked_by: str, definition: int, why: str) -> None:
    found = decide_retraining(UNSETTLED, [], champion_definition=1, definition_in_force=definition, asked_by=asked_by)
    assert found.course is Course.TRAIN
    assert why in found.sentence
    assert found.sentence.endswith(found.against)
    ending = despite(Ending(Kind.PROMOTED, "Promote: AUC is better."), found)
    assert ending.sentence == "Promote: AUC is better. The monitoring says to wait: Code 1 of status_0 is new."


def test_training_that_the_monitoring_does_not_speak_against_adds_nothing() -> None:
    found = decide_retraining(WORSE, [], champion_definition=1, definition_in_force=2)
    assert found.against == ""
    assert despite(Ending(Kind.PROMOTED, "Promote."), found).sentence == "Promote."
