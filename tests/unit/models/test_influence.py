import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import ks_2samp
from sklearn import metrics
from sklearn.linear_model import LogisticRegression

from models import influence
from models.influence import MEASURES

# Nine rows with ties, small enough to count pairs by hand: of 20 (bad, good) pairs 13 are in order and 2 tie.
BAD = np.array([0, 0, 0, 0, 0, 1, 1, 1, 1], dtype=bool)
SCORE = np.array([0.1, 0.2, 0.3, 0.4, 0.6, 0.3, 0.2, 0.7, 0.8])


def portfolio(rows, seed=0, spread=1.2):
    """Outcomes and imperfect probabilities."""
    rng = np.random.default_rng(seed)
    truth = rng.normal(-1.2, spread, rows)
    bad = rng.random(rows) < 1 / (1 + np.exp(-truth))
    return bad, np.round(1 / (1 + np.exp(-0.9 * truth - rng.normal(0.1, 0.5, rows))), 3)


scored = st.builds(portfolio, st.integers(60, 200), st.integers(0, 10_000)).filter(lambda pair: 5 < sum(pair[0]) < 55)


def test_the_auc_of_nine_rows_counted_by_hand():
    assert influence.auc(BAD, SCORE).value == pytest.approx(14 / 20)


def test_delongs_placement_values_are_those_of_counting_every_pair():
    bad, score = portfolio(80)
    pairs = (score[bad][:, None] > score[~bad][None, :]) + 0.5 * (score[bad][:, None] == score[~bad][None, :])
    found = influence.auc(bad, score)
    assert found.value == pytest.approx(pairs.mean())
    shares = np.empty(len(bad))
    shares[bad], shares[~bad] = pairs.mean(axis=1), pairs.mean(axis=0)
    of_kind = np.where(bad, bad.sum(), (~bad).sum())
    np.testing.assert_allclose(found.influence, len(bad) * (shares - pairs.mean()) / of_kind)


@settings(max_examples=25)
@given(scored)
def test_the_figures_are_those_of_scikit_learn_and_scipy(pair):
    bad, p = pair
    assert influence.auc(bad, p).value == pytest.approx(metrics.roc_auc_score(bad, p))
    assert influence.pr_auc(bad, p).value == pytest.approx(metrics.average_precision_score(bad, p))
    assert influence.ks(bad, p).value == pytest.approx(ks_2samp(p[bad], p[~bad], method="asymp").statistic)
    assert influence.brier(bad, p).value == pytest.approx(metrics.brier_score_loss(bad, p))
    assert influence.log_loss(bad, p).value == pytest.approx(metrics.log_loss(bad, np.clip(p, 1e-12, 1 - 1e-12)))


def test_the_calibration_slope_is_that_of_a_logistic_regression():
    bad, p = portfolio(3000)
    p = np.clip(p, 0.001, 0.999)
    fit = LogisticRegression(C=np.inf, tol=1e-10).fit(np.log(p / (1 - p))[:, None], bad)
    assert influence.calibration_slope(bad, p).value == pytest.approx(fit.coef_[0, 0], rel=1e-5)


@settings(max_examples=25)
@given(scored, st.floats(0.3, 3), st.floats(-2, 2))
def test_stretching_the_log_odds_divides_the_slope_and_shifting_them_lowers_the_intercept(pair, stretch, shift):
    bad, p = pair
    odds = influence.log_odds(np.clip(p, 0.01, 0.99))

    def probability(log_odds):
        return 1 / (1 + np.exp(-log_odds))

    slope = influence.calibration_slope(bad, probability(odds)).value
    assert influence.calibration_slope(bad, probability(stretch * odds)).value == pytest.approx(slope / stretch, abs=1e-6)
    intercept = influence.calibration_intercept(bad, probability(odds)).value
    assert influence.calibration_intercept(bad, probability(odds + shift)).value == pytest.approx(intercept - shift, abs=1e-6)


def test_predicting_the_bad_rate_has_a_brier_ratio_of_one():
    bad, _ = portfolio(500)
    assert influence.brier_ratio(bad, np.full(500, bad.mean())).value == pytest.approx(1)


def test_a_slope_that_does_not_exist_is_undefined():
    bad = np.array([False] * 10 + [True] * 10)
    separated = np.where(bad, np.linspace(0.6, 0.9, 20), np.linspace(0.1, 0.4, 20))
    assert np.isnan(influence.calibration_slope(bad, separated).value)
    assert np.isnan(influence.calibration_slope(bad, np.full(20, 0.3)).value)


@settings(max_examples=25)
@given(scored)
def test_influence_has_mean_zero(pair):
    for name, measure in MEASURES.items():
        found = measure(*pair)
        if np.isfinite(found.value):
            assert np.mean(found.influence) == pytest.approx(0, abs=1e-7), name


@pytest.mark.parametrize("name", sorted(MEASURES))
def test_influence_says_what_one_more_row_changes(name):
    bad, p = portfolio(4000)
    p = np.clip(p, 0.001, 0.999)
    found = MEASURES[name](bad, p)
    for row in range(0, 4000, 400):
        twice = np.r_[np.arange(4000), row]
        change = MEASURES[name](bad[twice], p[twice]).value - found.value
        assert change * 4001 == pytest.approx(found.influence[row], abs=0.02 + 0.02 * abs(found.influence[row]))
