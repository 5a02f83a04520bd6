"""An optimiser that draws at random and forgets nothing."""

from collections.abc import Mapping

import numpy as np

from models.estimator import Dimension, Real
from pipelines.search import Loss, Progress, Trial


class RandomOptimiser:
    def __init__(self) -> None:
        self.studies: dict[str, list[Trial]] = {}

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
        trials = self.studies.setdefault(key, [])
        resumed = len(trials)
        for number in range(resumed, budget):
            progress(key, number, budget)
            rng = np.random.default_rng([seed, number])
            parameters = {name: _draw(dimension, rng) for name, dimension in space.items()}
            losses = tuple(loss(parameters, fold) for fold in range(folds))
            trials.append(Trial(number, parameters, losses, pruned=False))
        progress(key, budget, budget)
        return list(trials), resumed


def _draw(dimension: Dimension, rng: np.random.Generator) -> float | int:
    if isinstance(dimension, Real):
        return float(rng.uniform(dimension.low, dimension.high))
    return int(rng.integers(dimension.low, dimension.high + 1))
