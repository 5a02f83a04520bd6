"""Whether other accounts would have given other reasons: the comparison itself, and the report on a small portfolio."""

from dataclasses import replace
from functools import cache
from itertools import count
from typing import Any

import numpy as np
import pytest

from models.calibration import IDENTITY
from models.clock import Month
from models.errors import NotEnoughData
from models.governance.doubt.rule import Rule
from models.governance.explanation.reasons import Explanation, Reason
from models.splits import Plan
from pipelines.assessment import Cohorts
from pipelines.reasons_report import ALL, DUE, NOT_DUE, Sampled, agreement, figures, helped, stability
from pipelines.training import Recipe
from tests.bundles import USE_CASE
from tests.datasets import dataset
from tests.fakes.families import LineFamily
from tests.rules import plain

MONTHS = (Month(2005, 5), Month(2005, 6), Month(2005, 7))
RECIPE = Recipe(
    use_case=USE_CASE.name,
    family="line",
    features=("months_behind_0", "utilisation_0", "payment_to_limit_0"),
    parameters={"ridge": 1.0},
    calibration=IDENTITY,
    seed=3,
    development=("2005-05", "2005-06"),
    definition_version=1,
    search={},
)


def told(*codes: str) -> Explanation:
    return Explanation("", tuple(Reason(code, code, code, 1.0) for code in codes))


def test_agreement_is_the_same_first_reason_and_the_overlap_of_all() -> None:
    """By hand: first reasons agree in 1 of 2; overlaps are 2 of 3 and 1 of 4."""
    own = [told("A", "B"), told("A", "B", "C"), told("A")]
    other = [told("A", "B", "C"), told("C", "D"), told("B")]
    top_1, jaccard = agreement(own, other, np.array([True, True, False]))
    assert top_1 == 0.5
    assert jaccard == pytest.approx((2 / 3 + 1 / 4) / 2)


def test_the_order_of_the_listed_counts_for_the_first_alone() -> None:
    assert agreement([told("A", "B")], [told("B", "A")], np.array([True])) == (0.0, 1.0)


def test_without_an_account_in_common_there_is_no_agreement() -> None:
    assert all(np.isnan(agreement([told("A")], [told("A")], np.array([False]))))


def test_an_account_counts_for_as_many_as_it_stands_for() -> None:
    own, other = [told("A"), told("A"), told("A")], [told("A"), told("B"), told("B")]
    weights = np.array([3.0, 1.0, 100.0])
    assert agreement(own, other, np.array([True, True, False]), weights) == (0.75, 0.75)


SAMPLED = Sampled(np.zeros((4, 1)), np.array([True, True, False, False]), {DUE: 2, NOT_DUE: 6, ALL: 8})
"""Two of two that are owed a notice, two of six that are not."""


def explained() -> list[Explanation]:
    unsure = Explanation("", (Reason("A", "A", "A", 1.0, confirmed=False),), ("B",))
    return [told("A"), unsure, told("B", "A"), replace(told("B"), dropped=("A",))]


def test_a_figure_on_every_reduction_weighs_the_kinds_as_they_are_reduced() -> None:
    """By hand: weights 1, 1, 3, 3 of 8."""
    due, other, whole = (figures(kind, SAMPLED, explained(), [(np.full(4, True), explained())]) for kind in (DUE, NOT_DUE, ALL))
    assert [found["population"] for found in (due, other, whole)] == [2, 6, 8]
    assert [found["accounts"] for found in (due, other, whole)] == [2, 2, 4]
    assert (due["first_reason"], other["first_reason"]) == ({"A": 1.0}, {"B": 1.0})
    assert whole["first_reason"] == {"B": 0.75, "A": 0.25}
    assert whole["listed"] == {"B": 0.75, "A": 0.625}
    assert whole["reasons_given"] == {"1": 0.625, "2": 0.375}
    assert [found["reset_rule_dropped_one"] for found in (due, other, whole)] == [0.5, 0.5, 0.5]
    assert [found["reset_rule_confirmed_none"] for found in (due, other, whole)] == [0.5, 0, 0.125]


