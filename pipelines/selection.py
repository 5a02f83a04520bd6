"""Pictures of a family on the development folds: which features it needs, whether more rows or fewer dimensions would help.

All of it is computed, on the same folds as the search, and returned as plain values; nothing is asserted.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from models.calibration import sigmoid
from models.estimator import Family, Fitted, Parameters
from models.evaluation import auc, clusters, log_loss, standard_error
from models.influence import TINY, mean
from models.splits import Indices
from pipelines.search import Folds, Sample, starved, thinned

Floats = NDArray[np.float64]
TOLERANCE = 0.001  # of the best log-loss; what fewer features may cost
JUDGED = 5_000  # rows of each side that a point of the learning curve is judged on
SHUFFLED = 2_000  # rows of a fold in which features are shuffled

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Bench:
    """A family with fixed parameters on fixed folds: what every picture here is taken of."""

    family: Family
    parameters: Parameters
    directions: Mapping[str, int]
    folds: Folds
    seed: int
    workers: int

    def fit(self, data: Sample, rows: Indices, *, constrained: bool = True) -> Fitted:
        return self.family.fit(
            data.X[rows],
            data.bad[rows],
            features=data.features,
            directions=self.directions if constrained else {},
            parameters=self.parameters,
            seed=self.seed,
        )

    def each(self, call: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
        """In order, side by side: the libraries that fit release the interpreter's lock."""
        with ThreadPoolExecutor(self.workers) as pool:
            return list(pool.map(call, items))


@dataclass(frozen=True)
class Subset:
    """The `size` best features: log-loss, what it loses against the best subset, and that difference's standard error."""

    size: int
    loss: float
    excess: float
    error: float


@dataclass(frozen=True)
class Selection:
    """`importance` by feature, most important first: log-loss added by shuffling the feature in unseen rows."""

    importance: Mapping[str, float]
    subsets: tuple[Subset, ...]
    chosen: tuple[str, ...]


def select_features(bench: Bench, data: Sample, sizes: Sequence[int], rows: int) -> Selection:
    """The smallest of the nested subsets that is safely as good as the best: excess + standard error within `TOLERANCE`.

    That is the one-standard-error rule (Breiman et al. 1984, 3.4.3) turned to the safe side: the noisier the comparison,
    the more features stay. (The rule itself drops features because the data are few; out of time that cost up to .005
    of AUC here.) The error is that of the paired difference. In each fold features are ranked inside its training side, so no row
    judges a subset that it helped to choose. Folds are starved to about `rows` training rows.
    """
    folds = starved(data, bench.folds, rows, bench.seed)
    importance = np.array(bench.each(lambda fold: _importance(bench, data, fold[0]), folds))
    sizes = sorted({min(size, len(data.features)) for size in sizes} | {len(data.features)})

    def losses(task: tuple[int, int]) -> Floats:
        size, number = task
        ranked = _ranked(importance[number : number + 1], data.features)
        part, (train, valid) = data.only(_in_order(ranked[:size], data.features)), folds[number]
        return row_losses(part.bad[valid], bench.fit(part, train).log_odds(part.X[valid]))

    tasks = [(size, number) for size in sizes for number in range(len(folds))]
    found = dict(zip(tasks, bench.each(losses, tasks), strict=True))
    judged = np.concatenate([valid for _, valid in folds])
    by_size = [np.concatenate([found[size, number] for number in range(len(folds))]) for size in sizes]
    subsets = _compared(sizes, by_size, data.bad[judged], data.accounts[judged])
    best = min(subset.loss for subset in subsets)
    smallest = next(subset for subset in subsets if subset.excess + subset.error <= TOLERANCE * best)
    ranked = _ranked(importance, data.features)
    values = dict(zip(data.features, importance.mean(axis=0).tolist(), strict=True))
    return Selection({name: values[name] for name in ranked}, subsets, _in_order(ranked[: smallest.size], data.features))


def learning_curve(bench: Bench, data: Sample, shares: Sequence[float]) -> list[dict[str, float]]:
    """Training against validation by number of training rows, means over the folds; each judged on `JUDGED` rows.

    A gap that stays wide says variance (more rows help); two curves that met say bias (another family might).
    """

    def point(task: tuple[float, tuple[Indices, Indices]]) -> dict[str, float]:
        share, (train, valid) = task
        part = thinned(data.accounts, train, int(share * len(train)), bench.seed)
        fitted, point = bench.fit(data, part), {"rows": float(len(part))}
        for side, rows in (("train", part), ("valid", valid)):
            judged = thinned(data.accounts, rows, JUDGED, bench.seed)
            scores = fitted.log_odds(data.X[judged])
            point |= {
                f"{side}_log_loss": log_loss(data.bad[judged], sigmoid(scores)),
                f"{side}_auc": auc(data.bad[judged], scores),
            }
        return point

    tasks = [(share, fold) for share in shares for fold in bench.folds]
    points = bench.each(point, tasks)
    count = len(bench.folds)
    return [_mean(points[first : first + count]) for first in range(0, len(points), count)]


