"""What tells a group: chance is .5, a feature may point either way, and all features together see more than one."""

import numpy as np
import pytest

from models.credit_default.policy import POLICY
from models.governance.fairness.figures import Kind, Verdict, judge
from models.governance.fairness.proxy import TOGETHER, Power, figures, powers
from models.policy import FairnessLimits

LIMITS: FairnessLimits = POLICY.fairness  # type: ignore[assignment]
ROWS = 2_000
RNG = np.random.default_rng(5)
ACCOUNTS = np.array([f"A{number:05d}" for number in range(ROWS)])
SEX = np.where(RNG.random(ROWS) < 0.4, "male", "female")
MALE = SEX == "male"
NOISE = RNG.normal(size=ROWS)
COLUMNS = {"sex": SEX}


def found(features: dict[str, np.ndarray], score: np.ndarray = NOISE) -> dict[str, Power]:
    every = powers(features, score, COLUMNS, ACCOUNTS, LIMITS, 0.95)
    return {power.predictor: power for power in every if power.group == "male"}


def test_a_feature_that_is_the_group_tells_it_without_error() -> None:
    assert found({"twin": MALE.astype(float)})["twin"].estimate.value == 1


def test_one_pair_of_four_in_the_wrong_order_worked_out_by_hand() -> None:
    """Men score 2 and 4, women 1 and 3: of four pairs three are in order, so the AUC is .75; turned round it is .75 too."""
    columns, limits = {"sex": np.repeat(["male", "female"], 10)}, LIMITS.model_copy(update={"minimum_cell": 10})
    values = np.repeat([2.0, 4.0, 1.0, 3.0], 5)
    every = powers({"up": values, "down": -values}, values, columns, np.arange(20).astype(str), limits, 0.95)
    assert [power.estimate.value for power in every if power.predictor != TOGETHER] == [0.75] * 6


def test_noise_stays_as_near_to_chance_as_chance_allows() -> None:
    power = found({"noise": NOISE})["noise"]
    assert power.estimate.value < power.chance < 0.55


def test_an_interval_is_turned_with_its_value() -> None:
    feature = MALE + 2 * NOISE
    up, down = (found({"it": values})["it"].estimate for values in (feature, -feature))
    assert 0.5 < up.low < up.value < up.high
    assert (down.low, down.value, down.high) == pytest.approx((up.low, up.value, up.high), abs=1e-9)


def test_all_features_together_see_a_shape_that_no_order_shows() -> None:
    """Men at both ends of a scale: the order of the feature says nothing, its bins say nearly all."""
    scale = np.where(MALE, np.sign(NOISE) * (2 + np.abs(NOISE)), RNG.normal(size=ROWS))
    power = found({"scale": scale})
    assert power["scale"].estimate.value < 0.6
    assert power[TOGETHER].estimate.value > 0.9


def test_together_is_out_of_fold_so_noise_learns_nothing() -> None:
    features = {f"noise {number}": RNG.normal(size=ROWS) for number in range(15)}
    power = found(features)[TOGETHER]
    assert power.estimate.value < power.chance + 0.02


def test_a_group_of_few_accounts_is_told_by_nothing() -> None:
    few = {"sex": np.where(np.arange(ROWS) < LIMITS.minimum_cell - 1, "rare", "common")}
    every = powers({"it": NOISE}, NOISE, few, ACCOUNTS, LIMITS, 0.95)
    assert every == []
    made = figures("a sample", every, few, LIMITS)
    assert {ruling.verdict for ruling in judge(made, LIMITS)} == {Verdict.INSUFFICIENT}


def test_the_group_that_a_predictor_tells_best_is_the_figure() -> None:
    status = {"marriage": np.where(MALE, "single", np.where(NOISE > 0, "married", "other"))}
    every = powers({"it": MALE.astype(float)}, NOISE, status, ACCOUNTS, LIMITS, 0.95)
    figure = next(each for each in figures("a sample", every, status, LIMITS) if each.group.endswith("by it"))
    assert (figure.kind, figure.group, figure.estimate.value) == (Kind.PROXY_AUC, "single by it", 1)
    assert "chance is .5 and strays up to 0.5" in figure.how
    assert {ruling.verdict for ruling in judge([figure], LIMITS)} == {Verdict.OUTSIDE}
