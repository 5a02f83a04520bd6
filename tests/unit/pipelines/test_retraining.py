"""What is decided of what fired: train, rest, hold for a person, or hold back; and the sentence that is recorded."""

from datetime import date

import pytest

from models.governance.ledger import Hold
from models.governance.retrainings import Begun, Course
from models.policy import RetrainingRules
from monitoring.verdict import Suggestion
from pipelines.retraining import Retraining, decide_retraining
from pipelines.steps import Ending, Kind
from pipelines.triggers.situation import Seen, Situation
from pipelines.triggers.step import despite
from tests.situations import OCTOBER, finding, reported, situation

QUIET = reported("2005-09")
WORSE = reported("2005-09", finding("auc_drop", text="AUC fell by .08."))
UNSETTLED = reported("2005-09", finding("code_mix", text="Code 1 of status_0 is new."))
HOLD = Hold("2005-09", "the codes of status_0 changed", "2005-09-30T23:59:59+00:00")
RULES = RetrainingRules()
LAST_WEEK = Begun(date(2005, 10, 24), automatic=True, made=True)


def decided(about: Seen, *holds: Hold, before: tuple[Begun, ...] = (), asked_by: str = "", definition: int = 1) -> Retraining:
    return decide_retraining(situation(about, definition=definition), holds, RULES, before, asked_by=asked_by)


def test_a_quiet_month_rests_and_says_why() -> None:
    found = decided(QUIET)
    assert (found.course, found.sentence, found.triggers) == (Course.REST, "No trigger: All quiet.", ())


def test_a_home_without_a_champion_trains_its_first() -> None:
    bare: Situation = situation(champion=None)
    found = decide_retraining(bare, [], RULES)
    assert (found.course, found.kinds, found.sentence) == (Course.TRAIN, "first champion", "There is no champion yet.")


def test_the_eleventh_training_on_one_day_for_a_first_champion_is_held_back_and_says_so() -> None:
    began = (Begun(OCTOBER, automatic=False, made=True, settling=frozenset({"There is no champion yet."})),) * 10
    bare: Situation = situation(champion=None)
    found = decide_retraining(bare, [], RULES, began)
    assert found.course is Course.HELD_BACK
    assert "trained 10 times in 2005-10" in found.sentence
    assert decide_retraining(bare, [], RULES, began, asked_by="Ada").course is Course.TRAIN


def test_a_worse_month_trains_and_cites_its_report() -> None:
    found = decided(WORSE)
    assert (found.course, found.kinds, found.sentence) == (Course.TRAIN, "performance", "AUC fell by .08.")
    assert found.evidence == str(WORSE.cited)
    assert WORSE.cited.digest[:12] in found.evidence


def test_an_open_hold_stops_even_a_persons_wish_and_keeps_what_fired() -> None:
    found = decided(WORSE, HOLD, asked_by="Ada", definition=2)
    assert found.course is Course.HOLD
    assert "the codes of status_0 changed (2005-09)" in found.sentence
    assert found.kinds == "person, definition, performance"


def test_a_newly_accepted_definition_is_a_trigger_of_its_own() -> None:
    assert (decided(QUIET, definition=2).course, decided(QUIET, definition=2).kinds) == (Course.TRAIN, "definition")


def test_a_person_may_ask_in_a_quiet_month() -> None:
    assert (decided(QUIET, asked_by="Ada").course, decided(QUIET, asked_by="Ada").kinds) == (Course.TRAIN, "person")


@pytest.mark.parametrize(
    ("asked_by", "definition", "why"), [("Ada", 1, "Ada asked for it."), ("", 2, "definition 2 was accepted")]
)
def test_training_against_the_monitorings_advice_says_both(asked_by: str, definition: int, why: str) -> None:
    found = decided(UNSETTLED, asked_by=asked_by, definition=definition)
    assert found.course is Course.TRAIN
    assert why in found.sentence
    assert found.sentence.endswith(found.against)
    ending = despite(Ending(Kind.PROMOTED, "Promote: AUC is better."), found)
    assert ending.sentence == "Promote: AUC is better. The monitoring says to wait: Code 1 of status_0 is new."


def test_training_that_the_monitoring_does_not_speak_against_adds_nothing() -> None:
    assert despite(Ending(Kind.PROMOTED, "Promote."), decided(WORSE, definition=2)).sentence == "Promote."


def test_what_the_cool_down_holds_back_is_said_with_what_asked_for_it() -> None:
    found = decided(WORSE, before=(LAST_WEEK,))
    assert found.course is Course.HELD_BACK
    assert "cool-down lasts until 2005-11-07" in found.sentence
    assert found.sentence.endswith("What asked for it: AUC fell by .08.")
    assert found.evidence == str(WORSE.cited)


def test_a_person_is_not_held_back() -> None:
    assert decided(WORSE, before=(LAST_WEEK,), asked_by="Ada").course is Course.TRAIN


def test_the_calendar_does_not_train_while_the_monitoring_says_to_wait() -> None:
    assert UNSETTLED.report.verdict.suggests is Suggestion.WAIT
    old = RetrainingRules(every_months=1)
    found = decide_retraining(situation(UNSETTLED), [], old, ())
    assert (found.course, found.kinds) == (Course.HELD_BACK, "schedule")
    assert "The monitoring says to wait: Code 1 of status_0 is new." in found.sentence
    assert decide_retraining(situation(QUIET), [], old, ()).course is Course.TRAIN
    assert situation().champion.as_of < OCTOBER  # type: ignore[union-attr]
