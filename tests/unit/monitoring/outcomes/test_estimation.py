"""An estimate is what the probabilities themselves expect, and no more: it cannot see what they do not."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.evaluation import auc, brier
from monitoring.outcomes.estimation import ASSUMPTION, Estimated, estimate, estimated, sketch

probabilities = st.lists(st.floats(0, 1, allow_nan=False), min_size=2, max_size=40).map(np.array)


def of(probability: np.ndarray) -> Estimated:
    return estimated(sketch(probability))


@given(probabilities)
def test_the_auc_is_that_of_the_expected_rates_up_to_what_the_bins_hide(probability: np.ndarray) -> None:
    found, bad, good = of(probability), probability, 1 - probability
    if found.auc is None:
        assert not bad.sum() * good.sum()
        return
    ahead = probability[:, None] > probability[None, :]
    ties = probability[:, None] == probability[None, :]
    exact = float(bad @ (ahead + ties / 2) @ good / (bad.sum() * good.sum()))
    assert abs(found.auc - exact) <= found.auc_doubt + 1e-8


@given(probabilities)
def test_bad_rate_and_brier_are_their_expected_values(probability: np.ndarray) -> None:
    found = of(probability)
    assert found.bad_rate == pytest.approx(probability.mean(), abs=1e-8)
    assert found.brier == pytest.approx(np.mean(probability * (1 - probability)), abs=1e-8)


def test_on_accounts_that_go_bad_as_said_the_estimate_is_met() -> None:
    rng = np.random.default_rng(0)
    probability = rng.beta(1, 5, 200_000)
    bad, found = rng.random(200_000) < probability, of(probability)
    assert found.auc == pytest.approx(auc(bad, probability), abs=0.004)
    assert found.brier == pytest.approx(brier(bad, probability), abs=0.002)
    assert found.bad_rate == pytest.approx(bad.mean(), abs=0.003)
    assert found.auc_doubt < 1e-4


def test_covariate_shift_moves_the_estimate_with_what_will_be_realised() -> None:
    rng = np.random.default_rng(1)
    easy, hard = rng.choice([0.02, 0.9], 100_000), rng.uniform(0.3, 0.5, 100_000)
    for probability in (easy, hard):
        bad = rng.random(100_000) < probability
        assert of(probability).auc == pytest.approx(auc(bad, probability), abs=0.01)
    assert (of(easy).auc or 0) - (of(hard).auc or 0) > 0.2


def test_concept_drift_does_not_move_it_and_the_sentence_says_so() -> None:
    rng = np.random.default_rng(2)
    probability = rng.beta(1, 5, 100_000)
    turned = rng.random(100_000) < 0.2  # whoever they are: the scores mean nothing any more
    assert (of(probability).auc or 0) - auc(turned, probability) > 0.15
    assert "sees covariate shift, not concept drift" in ASSUMPTION


def test_segments_without_rows_are_left_out() -> None:
    found = estimate({"": sketch(np.array([0.1, 0.4])), "nobody": sketch(np.array([]))}, {"definition_version": 2})
    assert (list(found.populations), found.definition, found.whole.rows) == (["all"], 2, 2)
