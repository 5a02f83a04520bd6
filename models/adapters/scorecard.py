"""The interpretable challenger: a scorecard on weights of evidence, the credit industry's standard (Siddiqi 2006, ch. 6).

Each feature is cut into bins, each bin gets its weight of evidence (WOE), and a logistic regression weighs the
features. WOE is here the bin's log-odds of bad less those of the portfolio: more is riskier (Siddiqi's has the other
sign). A constrained feature's neighbouring bins are merged until its WOE is monotone, and a feature whose coefficient
has the wrong sign is dropped. Both together make the score monotone in every constrained feature.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeClassifier

from models.adapters.one_thread import one_thread
from models.errors import NotEnoughData
from models.estimator import Parameters, Tree, TreeEnsemble

Floats = NDArray[np.float64]
Counts = NDArray[Any]

FINE = 100  # fine classes by feature, before they are joined to bins
SMALLEST = 0.01  # share of the rows that a bin holds at least
DIGITS = 9  # of a coefficient: enough for any score, and equal where linear algebra differs in its last bits
TO_DOUBLE, BASE, ODDS = 20.0, 600.0, 50.0  # the customary scale: 600 points at 50 good to 1 bad, 20 points double the odds


@dataclass(frozen=True)
class Binned:
    """One feature: `len(edges) + 1` bins, closed on their right as tree nodes are. The other arrays have one entry a bin."""

    edges: Floats
    bad: Counts
    rows: Counts
    woe: Floats

    def of(self, values: Floats) -> Floats:
        """WOE by row."""
        return np.asarray(self.woe[np.searchsorted(self.edges, values, side="left")])


class Scorecard:
    """Parameters: `bins` (by feature, at most), `smoothing` (rows of average risk added to each bin), `penalty` (L2)."""

    name = "scorecard"
    complexity = 1

    def fit(
        self,
        X: Floats,
        y: NDArray[np.bool_],
        *,
        features: Sequence[str],
        directions: Mapping[str, int],
        parameters: Parameters,
        seed: int,
    ) -> "FittedScorecard":
        """Raises `NotEnoughData` if only one outcome occurs."""
        if len(np.unique(y)) < 2:
            raise NotEnoughData("all rows have the same outcome", hint="train on more rows")
        most, smoothing = int(parameters["bins"]), float(parameters["smoothing"])
        binned = tuple(bin_feature(X[:, i], y, most, smoothing, directions.get(name, 0), seed) for i, name in enumerate(features))
        woe = np.column_stack([each.of(X[:, i]) for i, each in enumerate(binned)])
        coefficients, intercept = _regression(woe, y, float(parameters["penalty"]))
        return FittedScorecard(tuple(features), binned, coefficients, intercept)


@dataclass(frozen=True)
class FittedScorecard:
    """`log_odds(x) = intercept + sum of coefficient * WOE`. A dropped feature has the coefficient 0."""

    features: tuple[str, ...]
    binned: tuple[Binned, ...]
    coefficients: Floats
    intercept: float

    def log_odds(self, X: Floats) -> Floats:
        woe = np.column_stack([each.of(X[:, i]) for i, each in enumerate(self.binned)])
        return np.asarray(woe @ self.coefficients + self.intercept)

    def ensemble(self) -> TreeEnsemble:
        """One balanced tree a feature; its leaves are the bins."""
        parts = zip(self.coefficients, self.binned, strict=True)
        trees = [_tree(i, each.edges, weight * each.woe) for i, (weight, each) in enumerate(parts) if weight > 0]
        return TreeEnsemble(self.features, self.intercept, tuple(trees))

    def points(self) -> list[dict[str, Any]]:
        """The card on paper: a row by feature and bin, `above < value <= to` (None: no limit). More points are safer.

        Points are on the customary scale; the base points are spread evenly over the features of the card.
        """
        factor = TO_DOUBLE / np.log(2)
        on_card = np.flatnonzero(self.coefficients)
        base = (BASE - factor * (np.log(ODDS) + self.intercept)) / max(len(on_card), 1)
        rows = []
        for i in on_card:
            each, limits = self.binned[i], [None, *self.binned[i].edges.tolist(), None]
            for number, woe in enumerate(each.woe):
                rows.append(
                    {
                        "feature": self.features[i],
                        "above": limits[number],
                        "to": limits[number + 1],
                        "rows": int(each.rows[number]),
                        "bad_rate": float(each.bad[number] / each.rows[number]),
                        "woe": float(woe),
                        "points": round(float(base - factor * self.coefficients[i] * woe)),
                    }
                )
        return rows


def bin_feature(values: Floats, bad: NDArray[np.bool_], most: int, smoothing: float, direction: int, seed: int) -> Binned:
    """Fine classing by quantiles, coarse classing by a small tree, then merging until the WOE follows the direction."""
    fine = np.unique(np.quantile(values, np.arange(1, FINE) / FINE, method="lower"))
    fine = fine[fine < values.max()]
    place = np.searchsorted(fine, values, side="left")
    rows = np.bincount(place, minlength=len(fine) + 1).astype(np.float64)
    bads = np.bincount(place, weights=bad, minlength=len(fine) + 1)
    ends = _coarse(bads, rows, most, seed)
    starts = np.concatenate([[0], ends + 1])
    bins = [(float(b), float(n)) for b, n in zip(np.add.reduceat(bads, starts), np.add.reduceat(rows, starts), strict=True)]
    merged, joins = _monotone(bins, direction, smoothing, float(bad.mean()))
    last = np.cumsum(joins)[:-1] - 1  # the last coarse bin of every merged one but the last
    counts = np.array(merged)
    woe = np.array([_woe(b, n, smoothing, float(bad.mean())) for b, n in merged])
    return Binned(fine[ends[last]], counts[:, 0], counts[:, 1], woe)


def _coarse(bads: Counts, rows: Counts, most: int, seed: int) -> NDArray[np.intp]:
    """Which fine classes end a bin (the last class always does and is left out): the splits of a tree over the classes."""
    classes = np.arange(len(rows), dtype=np.float64)[:, None]
    tree = DecisionTreeClassifier(criterion="entropy", max_leaf_nodes=most, min_weight_fraction_leaf=SMALLEST, random_state=seed)
    outcome = np.repeat([1, 0], len(rows))
    tree.fit(np.vstack([classes, classes]), outcome, sample_weight=np.concatenate([bads, rows - bads]))
    splits = tree.tree_.threshold[tree.tree_.children_left >= 0]
    return np.sort(np.floor(splits)).astype(np.intp)


def _monotone(
    bins: Sequence[tuple[float, float]], direction: int, smoothing: float, average: float
) -> tuple[list[tuple[float, float]], list[int]]:
    """Pool adjacent violators (Ayer et al. 1955) on the WOE itself: (bad, rows) by merged bin, and how many bins it joined."""
    merged: list[tuple[float, float]] = []
    joins: list[int] = []
    for bad, rows in bins:
        merged.append((bad, rows))
        joins.append(1)
        while direction and len(merged) > 1:
            before, last = (_woe(*each, smoothing, average) for each in merged[-2:])
            if direction * (last - before) > 0:
                break
            tail, joined = merged.pop(), joins.pop()
            merged[-1] = (merged[-1][0] + tail[0], merged[-1][1] + tail[1])
            joins[-1] += joined
    return merged, joins


def _woe(bad: float, rows: float, smoothing: float, average: float) -> float:
    """Log-odds of the bin less the portfolio's, the bin mixed with `smoothing` rows of average risk: never infinite."""
    risk = (bad + smoothing * average) / (rows + smoothing)
    return float(np.log(risk / (1 - risk)) - np.log(average / (1 - average)))


