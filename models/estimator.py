"""Model families as the search sees them, and the one form in which every fitted model leaves training.

A family that cannot say what it fitted as an additive ensemble of trees has no exact export and is not searched.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Parameters = Mapping[str, float | int | str]


@dataclass(frozen=True)
class Real:
    low: float
    high: float
    log: bool = False


@dataclass(frozen=True)
class Whole:
    low: int
    high: int
    log: bool = False


Dimension = Real | Whole


@dataclass(frozen=True)
class Tree:
    """One binary tree over feature columns; row `x` goes left at node `i` if `x[feature[i]] <= threshold[i]`.

    Arrays share one length (nodes). A leaf has `left == -1` and its `value` in log-odds; inner nodes ignore `value`.
    """

    feature: NDArray[np.int64]
    threshold: NDArray[np.float64]
    left: NDArray[np.int64]
    right: NDArray[np.int64]
    value: NDArray[np.float64]


@dataclass(frozen=True)
class TreeEnsemble:
    """`log_odds(x) = intercept + sum of the trees' leaf values`, summed in the order given, in float64."""

    features: tuple[str, ...]
    intercept: float
    trees: tuple[Tree, ...]


class Fitted(Protocol):
    def log_odds(self, X: NDArray[np.float64]) -> NDArray[np.float64]:
        """Shape (rows, features) to (rows,), by the library that fitted it."""
        ...

    def ensemble(self) -> TreeEnsemble:
        """The same function, for export."""
        ...


class Family(Protocol):
    """`complexity` orders families: the simpler one wins unless the other proves its gain."""

    name: str
    complexity: int

    def fit(
        self,
        X: NDArray[np.float64],
        y: NDArray[np.bool_],
        *,
        features: Sequence[str],
        directions: Mapping[str, int],
        parameters: Parameters,
        seed: int,
    ) -> Fitted:
        """Fit deterministically: equal arguments give an equal model. `directions` are +1, -1 or 0 by feature."""
        ...
