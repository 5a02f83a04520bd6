"""A recipe is followed to the bit, and nobody is both teacher and examiner."""

import json
from dataclasses import replace

import numpy as np
import pytest

from models.adapters.gradient_boosting import GradientBoosting
from models.adapters.scorecard import Scorecard
from models.calibration import Calibration
from models.credit_default import USE_CASE
from models.errors import Integrity, Misconfigured, NotEnoughData
from models.splits import held_out
from pipelines.training import Recipe, cross_calibrated, fit, refit
from tests.datasets import dataset
from tests.fakes.families import LineFamily

RECIPE = Recipe(
    use_case="credit_default",
    family="scorecard",
    features=("months_behind_0", "utilisation_0", "credit_limit"),
    parameters={"bins": 5, "smoothing": 10.0, "penalty": 0.1},
    calibration=Calibration(0.9, 0.1),
    seed=3,
    development=("2005-05", "2005-06"),
    definition_version=1,
    search={"folds": 3},
)
FAMILIES = (Scorecard(), GradientBoosting())
TREES = {"trees": 20, "leaves": 7, "learning_rate": 0.1, "minimum_leaf": 0.01, "row_share": 0.8, "feature_share": 0.8, "l2": 1.0}


def test_a_recipe_is_plain_data() -> None:
    assert Recipe.from_dict(json.loads(json.dumps(RECIPE.to_dict()))) == RECIPE


@pytest.mark.parametrize(
    "recipe", [RECIPE, replace(RECIPE, family="gradient_boosting", parameters=TREES)], ids=lambda r: r.family
)
def test_a_recipe_read_back_makes_the_same_model(recipe: Recipe) -> None:
    rows, unseen = dataset(), dataset(("2005-07",), seed=1)
    copied = Recipe.from_dict(json.loads(json.dumps(recipe.to_dict())))
    first, again = fit(recipe, USE_CASE, FAMILIES, rows), fit(copied, USE_CASE, FAMILIES, rows)
    np.testing.assert_array_equal(first.probabilities(unseen.columns), again.probabilities(unseen.columns))
    assert first.ensemble().features == recipe.features


def test_without_other_rows_the_recipe_calibrates() -> None:
    assert fit(RECIPE, USE_CASE, FAMILIES, dataset()).calibration == RECIPE.calibration


def test_rows_of_other_accounts_calibrate() -> None:
    others = dataset(accounts=2_000, first=5_000, seed=2)
    model = fit(RECIPE, USE_CASE, FAMILIES, dataset(), others)
    assert model.calibration != RECIPE.calibration
    assert model.probabilities(others.columns).mean() == pytest.approx(others.bad.mean(), abs=0.005)


def test_an_account_that_trains_cannot_calibrate() -> None:
    with pytest.raises(Integrity, match="A00200 among them"):
        fit(RECIPE, USE_CASE, FAMILIES, dataset(), dataset(first=200))


def test_a_leaking_calibration_set_is_refused_too() -> None:
    others = dataset(first=5_000)
    leaking = replace(others, columns={**others.columns, "age": np.ones(len(others.bad))})
    with pytest.raises(Integrity, match="carry age"):
        fit(RECIPE, USE_CASE, FAMILIES, dataset(), leaking)


def test_probabilities_do_not_look_at_anything_but_inputs() -> None:
    rows = dataset()
    model = fit(RECIPE, USE_CASE, FAMILIES, rows)
    inputs = {name: rows.columns[name] for name in USE_CASE.contract.inputs}
    np.testing.assert_array_equal(model.probabilities(inputs), model.probabilities({**rows.columns, "sex": rows.bad}))


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"family": "oracle"}, "needs the family oracle"),
        ({"use_case": "mortgages"}, "is for mortgages"),
        ({"features": ("months_behind_0", "horoscope")}, "no longer has the features horoscope"),
    ],
)
def test_a_recipe_that_cannot_be_followed_says_why(changed: dict[str, object], problem: str) -> None:
    with pytest.raises(Misconfigured, match=problem):
        fit(replace(RECIPE, **changed), USE_CASE, FAMILIES, dataset())  # type: ignore[arg-type]


def test_the_final_model_never_sees_a_held_out_account_in_any_month() -> None:
    months = ("2005-05", "2005-06", "2005-07")
    rows, family = dataset(months, 1_500), LineFamily()
    recipe = replace(RECIPE, family="line", parameters={"ridge": 1.0})

    found = refit(recipe, USE_CASE, [family], rows)

    unseen = held_out(rows.accounts)
    assert [count for count, _ in family.seen] == [int((~unseen).sum())]
    assert set(found.check.accounts) == set(rows.accounts[unseen])
    assert set(found.check.months) == {"2005-07"}
    assert found.model.calibration != RECIPE.calibration


def test_the_check_is_judged_by_a_calibration_that_did_not_see_it() -> None:
    found = refit(RECIPE, USE_CASE, FAMILIES, dataset(("2005-05", "2005-06"), 1_500))
    own = found.model.probabilities(found.check.columns)
    assert len(found.probabilities) == len(found.check.bad)
    assert not np.array_equal(found.probabilities, own)
    np.testing.assert_allclose(found.probabilities, own, atol=0.1)


def test_an_outcome_does_not_reach_its_own_cross_calibrated_probability() -> None:
    rng = np.random.default_rng(0)
    log_odds, accounts = rng.normal(-1, 2, 2_000), np.arange(2_000)
    bad = rng.random(2_000) < 1 / (1 + np.exp(-log_odds))
    before = cross_calibrated(log_odds, bad, accounts, 1)
    for row in (0, 1, 2):
        changed = bad.copy()
        changed[row] = ~changed[row]
        assert cross_calibrated(log_odds, changed, accounts, 1)[row] == before[row]


def test_a_cohort_without_held_out_accounts_cannot_be_checked() -> None:
    rows = dataset()
    with pytest.raises(NotEnoughData, match="no held-out account"):
        refit(RECIPE, USE_CASE, FAMILIES, rows.take(~held_out(rows.accounts)))
