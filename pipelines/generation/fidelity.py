"""How near what was generated comes to the real panel, in figures that can each be bad.

PSI by column against the real month; the largest difference between two rank correlations (Spearman) of inputs and outcome;
and the AUC of a boosted tree that tells real from generated rows. The tree sees the model's features beside the inputs, and is
judged on rows of other real accounts than those that it learnt from: by remembering a row it would win nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.clock import Month
from models.contract import Columns, Role
from models.estimator import Family
from models.evaluation import auc, auc_error
from models.lake import OUTCOMES, SNAPSHOTS
from models.reference import bins, counts
from models.usecase import UseCase
from monitoring.drift import psi
from pipelines.generation.panel import Panel, Recipe, generated, sources

TELLER: Mapping[str, float | int] = {
    "trees": 200,
    "leaves": 31,
    "learning_rate": 0.05,
    "minimum_leaf": 0.001,
    "row_share": 0.8,
    "feature_share": 0.8,
    "l2": 1.0,
}
"""Parameters of the tree that tells real from generated."""
_OUTCOME = "outcome"


@dataclass(frozen=True)
class Fidelity:
    """Of one month: `rows` generated ones against all real ones."""

    month: Month
    rows: int
    psi: Mapping[str, float]
    correlation: float  # the largest difference between two correlations
    pair: tuple[str, str]  # between which columns
    auc: float
    error: float

    def lines(self) -> list[str]:
        """As Markdown."""
        told = [f"| {name} | {value:.5f} |" for name, value in self.psi.items()]
        return [
            "| Column | PSI |",
            "|---|---:|",
            *told,
            "",
            f"{self.rows:,} generated rows of {self.month} against all real ones.",
            f"Largest difference between two rank correlations: {self.correlation:.4f} ({self.pair[0]}, {self.pair[1]}).",
            f"AUC of a boosted tree that tells them apart: {self.auc:.3f} (standard error {self.error:.3f}); .5 is a guess.",
        ]


def fidelity(panel: Panel, recipe: Recipe, use_case: UseCase, family: Family) -> Fidelity:
    """Of the first chunk of the first month: every other one is drawn in the same way."""
    month = recipe.months[0]
    part = next(recipe.parts())
    chosen, _ = sources(panel, recipe, part.number)
    found = _columns(panel, generated(panel, recipe, part))
    real = _columns(panel, _real(panel, month))
    moved = {name: _psi(panel, name, values, found[name]) for name, values in real.items()}
    gap, pair = largest_gap(real, found)
    told, error = _told_apart(use_case, family, real, found, chosen[: part.rows], recipe.seed)
    return Fidelity(month, part.rows, moved, gap, pair, told, error)


def _real(panel: Panel, month: Month) -> dict[str, Columns]:
    (outcome,) = panel.contract.named(Role.OUTCOME)
    return {SNAPSHOTS: panel.snapshots[month], OUTCOMES: {outcome: panel.outcomes[month]}}


def _columns(panel: Panel, tables: Mapping[str, Columns]) -> dict[str, NDArray[np.float64]]:
    (outcome,) = panel.contract.named(Role.OUTCOME)
    inputs = {name: tables[SNAPSHOTS][name].astype(np.float64) for name in panel.contract.inputs}
    return inputs | {_OUTCOME: tables[OUTCOMES][outcome].astype(np.float64)}


def _psi(panel: Panel, name: str, real: NDArray[np.float64], found: NDArray[np.float64]) -> float:
    binning = {"codes": np.unique(real).tolist()} if name == _OUTCOME else bins(panel.contract[name], real)
    return psi(counts(binning, real), counts(binning, found))


def largest_gap(real: Columns, found: Columns) -> tuple[float, tuple[str, str]]:
    """Between the rank correlations of two tables with the same columns, and between which columns it is."""
    names = list(real)
    gaps = np.abs(_ranks(real) - _ranks(found))
    one, other = np.unravel_index(int(np.argmax(gaps)), gaps.shape)
    return float(gaps.max()), (names[one], names[other])


def _ranks(columns: Columns) -> NDArray[np.float64]:
    """Rank correlations; rows of equal value share the mean of their ranks."""
    ranked = []
    for values in columns.values():
        _, place, count = np.unique(values, return_inverse=True, return_counts=True)
        ranked.append((np.cumsum(count) - (count - 1) / 2)[place])
    return np.corrcoef(np.array(ranked))


def _told_apart(
    use_case: UseCase, family: Family, real: Columns, found: Columns, origin: NDArray[np.int64], seed: int
) -> tuple[float, float]:
    """One generated row beside each real one, as far as there are so many."""
    count = min(len(real[_OUTCOME]), len(found[_OUTCOME]))
    accounts = np.concatenate([np.arange(len(real[_OUTCOME])), origin[:count]])
    rows = {name: np.concatenate([real[name], found[name][:count]]) for name in use_case.contract.inputs}
    features = use_case.features(rows, np)
    X = np.column_stack([*rows.values(), *features.values()])
    made = np.arange(len(X)) >= len(real[_OUTCOME])
    learnt = np.random.default_rng(seed).permutation(len(real[_OUTCOME]))[accounts] % 2 == 0
    names = [*rows, *(f"feature {name}" for name in features)]
    teller = family.fit(X[learnt], made[learnt], features=tuple(names), directions={}, parameters=TELLER, seed=seed)
    score = teller.log_odds(X[~learnt])
    judged = made[~learnt], score
    return auc(*judged), auc_error(*judged, accounts[~learnt])
