"""An alternative is taken only if it surely costs little and surely gains, and it must do so again out of time."""

from dataclasses import replace
from math import sqrt

import numpy as np
import pytest

from models.credit_default.policy import POLICY
from models.evaluation import Estimate, clusters, estimate
from models.governance.fairness.alternatives import (
    CHAMPION,
    Cell,
    Point,
    cells,
    choose,
    confirm,
    frontier,
    impact,
    ruling,
)
from models.governance.fairness.figures import Verdict
from models.governance.fairness.groups import Decided
from models.governance.fairness.statistics import rate_ratio
from models.policy import FairnessLimits

LIMITS: FairnessLimits = POLICY.fairness  # type: ignore[assignment]
ROWS = 4_000
RNG = np.random.default_rng(11)
ACCOUNTS = np.array([f"A{number:05d}" for number in range(ROWS)])
SEX = np.where(RNG.random(ROWS) < 0.5, "male", "female")
COLUMNS = {"sex": SEX}
MALE = SEX == "male"
TRUTH = RNG.random(ROWS) * 0.3
BAD = RNG.random(ROWS) < TRUTH


def by(probability: np.ndarray) -> Decided:
    return Decided.of(LIMITS, ACCOUNTS, probability, POLICY.cut_offs.actions(probability), BAD)


HARSH = by(np.clip(TRUTH + 0.04 * MALE, 0, 1))  # men get a surcharge that predicts nothing
FAIR = by(TRUTH)


def point(name: str, ratio: float, auc_low: float = 0.0, gain_low: float = 0.02) -> Point:
    return Point(name, 0.8, Estimate(0.0, auc_low, 0.001), ratio, "a cell", Estimate(0.03, gain_low, 0.04))


BASE = Point(CHAMPION, 0.8, Estimate(0, 0, 0), 0.70, "a cell", Estimate(0, 0, 0))


def test_an_alternative_without_the_surcharge_is_found_chosen_and_confirmed() -> None:
    found = frontier({CHAMPION: HARSH, "fair": FAIR}, COLUMNS, LIMITS, 0.95)
    assert found.chosen == "fair"
    assert "fair is less discriminatory" in found.reason
    assert found.point("fair").efficient
    assert not found.point(CHAMPION).efficient
    confirmed = confirm("fair", FAIR, HARSH, COLUMNS, LIMITS, 0.95)
    assert confirmed.held
    assert "the gain held" in confirmed.sentence
    assert ruling("a sample", found, confirmed, LIMITS).verdict is Verdict.OUTSIDE


def test_a_champion_that_nobody_beats_stays_and_is_within() -> None:
    found = frontier({CHAMPION: FAIR, "harsh": HARSH}, COLUMNS, LIMITS, 0.95)
    confirmed = confirm(CHAMPION, FAIR, FAIR, COLUMNS, LIMITS, 0.95)
    assert found.chosen == CHAMPION
    assert "1 alternatives were tried" in found.reason
    assert ruling("a sample", found, confirmed, LIMITS).verdict is Verdict.WITHIN


def test_a_gain_that_does_not_hold_out_of_time_waits_for_a_person() -> None:
    found = frontier({CHAMPION: HARSH, "fair": FAIR}, COLUMNS, LIMITS, 0.95)
    confirmed = confirm("fair", HARSH, HARSH, COLUMNS, LIMITS, 0.95)
    assert not confirmed.held
    assert "did not hold" in confirmed.sentence
    assert ruling("a sample", found, confirmed, LIMITS).verdict is Verdict.INSUFFICIENT


def test_too_few_accounts_say_nothing_of_alternatives() -> None:
    few = LIMITS.model_copy(update={"minimum_cell": ROWS})
    found = frontier({CHAMPION: HARSH, "fair": FAIR}, COLUMNS, few, 0.95)
    confirmed = confirm(CHAMPION, HARSH, HARSH, COLUMNS, few, 0.95)
    assert found.chosen == CHAMPION
    assert ruling("a sample", found, confirmed, few).verdict is Verdict.INSUFFICIENT


@pytest.mark.parametrize(
    ("rival", "chosen"),
    [
        (point("good", 0.75), "good"),
        (point("dear", 0.75, auc_low=-LIMITS.auc_margin - 1e-6), CHAMPION),
        (point("little", 0.70 + LIMITS.impact_gain - 1e-6), CHAMPION),
        (point("chance", 0.75, gain_low=-0.001), CHAMPION),
    ],
)
def test_an_alternative_must_cost_little_gain_enough_and_gain_surely(rival: Point, chosen: str) -> None:
    assert choose([BASE, rival], LIMITS).chosen == chosen


def test_of_several_the_fairest_is_chosen() -> None:
    assert choose([BASE, point("good", 0.75), point("better", 0.78)], LIMITS).chosen == "better"


def test_an_impact_ratio_s_influence_is_katz_s_error_when_every_account_comes_once() -> None:
    """Delta method: error of the ratio = ratio x error of its logarithm, but for Bessel's n / (n - 1)."""
    cell = Cell("sex", "male", "female")
    found = impact(HARSH.favoured, SEX, cell)
    counts = [int(x) for x in (HARSH.favoured[MALE].sum(), MALE.sum(), HARSH.favoured[~MALE].sum(), (~MALE).sum())]
    katz = rate_ratio(*counts, 0.95)
    log_reach = np.log(katz.high / katz.value)
    ours = estimate(found, BAD, clusters(ACCOUNTS), confidence=0.95)
    assert found.value == pytest.approx(katz.value)
    assert ours.high - ours.value == pytest.approx(katz.value * log_reach * sqrt(ROWS / (ROWS - 1)), rel=1e-9)


def test_an_account_that_returns_is_one_witness() -> None:
    """The same rows twice under the same names say no more than once; under new names they would."""
    twice = replace(HARSH, **{name: np.tile(getattr(HARSH, name), 2) for name in vars(HARSH)})
    cell, sex = Cell("sex", "male", "female"), np.tile(SEX, 2)
    doubled = impact(twice.favoured, sex, cell)
    once = estimate(impact(HARSH.favoured, SEX, cell), BAD, clusters(ACCOUNTS), confidence=0.95)
    same = estimate(doubled, twice.bad, clusters(twice.accounts), confidence=0.95)
    other = estimate(doubled, twice.bad, clusters(np.arange(2 * ROWS)), confidence=0.95)
    assert same.high - same.low == pytest.approx(once.high - once.low)
    assert other.high - other.low == pytest.approx((once.high - once.low) / sqrt(2), rel=1e-3)


def test_cells_are_groups_of_enough_accounts_against_their_reference() -> None:
    rare = np.where(np.arange(ROWS) < LIMITS.minimum_cell - 1, "rare", SEX)
    assert cells(HARSH, {"sex": rare}, LIMITS) == [Cell("sex", "male", "female")]
