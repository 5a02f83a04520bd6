"""The running example's features: directions that hold at the raw input, and exact arithmetic."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.adapters.gradient_boosting import GradientBoosting
from models.adapters.scorecard import Scorecard
from models.credit_default import USE_CASE
from models.credit_default.features import DIRECTIONS
from models.estimator import Fitted
from pipelines.search import sample
from tests.datasets import dataset
from tests.samples import rows

TREES = {"trees": 40, "leaves": 15, "learning_rate": 0.1, "minimum_leaf": 0.005, "row_share": 0.8, "feature_share": 0.8, "l2": 1}
CARD = {"bins": 8, "smoothing": 10.0, "penalty": 0.1}


def computed(columns: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    return USE_CASE.features(columns, np)


def one(**changed: float) -> dict[str, np.ndarray]:
    usual = {"credit_limit": 50_000, "status_0": 0, "status_1": 0, "bill_0": 10_000, "bill_1": 8_000}
    return {name: np.array([value]) for name, value in {**usual, "payment_0": 2_000, "payment_1": 0, **changed}.items()}


def test_every_feature_has_a_direction_and_every_direction_a_feature() -> None:
    assert set(computed(dict(rows(5)))) == set(DIRECTIONS) == set(USE_CASE.policy.directions)


@given(st.integers(0, 10_000))
def test_features_are_finite_on_every_row_that_the_contract_admits(seed: int) -> None:
    for name, values in computed(dict(rows(30, seed))).items():
        assert np.isfinite(values).all(), name
        assert values.dtype == np.float64
        assert values.shape == (30,)


@pytest.mark.parametrize(
    ("changed", "feature", "value"),
    [
        ({"status_0": 3, "status_1": 2}, "months_behind_both", 5),
        ({"status_0": 0, "status_1": 2}, "months_behind_both", 0),
        ({"status_0": 0, "status_1": 2}, "cured", 1),
        ({"status_0": 2, "status_1": 2}, "cured", 0),
        ({"status_0": 0, "status_1": -2}, "started", 1),
        ({"status_0": -2, "status_1": -2}, "started", 0),
        ({"status_0": -2}, "unused_0", 1),
        ({"payment_0": 2_000, "bill_1": 8_000}, "payment_ratio_0", 0.25),
        ({"payment_0": 9_000, "bill_1": 8_000}, "payment_ratio_0", 1),
        ({"payment_0": 0, "bill_1": -50}, "payment_ratio_0", 1),
        ({"bill_0": 60_000}, "headroom", -10_000),
    ],
)
def test_a_feature_says_what_its_name_says(changed: dict[str, float], feature: str, value: float) -> None:
    assert computed(one(**changed))[feature][0] == value


@pytest.fixture(scope="module", params=[(Scorecard(), CARD), (GradientBoosting(), TREES)], ids=lambda param: param[0].name)
def model(request: pytest.FixtureRequest) -> Fitted:
    family, parameters = request.param
    data = sample(USE_CASE, dataset(accounts=2_000))
    return family.fit(data.X, data.bad, features=data.features, directions=DIRECTIONS, parameters=parameters, seed=0)


def score(model: Fitted, columns: dict[str, np.ndarray]) -> np.ndarray:
    return model.log_odds(np.column_stack(list(computed(columns).values())))


@settings(deadline=None, max_examples=20)
@given(seed=st.integers(0, 10_000))
def test_being_further_behind_never_helps_an_account_that_is_behind(model: Fitted, seed: int) -> None:
    columns = dict(rows(40, seed))
    scores = [score(model, {**columns, "status_0": np.full(40, months)}) for months in range(1, 10)]
    assert np.all(np.diff(np.array(scores), axis=0) >= -1e-12)
