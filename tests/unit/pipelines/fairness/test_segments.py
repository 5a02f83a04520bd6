"""The groups of a roll-out's accounts come through the door, all that there may be are named, and harm to one is found."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from models.clock import Month
from models.credit_default import USE_CASE
from models.errors import NotFound
from monitoring.rollout.findings import Standing
from monitoring.rollout.judge import Seen, State, judge
from monitoring.rollout.observations import Segments
from pipelines.fairness.audit import Audit
from pipelines.fairness.segments import segments
from tests.rollouts import AGREED, LIMITS, SOUND, observed

assert USE_CASE.policy.fairness is not None
FAIRNESS = USE_CASE.policy.fairness
SIZES = ("many", "few", "none")
BY_SIZE = replace(LIMITS, groups={"size": SIZES})
JULY, AUGUST = Month(2005, 7), Month(2005, 8)


class Table:
    """An audit table in which every account but the last of a month is known: women in July, men in August."""

    def of(self, month: Month, accounts: NDArray[np.str_]) -> Audit:
        if month not in (JULY, AUGUST):
            raise NotFound(f"no audit columns of {month}")
        known = np.ones(len(accounts), bool)
        known[-1] = False
        columns: Mapping[str, Any] = {"sex": np.full(len(accounts), 2 if month == JULY else 1)}
        columns |= {"education": np.ones(len(accounts), int), "marriage": np.ones(len(accounts), int)}
        return Audit({**columns, "age": np.full(len(accounts), 30)}, known, {})


def test_every_group_that_there_may_be_is_named_and_an_account_counts_in_its_first_month() -> None:
    found = {each.column: each for each in segments(USE_CASE.contract, FAIRNESS, Table(), {AUGUST: "abc", JULY: "bcd"})}

    assert set(found) == {"sex", "education", "marriage", "age"}
    assert found["sex"].groups == ("male", "female", "not recorded")
    assert found["sex"].of == {"a": "male", "b": "female", "c": "female", "d": "not recorded"}
    assert found["age"].of["a"] == "26 to 30"
    assert set(found["age"].of.values()) <= set(found["age"].groups)
    assert found["sex"].minimum_cell == FAIRNESS.minimum_cell


def test_without_audit_columns_of_the_month_nothing_is_made_up() -> None:
    with pytest.raises(NotFound):
        segments(USE_CASE.contract, FAIRNESS, Table(), {Month(2005, 9): "ab"})


def seen(*, harmed: bool) -> Seen:
    """Of whom every fifth is in the small group, where the canary keeps nobody whom it need not."""
    observations, small = [], {}
    for number, each in enumerate(observed(6_000)):
        small[each.account] = "few" if number % 5 == 0 else "many"
        turned = harmed and number % 5 == 0 and each.arm == "canary" and number % 2 == 0
        back = harmed and number % 5 == 1 and each.arm == "canary" and each.action == "review" and number % 2 == 0
        changed = {"action": "review", "probability": 0.3} if turned else {"action": "keep", "probability": 0.05} if back else {}
        observations.append(replace(each, **changed))
    by = Segments("size", SIZES, small, minimum_cell=100)
    return Seen(3, observations, SOUND, SOUND, AGREED, [by])


@pytest.mark.parametrize("given", [[], [Segments("size", ("all",), {"a1": "all"}, 100)]], ids=["none", "others"])
def test_a_look_without_the_groups_that_were_signed_bets_as_the_others_do_and_passes_nothing(given: list[Segments]) -> None:
    whole, without = seen(harmed=False), replace(seen(harmed=False), segments=given)
    with_groups, verdict = (judge(each, BY_SIZE, mode="canary", share=0.5) for each in (whole, without))
    limits = [{each.name: each.e_limit for each in one.findings if each.e_limit} for one in (with_groups, verdict)]
    standings = {each.name: each.standing for each in verdict.findings}

    assert limits[0] == limits[1]
    assert standings["groups"] is standings["favourable by size"] is Standing.INSUFFICIENT
    assert (with_groups.state, verdict.state) == (State.ASK_FOR_PROMOTION, State.GO_ON)


def test_groups_that_nobody_signed_are_not_bet_on_and_pass_nothing() -> None:
    verdict = judge(seen(harmed=False), LIMITS, mode="canary", share=0.5)

    assert verdict.state is State.GO_ON
    assert "favourable by size" not in [each.name for each in verdict.findings]


def test_harm_to_one_group_is_rolled_back_and_the_group_named() -> None:
    verdict = judge(seen(harmed=True), BY_SIZE, mode="canary", share=0.5)
    finding = next(each for each in verdict.findings if each.name == "favourable by size")

    assert verdict.state is State.ROLL_BACK
    assert finding.standing is Standing.OUTSIDE
    assert "Of size few" in finding.text


def test_groups_alike_in_both_arms_are_within() -> None:
    verdict = judge(seen(harmed=False), BY_SIZE, mode="canary", share=0.5)

    assert verdict.state is State.ASK_FOR_PROMOTION


def test_of_a_small_group_no_figure_is_shown() -> None:
    given = seen(harmed=True)
    hidden = replace(given, segments=[replace(given.segments[0], minimum_cell=5_000)])
    verdict = judge(hidden, BY_SIZE, mode="canary", share=0.5)
    finding = next(each for each in verdict.findings if each.name == "favourable by size")

    assert "few" not in finding.text
    assert finding.value == 0


def test_groups_that_saw_too_few_in_both_arms_are_no_pass() -> None:
    given = seen(harmed=False)
    sparse = replace(given, segments=[replace(given.segments[0], minimum_cell=5_000)])
    verdict = judge(sparse, BY_SIZE, mode="canary", share=0.5)
    finding = next(each for each in verdict.findings if each.name == "favourable by size")

    assert finding.standing is Standing.INSUFFICIENT
    assert verdict.state is State.GO_ON
    assert "too little is known of favourable by size" in verdict.sentence
