"""Whether other accounts would have given other reasons: the comparison itself, and the report on a small portfolio."""

from functools import cache
from itertools import count
from typing import Any

import numpy as np
import pytest

from models.calibration import IDENTITY
from models.clock import Month
from models.errors import NotEnoughData
from models.governance.explanation.reasons import Explanation, Reason
from models.splits import Plan
from pipelines.assessment import Cohorts
from pipelines.reasons_report import agreement, stability
from pipelines.training import Recipe
from tests.bundles import USE_CASE
from tests.datasets import dataset
from tests.fakes.families import LineFamily

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


@cache
def cohorts() -> Cohorts:
    before, judged = dataset(accounts=3_000), dataset(("2005-07",), accounts=3_000, seed=3)
    return Cohorts(MONTHS[-1].plus(1).last_day, Plan(MONTHS[:-1], MONTHS[-1]), before, judged, before)


def reported(refits: int = 3, of: Cohorts | None = None) -> dict[str, Any]:
    """With a clock that moves half a second at each look."""
    timer = count(0.0, 0.5).__next__
    return stability(USE_CASE, of or cohorts(), RECIPE, [LineFamily()], refits=refits, accounts=50, timer=timer)


def test_the_report_compares_every_refit_over_the_accounts_it_was_given() -> None:
    found = reported()
    assert (found["month"], found["refits"], found["refits_without_baseline"], found["seconds"]) == ("2005-07", 3, 0, 0.5)
    assert found["every_reduction"]["accounts"] == 50
    assert found["adverse_action"] == {"accounts": 0}  # whom this model reduces is behind
    population = found["every_reduction"]
    for name in ("top_1_agreement", "top_4_jaccard", "still_reduced"):
        spread = population[name]
        assert 0 <= spread["least"] <= spread["mean"] <= spread["most"] <= 1
    assert sum(population["first_reason"].values()) == pytest.approx(1)
    assert sum(population["reasons_given"].values()) == pytest.approx(1)
    assert 0 <= population["reset_rule_dropped_one"] <= 1
    assert found["help"]["accounts"] <= 100


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
