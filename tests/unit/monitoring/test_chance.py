"""False alarms come as often as stated, and what really fell is still found. Simulated months, seeded."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from models.credit_default import USE_CASE
from models.evaluation import auc, auc_error
from monitoring.chance import FALSE_ALARMS, hanley_mcneil, largest_fall, rate_limits
from monitoring.findings import breaches
from monitoring.performance import Reading, figures

LIMITS = USE_CASE.policy.monitoring
STRICT = LIMITS.model_copy(update={"auc_drop": 0.0, "calibration_ratio": (1.0, 1.0)})
"""A policy that would alarm at any difference: what is left is chance's own limit."""
MONTHS = 1_000
ROWS, REFERENCE_ROWS = 600, 2_000

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Draw = Callable[[np.random.Generator, int], tuple[Bools, Floats]]


def holding(rng: np.random.Generator, rows: int) -> tuple[Bools, Floats]:
    """Outcomes as predicted, by scores as skewed as a portfolio's."""
    probability = np.clip(rng.beta(0.8, 4.0, rows), 1e-9, 1.0)
    return rng.random(rows) < probability, probability


def decayed(rng: np.random.Generator, rows: int) -> tuple[Bools, Floats]:
    """Half of the accounts no longer behave as scored; the bad rate stays."""
    bad, probability = holding(rng, rows)
    return np.where(rng.random(rows) < 0.5, rng.permutation(bad), bad), probability


def doubled(rng: np.random.Generator, rows: int) -> tuple[Bools, Floats]:
    bad, probability = holding(rng, rows)
    return bad, probability / 2


def alarms(draw: Draw, limits: Any, months: int = MONTHS) -> Counter[str]:
    """How many of the months each rule finds something in, each judged against a reference drawn anew."""
    rng, found = np.random.default_rng(0), Counter[str]()
    for _ in range(months):
        bad, probability = holding(rng, REFERENCE_ROWS)
        accounts = np.arange(REFERENCE_ROWS)
        reference = {"auc": auc(bad, probability), "auc_error": auc_error(bad, probability, accounts)}
        month = figures(*draw(rng, ROWS), np.arange(ROWS))
        breached = breaches(Reading(definition=1, rule="bad", populations={"all": month}), reference, limits)
        found.update("bad rate" if breach in ("low", "high") else breach for breach in breached)
        found.update(["any"] if breached else [])
    return found


def test_without_any_change_the_rules_alarm_about_as_rarely_as_stated() -> None:
    """Of 1,000 months 10 may alarm on the long run: fewer than 2 or more than 20 have then a chance of .002 (Poisson)."""
    found = alarms(holding, STRICT)
    assert found["auc"] > 0
    assert found["bad rate"] > 0
    assert 2 <= found["any"] <= 20


def test_an_exact_reference_or_no_chance_limit_at_all_would_alarm_far_too_often() -> None:
    """What the rules did before: this is why the limits exist."""
    rng, naive = np.random.default_rng(20), 0
    low, high = LIMITS.calibration_ratio
    for _ in range(300):
        bad, probability = holding(rng, ROWS // 4)
        naive += not low <= bad.mean() / probability.mean() <= high
    assert naive / 300 > 5 * FALSE_ALARMS


@pytest.mark.parametrize(("draw", "rule"), [(decayed, "auc"), (doubled, "bad rate")])
def test_a_real_change_is_still_found(draw: Draw, rule: str) -> None:
    assert alarms(draw, LIMITS, months=100)[rule] >= 90


def test_equal_probabilities_alarm_at_the_stated_rate() -> None:
    """The binomial limit is then not an upper bound but the thing itself."""
    rng, rate = np.random.default_rng(3), 0.12
    low, high = rate_limits(rate, ROWS)
    seen = rng.binomial(ROWS, rate, 40_000) / ROWS
    assert FALSE_ALARMS / 2 / 3 < np.mean((seen < low) | (seen > high)) < FALSE_ALARMS / 2 * 1.2


@given(st.floats(0.001, 0.999), st.integers(1, 10**6))
def test_more_rows_leave_chance_less_room(predicted: float, rows: int) -> None:
    low, high = rate_limits(predicted, rows)
    tighter_low, tighter_high = rate_limits(predicted, 2 * rows)
    assert 0 <= low <= tighter_low <= predicted <= tighter_high <= high <= 1


def test_both_errors_count() -> None:
    assert largest_fall(0.8, 0.03, 0.8, 0.0) == largest_fall(0.8, 0.0, 0.8, 0.03) > 0
    assert largest_fall(0.8, 0.03, 0.8, 0.04) == pytest.approx(largest_fall(0.8, 0.05, 0.8, 0.0))


@given(st.floats(0.0, 1.0), st.floats(0.0, 0.5), st.floats(0.0, 1.0), st.floats(0.0, 0.5))
def test_a_fall_never_leads_below_nothing(reference: float, reference_error: float, seen: float, error: float) -> None:
    assert -1e-6 <= largest_fall(reference, reference_error, seen, error) <= reference + 1e-6


@pytest.mark.parametrize("slope", [2.0, 8.0])
def test_hanley_and_mcneil_are_right_where_scores_are_exponential(slope: float) -> None:
    """The family of distributions that the formula was made for: its AUC is slope / (slope + 1)."""
    rng = np.random.default_rng(5)
    bad = np.arange(130) < 50
    found = [auc(bad, np.where(bad, rng.exponential(slope, 130), rng.exponential(1.0, 130))) for _ in range(3_000)]
    assert hanley_mcneil(slope / (slope + 1), 50, 80) == pytest.approx(np.std(found), rel=0.04)


def test_hanley_and_mcneil_err_on_the_careful_side_on_skewed_scores() -> None:
    bad, score = holding(np.random.default_rng(1), 20_000)
    known = auc_error(bad, score, np.arange(len(bad)))
    assert known < hanley_mcneil(auc(bad, score), int(bad.sum()), int((~bad).sum())) < 1.6 * known
