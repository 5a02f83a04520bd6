"""Pictures of a family: features that matter are kept, noise goes, and more rows close the gap."""

import numpy as np
import pytest

from models.adapters.scorecard import Scorecard
from models.calibration import sigmoid
from models.estimator import Family
from models.evaluation import log_loss
from models.splits import folds
from pipelines.search import Sample
from pipelines.selection import Bench, dimensionality, learning_curve, row_losses, select_features
from tests.fakes.families import LineFamily


def made(accounts: int = 900, noise: int = 6, seed: int = 0) -> Sample:
    """Two months of each account; `strong` and `weak` matter, the rest is noise."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(2 * accounts, 2 + noise))
    bad = rng.random(2 * accounts) < sigmoid(1.6 * X[:, 0] + 0.8 * X[:, 1] - 1)
    names = np.array([f"A{i}" for i in range(accounts)] * 2)
    return Sample(X, bad, names, ("strong", "weak", *(f"noise_{i}" for i in range(noise))))


DATA = made()


def bench(data: Sample = DATA, family: Family | None = None, workers: int = 1) -> Bench:
    parameters = {"ridge": 1.0, "bins": 5, "smoothing": 20.0, "penalty": 0.1}
    return Bench(family or LineFamily(), parameters, {}, folds(data.accounts, 3, 0), 0, workers)


def test_the_features_that_matter_are_kept_and_noise_goes() -> None:
    found = select_features(bench(family=Scorecard()), DATA, (1, 2, 4), 10_000)

    assert list(found.importance)[:2] == ["strong", "weak"]
    assert {"strong", "weak"} <= set(found.chosen)
    assert len(found.chosen) < len(DATA.features)
    by_size = {subset.size: subset for subset in found.subsets}
    assert list(by_size) == [1, 2, 4, 8]
    assert by_size[1].excess > 3 * by_size[1].error


def test_chosen_features_keep_the_order_of_the_graph() -> None:
    swapped = Sample(DATA.X[:, ::-1], DATA.bad, DATA.accounts, DATA.features[::-1])
    found = select_features(bench(swapped), swapped, (2,), 10_000)
    assert found.chosen == tuple(name for name in swapped.features if name in found.chosen)


def test_no_row_judges_a_subset_that_it_helped_to_choose() -> None:
    """`lucky` explains everything in the judged rows of the first fold. The other folds learn it, the first may not."""
    first = bench().folds[0][1]
    X = DATA.X.copy()
    X[first] = 0
    X[first, 7] = np.where(DATA.bad[first], 3.0, -3.0)
    lucky, family = Sample(X, DATA.bad, DATA.accounts, (*DATA.features[:7], "lucky")), LineFamily()

    select_features(bench(lucky, family), lucky, (1,), 10_000)

    assert [features for _, features in family.seen if len(features) == 1] == [("strong",), ("lucky",), ("lucky",)]


def test_selection_is_the_same_with_several_workers() -> None:
    assert select_features(bench(workers=3), DATA, (1, 2, 4), 900) == select_features(bench(), DATA, (1, 2, 4), 900)


def test_a_learning_curve_closes_with_more_rows() -> None:
    few, many = learning_curve(bench(), DATA, (0.03, 1.0))

    assert few["rows"] < many["rows"] == 1_200
    assert few["valid_log_loss"] - few["train_log_loss"] > many["valid_log_loss"] - many["train_log_loss"]
    assert few["valid_auc"] < many["valid_auc"]


def test_dropping_dimensions_costs_what_lay_in_them() -> None:
    whole, one, all_but_turned = dimensionality(bench(), DATA, (1, 8), 10_000)

    assert (whole["components"], whole["auc_gain"]) == (0, 0)
    assert one["explained_variance"] < 0.3
    assert one["auc_gain"] < -0.05
    assert all_but_turned["explained_variance"] == pytest.approx(1)
    assert abs(all_but_turned["auc_gain"]) < 0.005


def test_row_losses_average_to_the_log_loss() -> None:
    log_odds = np.random.default_rng(0).normal(size=len(DATA.bad))
    assert row_losses(DATA.bad, log_odds).mean() == pytest.approx(log_loss(DATA.bad, sigmoid(log_odds)))