def _regression(woe: Floats, bad: NDArray[np.bool_], penalty: float) -> tuple[Floats, float]:
    """Coefficients (features,) and intercept; the most wrong coefficient is dropped until all are positive."""
    average = float(bad.mean())
    coefficients, intercept = np.zeros(woe.shape[1]), float(np.log(average / (1 - average)))
    kept = np.flatnonzero(np.ptp(woe, axis=0) > 0)
    model = LogisticRegression(C=1 / penalty, solver="newton-cholesky", tol=1e-8, warm_start=True)
    while len(kept):
        with one_thread():
            model.fit(woe[:, kept], bad)
        if (model.coef_[0] > 0).all():
            coefficients[kept] = np.round(model.coef_[0], DIGITS)
            return coefficients, round(float(model.intercept_[0]), DIGITS)
        worst = np.argmin(model.coef_[0])
        kept, model.coef_ = np.delete(kept, worst), np.delete(model.coef_, worst, axis=1)
    return coefficients, intercept


def _tree(feature: int, edges: Floats, values: Floats) -> Tree:
    """A balanced tree over the edges of one feature, parents first."""
    spans = [(0, len(edges))]  # bins first..last of every node
    split, left, right = [], [], []
    for first, last in spans:  # grows while it is read
        middle = (first + last) // 2
        inner = first < last
        split.append(middle)
        left.append(len(spans) if inner else -1)
        right.append(len(spans) + 1 if inner else -1)
        if inner:
            spans += [(first, middle), (middle + 1, last)]
    leaf = np.array(left) < 0
    at = np.array(split)
    return Tree(
        feature=np.full(len(at), feature, dtype=np.int64),
        threshold=np.where(leaf, 0.0, np.append(edges, 0.0)[at]),
        left=np.array(left, dtype=np.int64),
        right=np.array(right, dtype=np.int64),
        value=np.where(leaf, values[at], 0.0),
    )
