"""Families that fit in microseconds: a ridge regression on the outcome, read as log-odds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from models.estimator import Dimension, Parameters, Real, TreeEnsemble

SPACE: Mapping[str, Dimension] = {"ridge": Real(0.01, 100.0, log=True)}


@dataclass(frozen=True)
class Line:
    weights: NDArray[np.float64]
    features: tuple[str, ...]

    def log_odds(self, X: NDArray[np.float64]) -> NDArray[np.float64]:
        return 4 * (np.column_stack([X, np.ones(len(X))]) @ self.weights) - 2

    def ensemble(self) -> TreeEnsemble:
        return TreeEnsemble(self.features, 0.0, ())


@dataclass
class LineFamily:
    """`seen` are the row counts and features of every fit; `blind` forgets its features and says the same to everybody."""

    name: str = "line"
    complexity: int = 1
    blind: bool = False
    seen: list[tuple[int, tuple[str, ...]]] = field(default_factory=list)

    def fit(
        self,
        X: NDArray[np.float64],
        y: NDArray[np.bool_],
        *,
        features: Sequence[str],
        directions: Mapping[str, int],
        parameters: Parameters,
        seed: int,
    ) -> Line:
        self.seen.append((len(y), tuple(features)))
        design = np.column_stack([X, np.ones(len(X))])
        if self.blind:
            design[:, :-1] = 0
        penalty = float(parameters["ridge"]) * np.eye(design.shape[1])
        return Line(np.linalg.solve(design.T @ design + penalty, design.T @ y), tuple(features))
