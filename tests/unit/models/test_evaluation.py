import json
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models import influence
from models.catalog import find
from models.evaluation import ENOUGH, clusters, evaluate, paired_gain, report, standard_error
from models.influence import MEASURES

USE_CASE = find("credit_default")


def portfolio(rows, seed=0):
    rng = np.random.default_rng(seed)
    truth = rng.normal(-1.2, 1.2, rows)
    bad = rng.random(rows) < 1 / (1 + np.exp(-truth))
    return bad, 1 / (1 + np.exp(-truth - rng.normal(0, 0.5, rows))), np.arange(rows)


def returning(accounts, months, seed):
    """Accounts that come back every month and hardly change: few witnesses, many rows."""
    rng = np.random.default_rng(seed)
    account = np.tile(np.arange(accounts), months)
    bad = (np.arange(accounts) < accounts // 3)[account]
    score = rng.normal(0, 1, accounts)[account] + bad + rng.normal(0, 0.3, len(account))
    return bad, score, account


scored = st.builds(portfolio, st.integers(80, 300), st.integers(0, 10_000)).filter(lambda made: 10 < sum(made[0]) < 70)


@settings(max_examples=25)
@given(scored)
def test_every_interval_contains_its_value(made):
    for name, found in evaluate(*made).items():
        assert found.low <= found.value <= found.high, name


@settings(max_examples=25)
@given(scored)
def test_gini_is_twice_the_auc_minus_one(made):
    found = evaluate(*made)
    assert found["gini"].value == pytest.approx(2 * found["auc"].value - 1)


@settings(max_examples=25)
@given(scored, st.sampled_from([np.sqrt, np.square, lambda p: p / 2, lambda p: p**3 / 4 + p / 2]))
def test_ranking_measures_do_not_change_under_a_monotone_transform(made, transform):
    bad, probability, accounts = made
    before, after = evaluate(bad, probability, accounts), evaluate(bad, transform(probability), accounts)
    for name in ("auc", "gini", "ks", "pr_auc"):
        assert before[name] == after[name]


@settings(max_examples=25)
@given(scored, st.randoms())
def test_the_order_of_the_rows_does_not_matter(made, random):
    order = random.sample(range(len(made[0])), len(made[0]))
    again = evaluate(*(part[order] for part in made))
    for name, found in evaluate(*made).items():
        assert (again[name].value, again[name].low) == pytest.approx((found.value, found.low))


@settings(max_examples=25)
@given(scored, st.sampled_from(["auc", "brier"]), st.integers(0, 100))
def test_what_one_model_gains_the_other_loses(made, metric, seed):
    bad, ours, accounts = made
    theirs = np.clip(ours + np.random.default_rng(seed).normal(0, 0.1, len(ours)), 0, 1)
    gain, loss = paired_gain(bad, ours, theirs, accounts, metric), paired_gain(bad, theirs, ours, accounts, metric)
    assert (gain.value, gain.low, gain.high) == pytest.approx((-loss.value, -loss.high, -loss.low))


@settings(max_examples=25)
@given(scored, st.sampled_from(["auc", "brier"]))
def test_a_model_gains_nothing_over_itself(made, metric):
    bad, probability, accounts = made
    gain = paired_gain(bad, probability, probability, accounts, metric)
    assert (gain.value, gain.low, gain.high) == (0, 0, 0)


@settings(max_examples=25)
@given(scored, st.integers(2, 4))
def test_repeating_the_same_accounts_adds_no_certainty(made, times):
    bad, probability, accounts = made
    once = evaluate(bad, probability, accounts)
    repeated = np.tile(bad, times), np.tile(probability, times)
    honest = evaluate(*repeated, np.tile(accounts, times))
    naive = evaluate(*repeated, np.arange(times * len(bad)))
    for name in MEASURES:
        assert (honest[name].low, honest[name].high) == pytest.approx((once[name].low, once[name].high), abs=1e-6)
        assert honest[name].high - honest[name].low > naive[name].high - naive[name].low


def test_the_error_of_the_auc_is_delongs():
    bad, score, accounts = portfolio(200)
    pairs = (score[bad][:, None] > score[~bad][None, :]).astype(float)
    expected = np.sqrt(np.var(pairs.mean(axis=1), ddof=1) / bad.sum() + np.var(pairs.mean(axis=0), ddof=1) / (~bad).sum())
    assert standard_error(influence.auc(bad, score), bad, clusters(accounts)) == pytest.approx(expected)


def test_the_error_of_the_auc_of_returning_accounts_is_obuchowskis():
    rng = np.random.default_rng(3)
    account, bad = rng.integers(0, 60, 240), rng.random(240) < 0.3
    score = rng.normal(0, 1, 60)[account] + bad + rng.normal(0, 0.5, 240)
    pairs = (score[bad][:, None] > score[~bad][None, :]).astype(float)
    deviation_bad, deviation_good = pairs.mean(axis=1) - pairs.mean(), pairs.mean(axis=0) - pairs.mean()
    ill = np.array([deviation_bad[account[bad] == a].sum() for a in range(60)])
    well = np.array([deviation_good[account[~bad] == a].sum() for a in range(60)])
    with_bad, with_good = len(set(account[bad])), len(set(account[~bad]))
    m, n, every = bad.sum(), (~bad).sum(), len(set(account))
    s10 = with_bad / ((with_bad - 1) * m) * np.sum(ill**2)
    s01 = with_good / ((with_good - 1) * n) * np.sum(well**2)
    s11 = every / (every - 1) * np.sum(ill * well)
    expected = np.sqrt(s10 / m + s01 / n + 2 * s11 / (m * n))
    assert standard_error(influence.auc(bad, score), bad, clusters(account)) == pytest.approx(expected)


def test_intervals_of_the_auc_cover_the_truth_as_often_as_they_promise():
    truth = NormalDist().cdf(1 / np.sqrt(2))
    covered = 0
    for seed in range(300):
        rng = np.random.default_rng(seed)
        bad = np.arange(240) < 60
        found = evaluate(bad, 1 / (1 + np.exp(-rng.normal(0, 1, 240) - bad)), np.arange(240))["auc"]
        covered += found.low <= truth <= found.high
    assert 0.92 <= covered / 300 <= 0.98


def test_only_clustered_intervals_cover_when_accounts_return():
    truth = NormalDist().cdf(1 / np.sqrt(2 * (1 + 0.3**2)))
    honest = naive = 0
    for seed in range(300):
        bad, score, account = returning(150, 4, seed)
        for accounts, clustered in ((account, True), (np.arange(len(bad)), False)):
            error = standard_error(influence.auc(bad, score), bad, clusters(accounts))
            covers = abs(influence.auc(bad, score).value - truth) <= 1.96 * error
            honest, naive = honest + (covers and clustered), naive + (covers and not clustered)
    assert 0.91 <= honest / 300 <= 0.98
    assert naive / 300 < 0.8


@pytest.mark.parametrize(
    "name", ["brier", "brier_ratio", "log_loss", "pr_auc", "calibration_slope", "calibration_intercept", "ks"]
)
def test_intervals_are_as_wide_as_those_of_an_account_bootstrap(name):
    bad, probability, accounts = (np.tile(part, 2) for part in portfolio(700, seed=5))
    probability = np.clip(probability + np.random.default_rng(0).normal(0, 0.02, len(bad)), 0.001, 0.999)
    drawn = []
    for seed in range(250):
        rows = np.random.default_rng(seed).integers(0, 700, 700)
        rows = np.r_[rows, rows + 700]
        drawn.append(MEASURES[name](bad[rows], probability[rows]).value)
    found = standard_error(MEASURES[name](bad, probability), bad, clusters(accounts))
    assert found == pytest.approx(np.std(drawn), rel=0.2)


@pytest.mark.parametrize("bad", [np.zeros(20, dtype=bool), np.ones(20, dtype=bool), np.zeros(0, dtype=bool)])
def test_one_kind_of_outcome_leaves_every_figure_undefined(bad):
    found = evaluate(bad, np.linspace(0.1, 0.9, len(bad)), np.arange(len(bad)))
    assert found.keys() == MEASURES.keys()
    assert all(np.isnan([value.value, value.low, value.high]).all() for value in found.values())


@pytest.mark.parametrize("poison", [np.nan, np.inf])
def test_a_single_broken_probability_leaves_every_figure_undefined(poison):
    bad, probability, accounts = portfolio(100)
    probability[7] = poison
    assert all(np.isnan(found.value) for found in evaluate(bad, probability, accounts).values())
    assert np.isnan(paired_gain(bad, np.full(100, 0.2), probability, accounts).low)


def reported(rows=2000):
    bad, probability, accounts = portfolio(rows)
    rng = np.random.default_rng(1)
    columns = {
        "status_0": np.where(np.arange(rows) < 30, 2, 0),
        "bill_0": rng.uniform(1, 90_000, rows),
        "payment_0": np.zeros(rows),
        "credit_limit": rng.choice([50_000.0, 300_000.0], rows),
    }
    months = np.where(np.arange(rows) < rows // 2, "2005-05", "2005-06")
    return report(USE_CASE, columns, bad, probability, accounts, months, accounts % 5 > 0), bad


def test_a_report_shows_every_group_that_has_to_be_seen_alone():
    found, bad = reported()
    assert set(found.groups) == {"cohort", "population", "account", "credit limit", "utilisation"}
    assert set(found.groups["cohort"]) == {"2005-05", "2005-06"}
    assert set(found.groups["population"]) == {"current", "already behind", "inactive"}
    assert found.groups["account"]["unseen"].rows == 400
    assert sum(part.bad for part in found.groups["cohort"].values()) == found.overall.bad == bad.sum()


def test_a_group_of_few_outcomes_gets_no_number():
    found, _ = reported()
    behind = found.to_dict()["groups"]["population"]["already behind"]
    assert behind == {"rows": 30, "bad": behind["bad"], "insufficient": f"fewer than {ENOUGH} bad or good outcomes"}


def test_a_report_is_plain_json():
    found, _ = reported()
    assert json.loads(json.dumps(found.to_dict(), allow_nan=False)) == found.to_dict()


def test_a_report_gives_a_tracker_flat_numbers():
    found, _ = reported()
    flat = found.metrics()
    assert flat["auc_low"] < flat["auc"] < flat["auc_high"]
    assert flat["cohort/2005-05/auc"] == found.groups["cohort"]["2005-05"].estimates["auc"].value
    assert "population/already behind/auc" not in flat
