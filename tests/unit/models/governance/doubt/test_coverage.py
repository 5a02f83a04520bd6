"""Intervals are looked at on accounts that they were not made of."""

from statistics import NormalDist

import numpy as np
import pytest

from models.calibration import sigmoid
from models.credit_default.policy import POLICY
from models.governance.doubt.coverage import BANDS, covered, crosswise
from tests.unit.models.governance.doubt.test_uncertainty import accounts

SCORES, BAD = accounts(6_000)
NAMES = np.array([f"A{number:05d}" for number in range(6_000)])


def test_each_half_lies_within_the_intervals_of_the_other() -> None:
    halves = crosswise(SCORES, BAD, NAMES, confidence=0.99, seed=0)

    assert [half.bands[0].rows for half in halves] == [3_000, 3_000]
    assert all(len(half.bands) == 1 + BANDS for half in halves)
    assert all(half.worst <= half.allowed for half in halves)


def test_all_that_is_looked_at_together_holds_at_the_confidence() -> None:
    """Two halves of six looks each share the one in a hundred."""
    halves = crosswise(SCORES, BAD, NAMES, confidence=0.99, seed=0)

    assert [half.allowed for half in halves] == [pytest.approx(NormalDist().inv_cdf(1 - 0.01 / (2 * 2 * 6)))] * 2
    assert covered("one", SCORES, BAD, SCORES, BAD, confidence=0.99).allowed < halves[0].allowed


def test_sound_intervals_are_refused_about_as_rarely_as_stated() -> None:
    worst = [covered("", *accounts(1_500, seed), *accounts(1_500, 500 + seed), confidence=0.9) for seed in range(60)]

    assert np.mean([each.worst > each.allowed for each in worst]) < 0.2


@pytest.mark.parametrize("shift", [0.6, -0.6])
def test_accounts_that_turned_bad_more_or_less_often_fall_outside(shift: float) -> None:
    rng = np.random.default_rng(1)
    scores = POLICY.quantise(sigmoid(rng.normal(-2.0, 1.6, 6_000)))
    bad = rng.random(6_000) < sigmoid(np.log(scores / (1 - scores)) + shift)

    found = covered("later", SCORES, BAD, scores, bad, confidence=0.99)

    assert found.worst > found.allowed
    first = found.bands[0]
    assert first.outside == pytest.approx(max(first.p0 - first.bad_rate, first.bad_rate - first.p1) / first.error)


def test_a_mean_that_hides_two_errors_is_found_by_band() -> None:
    """Too few bads among the safe, too many among the risky: the mean is right."""
    rng = np.random.default_rng(1)
    scores = POLICY.quantise(sigmoid(rng.normal(-2.0, 1.6, 6_000)))
    bad = rng.random(6_000) < sigmoid(2.2 * np.log(scores / (1 - scores)) + 1.15)

    found = covered("later", SCORES, BAD, scores, bad, confidence=0.99)

    assert found.bands[0].outside < found.allowed < found.worst
