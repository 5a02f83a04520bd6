"""Both model families keep the same promises: deterministic, monotone where bound, and exactly what their export says."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from models.adapters.gradient_boosting import GradientBoosting, flat
from models.adapters.scorecard import FittedScorecard, Scorecard, bin_feature
from models.errors import Integrity, Misconfigured, NotEnoughData
from models.estimator import Family, Fitted, TreeEnsemble

FEATURES = ("up", "down", "free", "code", "noise")
DIRECTIONS = {"up": 1, "down": -1, "free": 0, "code": 1}
PARAMETERS: Mapping[str, Mapping[str, Any]] = {
    "scorecard": {"bins": 8, "smoothing": 20.0, "penalty": 0.1},
    "gradient_boosting": {
        "trees": 40,
        "leaves": 15,
        "learning_rate": 0.1,
        "minimum_leaf": 0.005,
        "row_share": 0.8,
        "feature_share": 0.8,
        "l2": 1.0,
    },
}
CARD = PARAMETERS["scorecard"]
FAMILIES = (Scorecard(), GradientBoosting())
both = pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)


def rows(seed: int = 0, count: int = 3_000) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Data that tempt a model to break its directions: `up` really falls at its end, `code` is rare and jumpy."""
    rng = np.random.default_rng(seed)
    X = np.column_stack(
        [
            rng.normal(0, 1, count).round(2),
            rng.exponential(1, count),
            rng.normal(0, 2, count),
            rng.choice([0, 1, 2, 3], count, p=[0.9, 0.01, 0.08, 0.01]),
            rng.normal(0, 1, count),
        ]
    )
    odds = np.where(X[:, 0] > 1.5, -2, X[:, 0]) - X[:, 1] + np.abs(X[:, 2]) + np.array([0, 2.5, 2, -1])[X[:, 3].astype(int)] - 1.5
    return X, rng.random(count) < 1 / (1 + np.exp(-odds))


def fitted(family: Family, seed: int = 0, **changed: Any) -> Fitted:
    X, y = rows(seed)
    parameters = {**PARAMETERS[family.name], **changed}
    return family.fit(X, y, features=FEATURES, directions=DIRECTIONS, parameters=parameters, seed=seed)


def walked(model: TreeEnsemble, X: NDArray[np.float64]) -> NDArray[np.float64]:
    """The ensemble by its definition, row by row in whole columns."""
    total = np.full(len(X), model.intercept)
    for tree in model.trees:
        node = np.zeros(len(X), dtype=np.int64)
        while (inner := tree.left[node] >= 0).any():
            left = X[np.arange(len(X)), tree.feature[node]] <= tree.threshold[node]
            node = np.where(inner, np.where(left, tree.left[node], tree.right[node]), node)
        total += tree.value[node]
    return total


@both
def test_the_export_is_the_fitted_model_on_and_around_every_threshold(family: Family) -> None:
    model = fitted(family)
    ensemble = model.ensemble()
    X, _ = rows(1, 2_000)
    edges = [(tree.feature[i], tree.threshold[i]) for tree in ensemble.trees for i in np.flatnonzero(tree.left >= 0)]
    for row, (feature, threshold) in enumerate(edges[:2_000]):
        X[row, feature] = (threshold, np.nextafter(threshold, np.inf), np.nextafter(threshold, -np.inf))[row % 3]

    assert ensemble.features == FEATURES
    np.testing.assert_allclose(walked(ensemble, X), model.log_odds(X), rtol=0, atol=1e-12)


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 1_000))
@both
def test_a_bound_feature_moves_the_score_in_its_direction_only(family: Family, seed: int) -> None:
    model = fitted(family, seed)
    X, _ = rows(seed + 1, 50)
    for column, direction in [(0, 1), (1, -1), (3, 1)]:
        grid = np.linspace(X[:, column].min() - 1, X[:, column].max() + 1, 41)
        scores = []
        for value in grid:
            moved = X.copy()
            moved[:, column] = value
            scores.append(model.log_odds(moved))
        assert np.all(direction * np.diff(np.array(scores), axis=0) >= -1e-12), FEATURES[column]


@both
def test_a_free_feature_may_bend(family: Family) -> None:
    X = np.zeros((3, 5))
    X[:, 2] = [-4, 0, 4]
    low, middle, high = X[0], X[1], X[2]
    scores = fitted(family).log_odds(np.array([low, middle, high]))
    assert scores[0] > scores[1] < scores[2]


@both
def test_equal_arguments_give_an_equal_model_and_equal_bits(family: Family) -> None:
    X, _ = rows(2)
    first, again = fitted(family), fitted(family)
    np.testing.assert_array_equal(first.log_odds(X), again.log_odds(X))
    for one, other in zip(first.ensemble().trees, again.ensemble().trees, strict=True):
        np.testing.assert_array_equal(one.threshold, other.threshold)
        np.testing.assert_array_equal(one.value, other.value)


@both
def test_a_row_scores_alone_as_in_company(family: Family) -> None:
    X, _ = rows(3, 100)
    model = fitted(family)
    np.testing.assert_allclose(np.concatenate([model.log_odds(X[i : i + 1]) for i in range(100)]), model.log_odds(X), atol=1e-13)


