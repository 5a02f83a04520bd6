"""The cut-offs follow from the cost matrix if probabilities are right; outcomes show whether they are."""

import numpy as np
import pytest

from models.calibration import sigmoid
from models.credit_default.policy import POLICY
from models.policy import Action
from pipelines.thresholds import neighbours, realised

RNG = np.random.default_rng(0)
PROBABILITY = sigmoid(RNG.normal(-2, 1.5, 60_000))
BAD = RNG.random(60_000) < PROBABILITY
ACCOUNTS = np.arange(60_000)


def test_what_an_action_cost_is_known_once_the_outcome_is() -> None:
    cost, loss = POLICY.cost, POLICY.cost.exposure * POLICY.cost.loss_given_default
    found = realised(POLICY, POLICY.cut_offs, np.array([True, True, True, False, False]), np.array([0.01, 0.2, 0.9, 0.01, 0.9]))
    kept_bad, reviewed_bad, reduced_bad, kept_good, reduced_good = found
    assert kept_bad == loss
    assert reviewed_bad == pytest.approx(cost.review_cost + (1 - cost.review_catches) * loss)
    assert reduced_bad == pytest.approx((1 - cost.reduce_saves) * loss)
    assert kept_good == 0
    assert reduced_good == cost.lost_margin


def test_no_neighbour_is_surely_cheaper_when_probabilities_are_true() -> None:
    found = neighbours(POLICY, BAD, PROBABILITY, ACCOUNTS)
    assert (found[0].review, found[0].reduce) == (POLICY.cut_offs.review, POLICY.cut_offs.reduce)
    assert (found[0].excess, found[0].error) == (0, 0)
    assert len(found) == 9
    assert all(each.excess > -2 * each.error for each in found[1:])


def test_a_neighbour_is_surely_cheaper_when_probabilities_are_far_too_low() -> None:
    found = neighbours(POLICY, BAD, sigmoid(np.log(PROBABILITY / (1 - PROBABILITY)) - 1.0), ACCOUNTS)
    assert any(each.excess < -2 * each.error for each in found[1:] if each.review < found[0].review)


def test_cut_offs_out_of_order_are_no_neighbours() -> None:
    found = neighbours(POLICY, BAD, PROBABILITY, ACCOUNTS, factors=(1.0, 0.2, 5.0))
    assert all(each.review < each.reduce < 1 for each in found)
    assert len(found) < 9


def test_every_action_has_a_cost() -> None:
    found = realised(POLICY, POLICY.cut_offs, BAD, PROBABILITY)
    actions = POLICY.cut_offs.actions(POLICY.quantise(PROBABILITY))
    assert set(actions) == {action.value for action in Action}
    assert np.isfinite(found).all()
