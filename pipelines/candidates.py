"""The best of one family, chosen on the development folds: its features, then its hyper-parameters."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.calibration import sigmoid
from models.estimator import Dimension, Family, Real
from models.evaluation import log_loss
from models.usecase import UseCase
from pipelines.search import Folds, Optimiser, Progress, Sample, Search, Trial, search
from pipelines.selection import Bench, Selection, select_features

Floats = NDArray[np.float64]

SEARCH_ROWS = 10_000  # training rows by fold while searching; docs/adr/0008-search.md shows what more would change
SELECTION_ROWS = 25_000  # the same for choosing features, where the differences are smaller
FINALISTS = 3
SIZES = (12, 16)


@dataclass(frozen=True)
class Effort:
    """How much is spent on choosing. `trials` are shared by the families, in proportion to what they have to tune."""

    trials: int
    folds: int
    seed: int
    workers: int = 1
    rows: int = SEARCH_ROWS


@dataclass(frozen=True)
class Candidate:
    """The best of one family, its log-odds for the rows while they were out of fold (n,), and their log-loss.

    The search looks at starved folds; of its `FINALISTS` the one that does best on whole folds is `chosen`.
    """

    family: Family
    selection: Selection
    search: Search
    chosen: Trial
    log_odds: Floats
    log_loss: float


def best_of(
    use_case: UseCase,
    family: Family,
    data: Sample,
    folds: Folds,
    effort: Effort,
    budget: int,
    optimiser: Optimiser,
    progress: Progress,
) -> Candidate:
    """Choose features with the middle of the space, search, and let the finalists meet on whole folds."""
    space, directions = use_case.search_spaces[family.name], use_case.policy.directions
    progress(f"features of {family.name}", 0, 1)
    selection = select_features(bench(use_case, family, middle(space), folds, effort), data, SIZES, SELECTION_ROWS)
    progress(f"features of {family.name}", 1, 1)
    chosen = data.only(selection.chosen)
    found = search(
        family,
        space,
        chosen,
        folds,
        directions,
        budget=budget,
        seed=effort.seed,
        rows=effort.rows,
        optimiser=optimiser,
        progress=lambda _, done, total: progress(f"trials of {family.name}", done, total),
    )
    ended = []
    for trial in found.finalists(FINALISTS):
        scores = out_of_fold(bench(use_case, family, trial.parameters, folds, effort), chosen)
        ended.append(Candidate(family, selection, found, trial, scores, log_loss(data.bad, sigmoid(scores))))
    return min(ended, key=lambda candidate: candidate.log_loss)


def out_of_fold(bench: Bench, data: Sample) -> Floats:
    """Log-odds of every row by the model that did not see its account, shape (n,)."""
    scores = np.empty(len(data.bad))
    fitted = bench.each(lambda fold: bench.fit(data, fold[0]).log_odds(data.X[fold[1]]), bench.folds)
    for (_, valid), found in zip(bench.folds, fitted, strict=True):
        scores[valid] = found
    return scores


def middle(space: Mapping[str, Dimension]) -> dict[str, float | int | str]:
    """The middle of a search space, geometric where the dimension is logarithmic: parameters before any search."""
    found: dict[str, float | int | str] = {}
    for name, dimension in space.items():
        low, high = dimension.low, dimension.high
        value = float(np.sqrt(low * high)) if dimension.log else (low + high) / 2
        found[name] = value if isinstance(dimension, Real) else round(value)
    return found


def bench(use_case: UseCase, family: Family, parameters: Mapping[str, Any], folds: Folds, effort: Effort) -> Bench:
    return Bench(family, parameters, use_case.policy.directions, folds, effort.seed, effort.workers)