def dimensionality(bench: Bench, data: Sample, counts: Sequence[int], rows: int) -> list[dict[str, float]]:
    """What the first principal components would gain or cost against the features themselves, means over the folds.

    Components are of standardised features, found on the training side. They mix features, so no direction holds and
    no reason can be named: a gain would have to pay for both.
    """
    folds = starved(data, bench.folds, rows, bench.seed)

    def point(task: tuple[int, tuple[Indices, Indices]]) -> dict[str, float]:
        count, (train, valid) = task
        turned, explained = (_turned(data, train, count)) if count else (data, 1.0)
        scores = bench.fit(turned, train, constrained=not count).log_odds(turned.X[valid])
        return {
            "components": float(count),
            "explained_variance": explained,
            "log_loss": log_loss(data.bad[valid], sigmoid(scores)),
            "auc": auc(data.bad[valid], scores),
        }

    tasks = [(count, fold) for count in (0, *counts) for fold in folds]
    points = bench.each(point, tasks)
    means = [_mean(points[first : first + len(folds)]) for first in range(0, len(points), len(folds))]
    return [each | {"auc_gain": each["auc"] - means[0]["auc"]} for each in means]


def row_losses(bad: NDArray[np.bool_], log_odds: Floats) -> Floats:
    """Negative log-likelihood by row, shape (n,)."""
    kept = np.clip(sigmoid(log_odds), TINY, 1 - TINY)
    return np.asarray(-np.where(bad, np.log(kept), np.log1p(-kept)))


def _importance(bench: Bench, data: Sample, rows: Indices) -> Floats:
    """Log-loss added by shuffling each feature (Breiman 2001) among rows that were kept from the fit, shape (features,)."""
    judged = thinned(data.accounts, rows, min(SHUFFLED, len(rows) // 3), bench.seed)
    fitted = bench.fit(data, np.setdiff1d(rows, judged))
    X, bad = data.X[judged], data.bad[judged]
    order = np.random.default_rng(bench.seed).permutation(len(judged))
    base = log_loss(bad, sigmoid(fitted.log_odds(X)))
    added = []
    for column in range(X.shape[1]):
        shuffled = X.copy()
        shuffled[:, column] = X[order, column]
        added.append(log_loss(bad, sigmoid(fitted.log_odds(shuffled))) - base)
    return np.array(added)


def _compared(
    sizes: Sequence[int], losses: Sequence[Floats], bad: NDArray[np.bool_], accounts: NDArray[Any]
) -> tuple[Subset, ...]:
    best = min(losses, key=lambda rows: float(rows.mean()))
    cluster = clusters(accounts)
    return tuple(
        Subset(size, float(rows.mean()), float((rows - best).mean()), standard_error(mean(rows - best), bad, cluster))
        for size, rows in zip(sizes, losses, strict=True)
    )


def _ranked(importance: Floats, features: Sequence[str]) -> list[str]:
    return [features[i] for i in np.argsort(-importance.mean(axis=0), kind="stable")]


def _in_order(chosen: Sequence[str], features: Sequence[str]) -> tuple[str, ...]:
    return tuple(name for name in features if name in set(chosen))


def _turned(data: Sample, train: Indices, count: int) -> tuple[Sample, float]:
    """The sample in its first principal components, and the share of the variance that they keep."""
    center, spread = data.X[train].mean(axis=0), data.X[train].std(axis=0)
    Z = (data.X - center) / np.where(spread > 0, spread, 1.0)
    values, vectors = np.linalg.eigh(Z[train].T @ Z[train])
    first = np.argsort(-values)[:count]
    names = tuple(f"component_{number}" for number in range(1, count + 1))
    return Sample(Z @ vectors[:, first], data.bad, data.accounts, names), float(values[first].sum() / values.sum())


def _mean(points: Sequence[Mapping[str, float]]) -> dict[str, float]:
    return {name: float(np.mean([point[name] for point in points])) for name in points[0]}
