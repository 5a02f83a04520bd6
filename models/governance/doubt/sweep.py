"""Does the model keep the policy's directions? Proven tree by tree, and shown on the sealed graph with real accounts.

Directions are promises about *features*. So three things are looked at, each for what it can honestly say:

trees     read back from the sealed graph: no tree holds two leaves that differ in one promised feature alone and stand in the
          wrong order. A sum of such trees keeps the promise for every account there may ever be, not for a sample.
features  the graph from its trees on, calibration included: every account's feature is raised through the levels at which
          trees ask for it, all others left as they are.
inputs    the whole graph: every account's input is raised step by step. A step is judged if it moves promised features only,
          all of them one way; else nothing was promised about it, and it counts as free.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.contract import Column, Columns, Contract
from models.estimator import Tree, TreeEnsemble
from models.scoring import Scorer

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Features = Callable[[Columns], Mapping[str, NDArray[Any]]]

LEVELS = 10  # values that a feature, or an input without codes, is raised through, at most
BATCH = 10_000


@dataclass(frozen=True)
class Swept:
    """One feature or input raised. `steps` were judged, `free` were not: nothing is promised there.

    `worst` is the largest step in the wrong direction, in log-odds; a step counts as a violation beyond the policy's quantum.
    """

    name: str
    rows: int
    steps: int
    free: int
    violations: int
    worst: float


@dataclass(frozen=True)
class Monotone:
    """The three looks. `trees` counts pairs of leaves in the wrong order, by promised feature."""

    trees: Mapping[str, int]
    features: Sequence[Swept]
    inputs: Sequence[Swept]

    @property
    def violations(self) -> int:
        return sum(self.trees.values()) + sum(each.violations for each in [*self.features, *self.inputs])

    @property
    def steps(self) -> int:
        return sum(each.steps for each in [*self.features, *self.inputs])

    def to_dict(self) -> dict[str, Any]:
        parts = {"features": [asdict(each) for each in self.features], "inputs": [asdict(each) for each in self.inputs]}
        return {"violations": self.violations, "steps": self.steps, "trees": dict(self.trees)} | parts


def promised(directions: Mapping[str, int], features: Sequence[str]) -> dict[str, int]:
    """The features of a model that have a direction."""
    return {name: directions[name] for name in features if directions.get(name, 0)}


def contradictions(ensemble: TreeEnsemble, directions: Mapping[str, int]) -> dict[str, int]:
    """Pairs of leaves in the wrong order by promised feature, over all trees. Zero everywhere is a proof."""
    names = ensemble.features
    found = dict.fromkeys(promised(directions, names), 0)
    for tree in ensemble.trees:
        low, high, value = _boxes(tree, len(names))
        meet = np.minimum(high[:, None], high) > np.maximum(low[:, None], low)  # (leaves, leaves, features)
        wrong = value[:, None] > value + 1e-12
        for name in found:
            place = names.index(name)
            beside = np.delete(meet, place, axis=2).all(axis=2)
            below = high[:, None, place] <= low[None, :, place]
            found[name] += int(np.sum(beside & below & (wrong if directions[name] > 0 else wrong.T)))
    return found


def sweep_features(
    scorer: Scorer, ensemble: TreeEnsemble, X: Floats, directions: Mapping[str, int], tolerance: float
) -> list[Swept]:
    """`scorer` takes features, shape (n, features): the sealed graph from its trees on. `X` are those of real accounts."""
    return [
        _raised(name, scorer, X, place, levels(ensemble, place), directions[name], tolerance)
        for place, name in enumerate(ensemble.features)
        if directions.get(name, 0)
    ]


def sweep_inputs(
    scorer: Scorer,
    contract: Contract,
    features: Features,
    chosen: Sequence[str],
    directions: Mapping[str, int],
    columns: Columns,
    tolerance: float,
) -> list[Swept]:
    """Every input of real accounts (n,) is raised through its codes, or through quantiles of the others' values up to the end
    of its range; only steps about which something is promised are scored."""
    own = {name: np.asarray(columns[name]) for name in contract.inputs}
    return [_stepped(scorer, contract, features, chosen, directions, own, name, tolerance) for name in contract.inputs]


def levels(ensemble: TreeEnsemble, place: int) -> Floats:
    """Values of a feature on every side of its thresholds, or `LEVELS` of them, evenly picked, both ends among them."""
    asked = [tree.threshold[(tree.left >= 0) & (tree.feature == place)] for tree in ensemble.trees]
    distinct = np.unique(np.concatenate(asked)) if asked else np.empty(0)
    if not len(distinct):
        return distinct
    return _picked(np.append(distinct, np.nextafter(distinct[-1], np.inf)))


def _raised(name: str, scorer: Scorer, X: Floats, place: int, values: Floats, direction: int, tolerance: float) -> Swept:
    lines = []
    for value in values:
        moved = X.copy()
        moved[:, place] = value
        lines.append(scorer.log_odds(moved))
    against = -direction * np.diff(lines, axis=0) if len(lines) > 1 else np.empty((0, len(X)))
    return _swept(name, len(X), against, 0, tolerance)


def _stepped(
    scorer: Scorer,
    contract: Contract,
    features: Features,
    chosen: Sequence[str],
    directions: Mapping[str, int],
    columns: dict[str, NDArray[Any]],
    name: str,
    tolerance: float,
) -> Swept:
    against, free, rows = [np.empty(0)], 0, len(columns[name])
    for low, high in pairwise(_rungs(contract[name], columns[name])):
        lower, upper = ({**columns, name: np.full(rows, value, columns[name].dtype)} for value in (low, high))
        sign, judged = _promise(features(lower), features(upper), chosen, directions)
        free += int(rows - judged.sum())
        ends = [scorer.log_odds(contract.matrix(each)[judged]) for each in (lower, upper)] if judged.any() else [np.empty(0)] * 2
        against.append(-sign[judged] * (ends[1] - ends[0]))
    return _swept(name, rows, np.concatenate(against), free, tolerance)


def _promise(
    lower: Mapping[str, NDArray[Any]], upper: Mapping[str, NDArray[Any]], chosen: Sequence[str], directions: Mapping[str, int]
) -> tuple[Floats, Bools]:
    """The direction that a step must keep, and whether it must: some feature moves, none without a direction, all one way."""
    moves = np.stack([np.sign(upper[name] - lower[name]) for name in chosen])
    way = moves * np.array([directions.get(name, 0) for name in chosen])[:, None]
    bound = (moves == 0) | (way != 0)
    up, down = (way > 0).any(axis=0), (way < 0).any(axis=0)
    return np.where(up, 1.0, -1.0), np.asarray(bound.all(axis=0) & (up != down))


def _rungs(column: Column, values: NDArray[Any]) -> Floats:
    """What an input is raised through, up to the end of its range."""
    if column.codes:
        return np.array(sorted(column.codes), dtype=np.float64)
    quantiles = np.quantile(values, np.linspace(0, 1, LEVELS - 1), method="nearest")
    return np.unique(np.append(quantiles, column.maximum or 0.0))


def _boxes(tree: Tree, features: int) -> tuple[Floats, Floats, Floats]:
    """Of every leaf the open lower and closed upper ends by feature (leaves, features), and its value."""
    low, high = np.full((len(tree.left), features), -np.inf), np.full((len(tree.left), features), np.inf)
    walk = [0]
    for node in walk:  # grows while it is read
        if tree.left[node] < 0:
            continue
        left, right, place = tree.left[node], tree.right[node], tree.feature[node]
        for child in (left, right):
            low[child], high[child] = low[node], high[node]
        high[left, place] = min(high[left, place], tree.threshold[node])
        low[right, place] = max(low[right, place], tree.threshold[node])
        walk += [int(left), int(right)]
    leaves = [node for node in walk if tree.left[node] < 0]
    reachable = np.all(low[leaves] < high[leaves], axis=1)
    kept = np.array(leaves)[reachable]
    return low[kept], high[kept], tree.value[kept]


def _picked(values: Floats) -> Floats:
    places = np.unique(np.linspace(0, len(values) - 1, min(len(values), LEVELS)).round().astype(int))
    return np.asarray(values[places])


def _swept(name: str, rows: int, against: Floats, free: int, tolerance: float) -> Swept:
    worst = max(0.0, float(np.max(against, initial=0.0)))
    return Swept(name, rows, int(against.size), free, int(np.sum(~(against <= tolerance))), worst)
