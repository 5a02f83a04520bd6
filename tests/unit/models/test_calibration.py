"""Probabilities that keep their promise, from two numbers."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from models.calibration import IDENTITY, Calibration, platt, sigmoid
from models.errors import NotEnoughData
from models.evaluation import log_loss

finite = st.floats(-800, 800)


def outcomes(log_odds: NDArray[np.float64], seed: int = 0) -> NDArray[np.bool_]:
    return np.random.default_rng(seed).random(len(log_odds)) < sigmoid(log_odds)


@given(st.lists(finite, min_size=1))
def test_the_sigmoid_is_monotone_symmetric_and_never_overflows(values: list[float]) -> None:
    x = np.sort(np.array(values))
    with np.errstate(all="raise", under="ignore"):
        p = sigmoid(x)
    assert np.all((p >= 0) & (p <= 1))
    assert np.all(np.diff(p) >= 0)
    np.testing.assert_allclose(p + sigmoid(-x), 1, atol=1e-15)


def test_the_sigmoid_is_exact_where_it_is_known() -> None:
    np.testing.assert_allclose(sigmoid(np.array([0.0, np.log(3), -np.log(3)])), [0.5, 0.75, 0.25], rtol=1e-15)


@pytest.mark.parametrize(("slope", "intercept"), [(0.0, 0.0), (-1.0, 0.0), (np.nan, 0.0), (1.0, np.inf)])
def test_a_calibration_never_turns_the_order_round(slope: float, intercept: float) -> None:
    with pytest.raises(ValueError, match="positive slope"):
        Calibration(slope, intercept)


def test_a_calibration_survives_being_written_down() -> None:
    assert Calibration.from_dict(Calibration(1 / 3, -0.1).to_dict()) == Calibration(1 / 3, -0.1)


@settings(max_examples=20, deadline=None)
@given(st.floats(0.3, 3.0), st.floats(-2.0, 2.0), st.integers(0, 5))
def test_platt_finds_the_distortion_that_was_made(slope: float, intercept: float, seed: int) -> None:
    truth = np.random.default_rng(seed).normal(-1.5, 1.5, 40_000)
    distorted = (truth - intercept) / slope

    found = platt(distorted, outcomes(truth, seed))

    assert abs(found.slope / slope - 1) < 0.1
    assert abs(found.intercept - intercept) < 0.15 * (1 + abs(intercept))


def test_platt_is_the_best_of_its_neighbours() -> None:
    truth = np.random.default_rng(1).normal(-1, 2, 5_000)
    bad = outcomes(truth)
    found = platt(1.7 * truth + 0.4, bad)
    best = log_loss(bad, found.apply(1.7 * truth + 0.4))
    for slope, intercept in [(0.98, 0.0), (1.02, 0.0), (1.0, 0.02), (1.0, -0.02)]:
        near = Calibration(found.slope * slope, found.intercept + intercept)
        assert log_loss(bad, near.apply(1.7 * truth + 0.4)) > best


def test_scores_that_separate_perfectly_are_still_calibrated() -> None:
    bad = np.arange(100) >= 70
    found = platt(np.where(bad, 1.0, -1.0), bad)
    assert 0.95 < found.apply(np.array([1.0]))[0] < 1


def test_scores_that_say_nothing_or_the_contrary_are_refused() -> None:
    truth = np.random.default_rng(2).normal(-1, 2, 2_000)
    bad = outcomes(truth)
    for scores in (-truth, np.zeros(2_000)):
        with pytest.raises(NotEnoughData, match="higher score means more bads"):
            platt(scores, bad)


def test_one_outcome_alone_calibrates_nothing() -> None:
    with pytest.raises(NotEnoughData, match="0 bad and 3 good"):
        platt(np.array([0.1, 0.2, 0.3]), np.zeros(3, dtype=bool))


def test_identity_changes_nothing() -> None:
    x = np.linspace(-5, 5, 11)
    np.testing.assert_array_equal(IDENTITY.apply(x), sigmoid(x))
