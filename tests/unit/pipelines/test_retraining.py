from models.governance.ledger import Hold
from monitoring.verdict import Level, Suggestion, Verdict
from pipelines.retraining import Course, decide_retraining

QUIET = Verdict(level=Level.GREEN, sentence="All quiet.", findings=(), suggests=Suggestion.NONE)
WORSE = Verdict(level=Level.RED, sentence="AUC fell by .08.", findings=(), suggests=Suggestion.RETRAIN)
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
