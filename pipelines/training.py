"""Following a recipe: from rows to a model, without any search. What a recipe holds is chosen in `development.py`.

It happens twice. The candidate is fitted on the development months and judged on the out-of-time month, opened once.
After the gate `refit` follows the frozen recipe on all matured cohorts; the held-out accounts stay unseen in every
month, and those of the newest cohort calibrate and check it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from models.calibration import Calibration, platt
from models.contract import Columns
from models.errors import Integrity, Misconfigured, NotEnoughData
from models.estimator import Family, Fitted, TreeEnsemble
from models.splits import folds, held_out
from models.usecase import UseCase
from pipelines.dataset import Dataset
from pipelines.search import sample

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Recipe:
    """Enough to make the model again from its rows. `calibration` is that of the out-of-fold scores."""

    use_case: str
    family: str
    features: tuple[str, ...]
    parameters: Mapping[str, float | int | str]
    calibration: Calibration
    seed: int
    development: tuple[str, ...]
    definition_version: int
    search: Mapping[str, Any]

    def to_dict(self) -> dict[str, Any]:
        return asdict(self) | {"features": list(self.features), "development": list(self.development)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        sequences = {name: tuple(data[name]) for name in ("features", "development")}
        return cls(**{**data, **sequences, "calibration": Calibration.from_dict(data["calibration"])})


@dataclass(frozen=True)
class TrainedModel:
    """A recipe followed. Its probabilities are the fitting library's own, which the exported graph must repeat."""

    recipe: Recipe
    calibration: Calibration
    fitted: Fitted
    use_case: UseCase

    def log_odds(self, columns: Columns) -> Floats:
        """Uncalibrated, shape (n,). Reads the contract's inputs and nothing else."""
        found = self.use_case.features({name: columns[name] for name in self.use_case.contract.inputs}, np)
        return self.fitted.log_odds(np.column_stack([found[name] for name in self.recipe.features]))

    def probabilities(self, columns: Columns) -> Floats:
        """Calibrated, shape (n,)."""
        return self.calibration.apply(self.log_odds(columns))

    def ensemble(self) -> TreeEnsemble:
        return self.fitted.ensemble()


@dataclass(frozen=True)
class Refit:
    """The final model, and its check: unseen accounts of the newest cohort with the probabilities to judge it by.

    These probabilities are calibrated crosswise, each half of the accounts by the other half, so no row is judged by a
    calibration that saw it. The model itself carries the calibration by all of them.
    """

    model: TrainedModel
    check: Dataset
    probabilities: Floats


def fit(
    recipe: Recipe,
    use_case: UseCase,
    families: Sequence[Family],
    dataset: Dataset,
    calibration: Dataset | None = None,
) -> TrainedModel:
    """Fit on every row of `dataset`; calibrate on rows of other accounts, or as the recipe says if there are none.

    Deterministic. Raises `Misconfigured` if the recipe cannot be followed here, `Integrity` if an account would both
    train and calibrate.
    """
    family = _family(recipe, families)
    if recipe.use_case != use_case.name:
        raise Misconfigured(f"the recipe is for {recipe.use_case}, not for {use_case.name}", hint="train with its own use case")
    data = sample(use_case, dataset)
    if missing := [name for name in recipe.features if name not in data.features]:
        raise Misconfigured(
            f"{use_case.name} no longer has the features {', '.join(missing)}", hint="develop a new recipe with `make train`"
        )
    data = data.only(recipe.features)
    fitted = family.fit(
        data.X,
        data.bad,
        features=data.features,
        directions=use_case.policy.directions,
        parameters=recipe.parameters,
        seed=recipe.seed,
    )
    model = TrainedModel(recipe, recipe.calibration, fitted, use_case)
    return model if calibration is None else _calibrated(model, dataset, calibration)


def refit(recipe: Recipe, use_case: UseCase, families: Sequence[Family], dataset: Dataset, *, share: float = 0.2) -> Refit:
    """Follow the recipe on all matured cohorts but for `share` of the accounts, which calibrate and check it."""
    unseen = held_out(dataset.accounts, share)
    newest = dataset.months == np.unique(dataset.months)[-1]
    check = dataset.take(unseen & newest)
    if not (unseen & newest).any():
        raise NotEnoughData("the newest cohort has no held-out account", hint="refit on more accounts")
    model = fit(recipe, use_case, families, dataset.take(~unseen), check)
    log_odds = model.log_odds(check.columns)
    return Refit(model, check, cross_calibrated(log_odds, check.bad, check.accounts, recipe.seed))


def cross_calibrated(log_odds: Floats, bad: NDArray[np.bool_], accounts: NDArray[Any], seed: int) -> Floats:
    """Probabilities (n,), the rows of each half of the accounts calibrated by the other half."""
    probabilities = np.empty(len(bad))
    for others, rows in folds(accounts, 2, seed):
        probabilities[rows] = platt(log_odds[others], bad[others]).apply(log_odds[rows])
    return probabilities


def _calibrated(model: TrainedModel, dataset: Dataset, calibration: Dataset) -> TrainedModel:
    if len(both := np.intersect1d(dataset.accounts, calibration.accounts)):
        raise Integrity(
            f"{len(both)} accounts would both train and calibrate, {both[0]} among them",
            hint="calibrate on accounts that no model is trained on: splits.held_out",
        )
    sample(model.use_case, calibration)
    found = platt(model.log_odds(calibration.columns), calibration.bad)
    return TrainedModel(model.recipe, found, model.fitted, model.use_case)


def _family(recipe: Recipe, families: Sequence[Family]) -> Family:
    for family in families:
        if family.name == recipe.family:
            return family
    known = ", ".join(family.name for family in families)
    raise Misconfigured(f"the recipe needs the family {recipe.family}", hint=f"known here: {known}")