@both
def test_one_outcome_alone_teaches_nothing(family: Family) -> None:
    X, y = rows()
    with pytest.raises(NotEnoughData, match="same outcome"):
        family.fit(X, np.zeros_like(y), features=FEATURES, directions={}, parameters=PARAMETERS[family.name], seed=0)


def test_parameters_that_lightgbm_refuses_are_named() -> None:
    with pytest.raises(Misconfigured, match="LightGBM refused") as caught:
        fitted(GradientBoosting(), row_share=-1.0)
    assert "row_share" in caught.value.hint


def test_a_smallest_leaf_is_a_share_of_the_rows() -> None:
    leaves = [len(np.flatnonzero(tree.left < 0)) for tree in fitted(GradientBoosting(), minimum_leaf=0.4).ensemble().trees]
    assert max(leaves) <= 2


def test_a_booster_that_cannot_split_is_exported_all_the_same() -> None:
    model = fitted(GradientBoosting(), minimum_leaf=0.9)
    X, _ = rows()
    np.testing.assert_allclose(walked(model.ensemble(), X), model.log_odds(X), atol=1e-12)
    assert np.ptp(model.log_odds(X)) == 0


def test_a_categorical_split_has_no_export() -> None:
    leaf = {"leaf_value": 0.0}
    split = {"split_feature": 0, "threshold": 1.0, "decision_type": "==", "missing_type": "None"}
    with pytest.raises(Integrity, match="no exact export"):
        flat({**split, "left_child": leaf, "right_child": leaf})


def scorecard(**changed: Any) -> FittedScorecard:
    found = fitted(Scorecard(), **changed)
    assert isinstance(found, FittedScorecard)
    return found


def test_no_feature_of_a_scorecard_has_the_wrong_sign() -> None:
    card = scorecard()
    assert np.all(card.coefficients >= 0)
    assert card.coefficients[0] > 0


@given(st.integers(0, 50), st.sampled_from([1, -1]), st.floats(0, 300))
@settings(max_examples=25, deadline=None)
def test_bins_of_a_bound_feature_have_monotone_evidence_and_keep_every_row(seed: int, direction: int, smoothing: float) -> None:
    X, y = rows(seed, 800)
    for column in range(X.shape[1]):
        binned = bin_feature(X[:, column], y, 10, smoothing + 1, direction, seed)
        assert np.all(direction * np.diff(binned.woe) > 0)
        assert binned.rows.sum() == len(y)
        assert binned.bad.sum() == y.sum()
        place = np.searchsorted(binned.edges, X[:, column], side="left")
        np.testing.assert_array_equal(np.bincount(place, minlength=len(binned.rows)), binned.rows)
        np.testing.assert_array_equal(np.bincount(place, weights=y, minlength=len(binned.rows)), binned.bad)


def test_a_feature_that_would_count_the_wrong_way_is_dropped() -> None:
    """Alone `echo` goes with bads; beside `up`, of which it is an echo, it would lower the score."""
    rng = np.random.default_rng(0)
    up = rng.normal(0, 1, 6_000)
    echo = up + rng.normal(0, 0.5, 6_000)
    bad = rng.random(6_000) < 1 / (1 + np.exp(-(2.5 * up - echo - 1)))
    card = Scorecard().fit(
        np.column_stack([up, echo]), bad, features=("up", "echo"), directions={"up": 1, "echo": 1}, parameters=CARD, seed=0
    )
    assert card.coefficients[0] > 0
    assert card.coefficients[1] == 0
    assert {row["feature"] for row in card.points()} == {"up"}


def test_more_smoothing_draws_evidence_towards_the_average() -> None:
    X, y = rows()
    some, much = (bin_feature(X[:, 2], y, 8, smoothing, 0, 0).woe for smoothing in (1.0, 10_000.0))
    assert np.abs(much).max() < np.abs(some).max() / 3


def test_a_constant_feature_is_left_off_the_card() -> None:
    X, y = rows()
    X[:, 4] = 7.0
    model = Scorecard().fit(X, y, features=FEATURES, directions={}, parameters=PARAMETERS["scorecard"], seed=0)
    assert model.coefficients[4] == 0
    assert all((tree.feature[tree.left >= 0] != 4).all() for tree in model.ensemble().trees)


def test_points_add_up_to_the_score_on_the_customary_scale() -> None:
    """600 points at 50 good to 1 bad, 20 points double the odds; each feature's points are rounded."""
    card = scorecard()
    X, _ = rows(5, 200)
    table = card.points()
    for x, log_odds in zip(X, card.log_odds(X), strict=True):
        total = 0
        for row in table:
            value = x[FEATURES.index(row["feature"])]
            above, to = row["above"], row["to"]
            if (above is None or value > above) and (to is None or value <= to):
                total += row["points"]
        assert abs(total - (600 - 20 * (log_odds + np.log(50)) / np.log(2))) <= 0.5 * len(FEATURES) + 1e-9


def test_a_riskier_bin_has_fewer_points() -> None:
    for row, following in zip(table := scorecard().points(), table[1:], strict=False):
        if row["feature"] == following["feature"]:
            assert (row["woe"] < following["woe"]) == (row["points"] > following["points"]) or row["points"] == following[
                "points"
            ]
