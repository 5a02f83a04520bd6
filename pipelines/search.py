"""One search for every model family: which hyper-parameters predict accounts best that the model has not seen?

The measure is log-loss on the validation folds. Like the Brier score it is smallest for the true probability, but it
also punishes being wrong among the small probabilities, where the review cut-off lies; the Brier score hardly sees them.
"""

import hashlib
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from models.bundle import canonical
from models.calibration import sigmoid
from models.contract import Role
from models.errors import Integrity, NotEnoughData
from models.estimator import Dimension, Family, Parameters
from models.evaluation import log_loss
from models.splits import Indices, numbered
from models.usecase import UseCase
from pipelines.dataset import Dataset

Folds = Sequence[tuple[Indices, Indices]]
Loss = Callable[[Parameters, int], float]
Progress = Callable[[str, int, int], None]
"""Called with what is done, how many steps of it are finished, and how many there are."""


def silently(_what: str, _done: int, _total: int) -> None:
    """Progress that nobody watches."""


@dataclass(frozen=True)
class Sample:
    """What an estimator sees. `X` has shape (rows, features), the others (rows,)."""

    X: NDArray[np.float64]
    bad: NDArray[np.bool_]
    accounts: NDArray[np.str_]
    features: tuple[str, ...]

    def only(self, features: Sequence[str]) -> "Sample":
        places = [self.features.index(name) for name in features]
        return Sample(self.X[:, places], self.bad, self.accounts, tuple(features))


@dataclass(frozen=True)
class Trial:
    """One set of parameters and its loss by fold, fewer folds than there are if it was given up early."""

    number: int
    parameters: Mapping[str, float | int | str]
    losses: tuple[float, ...]
    pruned: bool

    @property
    def loss(self) -> float:
        return float(np.mean(self.losses))


@dataclass(frozen=True)
class Search:
    """Every trial in order, and how many of them an earlier, interrupted run had finished."""

    family: str
    key: str
    trials: tuple[Trial, ...]
    resumed: int

    @property
    def best(self) -> Trial:
        return self.finalists(1)[0]

    def finalists(self, count: int) -> list[Trial]:
        """The `count` best trials that saw every fold, best first; the earlier of equals first."""
        whole = [trial for trial in self.trials if not trial.pruned]
        return sorted(whole, key=lambda trial: (trial.loss, trial.number))[:count]

    def summary(self) -> dict[str, Any]:
        pruned = sum(trial.pruned for trial in self.trials)
        return {"trials": len(self.trials), "pruned": pruned, "best_loss": self.best.loss, "study": self.key}


class Optimiser(Protocol):
    """Where trials are kept and parameters come from."""

    def minimise(
        self,
        key: str,
        space: Mapping[str, Dimension],
        loss: Loss,
        *,
        folds: int,
        budget: int,
        seed: int,
        progress: Progress,
    ) -> tuple[list[Trial], int]:
        """`budget` trials in order, and how many of them were found finished under this key.

        The same key, seed and budget give the same trials, whatever the number of workers and however often the
        search was killed. `loss(parameters, fold)` may be called from several threads. Raises `Conflict` if somebody
        else is at work on this key.
        """
        ...


def sample(use_case: UseCase, dataset: Dataset) -> Sample:
    """The design matrix. Raises `Integrity` if the rows carry anything that a model may never see."""
    allowed = set(use_case.contract.named(Role.KEY, Role.TIME, Role.INPUT))
    if foreign := sorted(set(dataset.columns) - allowed):
        raise Integrity(
            f"the training rows carry {', '.join(foreign)}, which no model of {use_case.name} may see",
            hint="read snapshots with the roles key, time and input only",
        )
    found = use_case.features({name: dataset.columns[name] for name in use_case.contract.inputs}, np)
    X = np.column_stack(list(found.values()))
    if not np.isfinite(X).all():
        wrong = [name for name, values in found.items() if not np.isfinite(values).all()]
        raise Integrity(f"{', '.join(wrong)} have values that are not finite", hint="mend the feature function")
    return Sample(X, dataset.bad, dataset.accounts, tuple(found))


def search(
    family: Family,
    space: Mapping[str, Dimension],
    data: Sample,
    folds: Folds,
    directions: Mapping[str, int],
    *,
    budget: int,
    seed: int,
    rows: int,
    optimiser: Optimiser,
    progress: Progress,
) -> Search:
    """Try `budget` sets of parameters on folds starved to about `rows` training rows."""
    lean = starved(data, folds, rows, seed)

    def loss(parameters: Parameters, fold: int) -> float:
        train, valid = lean[fold]
        fitted = family.fit(
            data.X[train],
            data.bad[train],
            features=data.features,
            directions=directions,
            parameters=parameters,
            seed=seed,
        )
        return log_loss(data.bad[valid], sigmoid(fitted.log_odds(data.X[valid])))

    key = identity(family, space, data, lean, directions, budget, seed)
    trials, resumed = optimiser.minimise(key, space, loss, folds=len(folds), budget=budget, seed=seed, progress=progress)
    if all(trial.pruned for trial in trials):
        raise NotEnoughData(f"no trial of {family.name} finished", hint="raise the number of trials")
    return Search(family.name, key, tuple(trials), resumed)


def starved(data: Sample, folds: Folds, rows: int, seed: int) -> Folds:
    """The folds with about `rows` training and half as many validation rows at most: what is compared often stays cheap."""
    return [(thinned(data.accounts, train, rows, seed), thinned(data.accounts, valid, rows // 2, seed)) for train, valid in folds]


def thinned(accounts: NDArray[Any], chosen: Indices, rows: int, seed: int) -> Indices:
    """About `rows` of the chosen rows at most, by whole accounts."""
    if len(chosen) <= rows:
        return chosen
    place = numbered(accounts[chosen])
    distinct = int(place.max()) + 1
    kept = np.random.default_rng(seed).permutation(distinct) < distinct * rows / len(chosen)
    return chosen[kept[place]]


def identity(
    family: Family,
    space: Mapping[str, Dimension],
    data: Sample,
    folds: Folds,
    directions: Mapping[str, int],
    budget: int,
    seed: int,
) -> str:
    """The name of a study: everything that its result depends on, the family's own code included."""
    digest = hashlib.sha256()
    digest.update(inspect.getsource(inspect.getmodule(type(family)) or type(family)).encode())
    for array in (data.X, data.bad, *(rows for fold in folds for rows in fold)):
        digest.update(np.ascontiguousarray(array).tobytes())
    settings = {
        "space": {name: [type(dimension).__name__, asdict(dimension)] for name, dimension in space.items()},
        "features": data.features,
        "directions": dict(directions),
        "budget": budget,
        "seed": seed,
    }
    digest.update(canonical(settings))
    return f"{family.name}-{digest.hexdigest()[:16]}"