def test_only_accounts_that_a_refit_reduces_too_are_compared() -> None:
    """The refit keeps the second and the last: their reasons differ, and that is nobody's reason."""
    theirs = [told("A"), told("C"), told("C"), told("C")]
    found = figures(ALL, SAMPLED, explained(), [(np.array([True, False, True, False]), theirs)])
    assert found["top_1_agreement"]["mean"] == 0.25
    assert found["still_reduced"]["mean"] == 0.5
    assert figures(DUE, SAMPLED, explained(), [(np.array([True, False, True, False]), theirs)])["top_1_agreement"]["mean"] == 1


def test_help_is_counted_by_whom_it_stands_for() -> None:
    found = helped([0, 1, 2], {0: "payment_0", 2: "status_0"}, {0: 1.0, 1: 1.0, 2: 6.0})
    assert found == {"accounts": 3, "found": 0.875, "changes": {"status_0": 0.75, "payment_0": 0.125}}
    assert helped([], {}, {}) == {"accounts": 0}


def test_help_is_judged_by_the_sealed_rule() -> None:
    """Where whoever is less behind is unfamiliar, to catch up is no help: it would lead to a person's desk."""
    known = plain(USE_CASE.contract, USE_CASE.policy)
    free = reported(refits=1)["help"][ALL]

    (codes,) = known.familiar.combinations
    place = codes.columns.index("status_0")
    behind = replace(codes, seen=tuple(each for each in codes.seen if each[place] >= 3))
    strict = reported(refits=1, rule=replace(known, familiar=replace(known.familiar, combinations=(behind,))))["help"][ALL]
    assert strict["accounts"] == free["accounts"]
    assert strict["found"] < free["found"]


@cache
def cohorts() -> Cohorts:
    before, judged = dataset(accounts=3_000), dataset(("2005-07",), accounts=3_000, seed=3)
    return Cohorts(MONTHS[-1].plus(1).last_day, Plan(MONTHS[:-1], MONTHS[-1]), before, judged, before)


def reported(refits: int = 3, of: Cohorts | None = None, rule: Rule | None = None) -> dict[str, Any]:
    """With a clock that moves half a second at each look."""
    timer = count(0.0, 0.5).__next__
    rule = rule or plain(USE_CASE.contract, USE_CASE.policy)
    return stability(USE_CASE, of or cohorts(), RECIPE, [LineFamily()], rule, refits=refits, accounts=50, timer=timer)


def test_the_report_compares_every_refit_over_the_accounts_it_was_given() -> None:
    found = reported()
    assert (found["month"], found["refits"], found["refits_without_baseline"], found["seconds"]) == ("2005-07", 3, 0, 0.5)
    assert found["every_reduction"]["accounts"] == 50
    assert found["adverse_action"] == {"accounts": 0, "population": 0}  # whom this model reduces is behind
    everybody = found["every_reduction"]["population"]
    assert found["no_notice"] == found["every_reduction"]
    assert everybody > 50
    population = found["every_reduction"]
    for name in ("top_1_agreement", "top_4_jaccard", "still_reduced"):
        spread = population[name]
        assert 0 <= spread["least"] <= spread["mean"] <= spread["most"] <= 1
    assert sum(population["first_reason"].values()) == pytest.approx(1)
    assert sum(population["reasons_given"].values()) == pytest.approx(1)
    assert 0 <= population["reset_rule_dropped_one"] <= 1
    assert found["help"]["adverse_action"] == {"accounts": 0}
    assert 0 < found["help"]["every_reduction"]["accounts"] <= 50


def test_the_report_repeats_itself() -> None:
    assert reported(refits=2) == reported(refits=2)


def test_refits_are_of_other_accounts_each() -> None:
    """Twenty times the same accounts would always agree."""
    assert reported(refits=4)["every_reduction"]["top_4_jaccard"]["least"] < 1


def test_where_nobody_is_reduced_there_is_nothing_to_report() -> None:
    judged = cohorts().out_of_time
    calm = judged.take(judged.columns["status_0"] < 0)
    with pytest.raises(NotEnoughData, match="nobody is reduced in 2005-07"):
        reported(of=Cohorts(cohorts().as_of, cohorts().plan, cohorts().development, calm, cohorts().matured))
