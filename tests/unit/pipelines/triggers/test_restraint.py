"""A storm of triggers makes few trainings: a cool-down after each that made a model, and a budget for all that began."""

from collections.abc import Sequence
from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.clock import Month
from models.governance.retrainings import Begun, Trigger, TriggerKind
from models.policy import RetrainingRules
from pipelines.triggers.restraint import held_back

DRIFT = Trigger(TriggerKind.DRIFT, "bill_0 has shifted.")
ADA = Trigger(TriggerKind.PERSON, "Ada asked for it.")
RULES = RetrainingRules(cool_down_days=14, budget=3)
FIRST = date(2005, 10, 1)


def made(day: int) -> Begun:
    return Begun(date(2005, 10, day), automatic=True, made=True)


def lost(day: int) -> Begun:
    return Begun(date(2005, 10, day), automatic=True, made=False)


def why(before: Sequence[Begun], day: int, *triggers: Trigger) -> str:
    return held_back(triggers or (DRIFT,), before, RULES, date(2005, 10, day))


def test_the_first_training_is_free() -> None:
    assert why([], 1) == ""


def test_the_cool_down_ends_on_its_last_day() -> None:
    assert "until 2005-10-15" in why([made(1)], 14)
    assert why([made(1)], 15) == ""


def test_what_made_no_model_is_done_again_until_the_budget_is_spent() -> None:
    assert why([lost(1), lost(1)], 1) == ""
    assert "3 times in 2005-10" in why([lost(1)] * 3, 1)
    assert held_back([DRIFT], [lost(1)] * 3, RULES, date(2005, 11, 1)) == "", "a new month"


def test_what_people_asked_for_is_not_of_the_budget_but_cools_down() -> None:
    by_people = [Begun(date(2005, 10, 1), automatic=False, made=False)] * 3
    assert why(by_people, 2) == ""
    assert "cool-down" in why([Begun(date(2005, 10, 1), automatic=False, made=True)], 2)


def test_nobody_holds_back_a_person_whatever_else_fired() -> None:
    assert why([made(1)] * 5, 2, DRIFT, ADA) == ""


def test_of_a_month_that_is_lived_again_the_rest_has_not_happened_yet() -> None:
    assert why([lost(20)] * 3, 19) == ""
    assert "3 times" in why([lost(20)] * 3, 20)


FIRST_CHAMPION = Trigger(TriggerKind.FIRST, "There is no champion yet.")
DEFINITION_2 = Trigger(TriggerKind.DEFINITION, "Outcome definition 2 was accepted.")


def for_the_sake_of(*triggers: Trigger, day: int = 1) -> Begun:
    return Begun(date(2005, 10, day), False, made=True, settling=frozenset(trigger.sentence for trigger in triggers))


@pytest.mark.parametrize("trigger", [FIRST_CHAMPION, DEFINITION_2])
def test_what_one_training_should_end_waits_for_nothing_but_is_not_repeated_without_end(trigger: Trigger) -> None:
    assert why([made(1)] * 5, 1, trigger) == "", "neither cool-down nor the others' budget"
    assert why([for_the_sake_of(trigger)] * 2, 1, trigger) == ""
    assert "3 times in 2005-10" in why([for_the_sake_of(trigger)] * 3, 1, trigger)
    assert "a person must look" in why([for_the_sake_of(trigger)] * 10, 1, trigger, DRIFT)


def test_another_cause_another_month_and_a_person_are_free() -> None:
    before = [for_the_sake_of(FIRST_CHAMPION, day=31)] * 10
    assert why(before, 31, DEFINITION_2) == ""
    assert held_back([FIRST_CHAMPION], before, RULES, date(2005, 11, 1)) == ""
    assert why(before, 31, FIRST_CHAMPION, ADA) == ""


@given(st.lists(st.tuples(st.integers(0, 120), st.booleans()), max_size=60))
def test_however_often_it_fires_the_limits_hold(asked: list[tuple[int, bool]]) -> None:
    """One flow after another, on the days given; each training makes a model or not."""
    begun: list[Begun] = []
    for day, makes in sorted(asked):
        as_of = FIRST + timedelta(days=day)
        if not held_back([DRIFT], begun, RULES, as_of):
            begun.append(Begun(as_of, automatic=True, made=makes))
    models = [one.as_of for one in begun if one.made]
    assert all((late - early).days >= RULES.cool_down_days for early, late in pairwise(models))
    months = [Month.of(one.as_of) for one in begun]
    assert all(months.count(month) <= RULES.budget for month in months)
