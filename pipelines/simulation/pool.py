"""The pool that a simulation draws from: real account-months, and a stated model of how likely each is to go bad."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.contract import Columns
from models.errors import NotEnoughData
from models.usecase import Cohort

Floats = NDArray[np.float64]
STEPS = 30  # Newton needs about ten


@dataclass(frozen=True)
class Pool:
    """Real account-months, all arrays of one length.

    `log_odds` is the stated model of going bad while nothing shifts; `factors` are what shifts can act on,
    standardised to mean 0 and standard deviation 1 over the pool.
    """

    columns: Columns  # key, time, inputs
    audit: Columns  # key, audit columns
    codes: NDArray[np.int64]  # the real outcome codes
    bad: NDArray[np.bool_]  # how those codes are read
    coding: str
    log_odds: Floats
    factors: Mapping[str, Floats]

    def __len__(self) -> int:
        return len(self.bad)

    def only(self, rows: NDArray[np.bool_]) -> "Pool":
        """Some of the account-months; the stated model and the factors stay those of all."""
        return Pool(
            columns={name: values[rows] for name, values in self.columns.items()},
            audit={name: values[rows] for name, values in self.audit.items()},
            codes=self.codes[rows],
            bad=self.bad[rows],
            coding=self.coding,
            log_odds=self.log_odds[rows],
            factors={name: values[rows] for name, values in self.factors.items()},
        )


def joined(cohorts: Sequence[Cohort], *, wanted: NDArray[np.bool_] | None = None) -> Cohort:
    """Matured cohorts of one coding, one below the other; `wanted` picks accounts by their row, the same in each cohort."""
    if len(codings := {cohort.coding for cohort in cohorts}) != 1:
        raise NotEnoughData(
            f"a pool needs cohorts of one coding, got {sorted(codings) or 'none'}", hint="leave out the cohorts coded otherwise"
        )
    codes = [cohort.outcome_codes for cohort in cohorts if cohort.outcome_codes is not None]
    if len(codes) != len(cohorts):
        raise NotEnoughData("a pool needs matured cohorts", hint="ask for them as of a later date")
    row = slice(None) if wanted is None else wanted
    return Cohort(
        month=cohorts[0].month,
        columns={name: np.concatenate([c.columns[name][row] for c in cohorts]) for name in cohorts[0].columns},
        audit={name: np.concatenate([c.audit[name][row] for c in cohorts]) for name in cohorts[0].audit},
        outcome_codes=np.concatenate([code[row] for code in codes]),
        coding=cohorts[0].coding,
    )


def standardised(values: Floats) -> Floats:
    return np.asarray((values - values.mean()) / values.std())


def banded(values: Floats, bands: int = 10) -> NDArray[np.int64]:
    """Values to bands of about equal size; ties make fewer bands."""
    edges = np.unique(np.quantile(values, np.arange(1, bands) / bands))
    return np.searchsorted(edges, values, side="right").astype(np.int64)


def sigmoid(log_odds: Floats) -> Floats:
    return 1 / (1 + np.exp(-log_odds))


def fitted_log_odds(parts: Sequence[NDArray[np.int64]], bad: NDArray[np.bool_], *, penalty: float = 1.0) -> Floats:
    """Log-odds of every row, by penalised additive logistic regression: one weight for each value of each part.

    Newton's method (McCullagh & Nelder 1989, 2.5). The design is 0/1 with one 1 per row and part, so the curvature is
    made of weighted cross-counts of two parts at a time, and never written out as a matrix of rows.
    """
    cells, size = _numbered(parts)
    weights = np.zeros(size)
    for _ in range(STEPS):
        probability = sigmoid(weights[cells].sum(axis=0))
        curvature = _cross_counts(cells, size, probability * (1 - probability)) + penalty * np.eye(size)
        gradient = sum((np.bincount(cell, bad - probability, size) for cell in cells), -penalty * weights)
        step = np.linalg.solve(curvature, gradient)
        weights = weights + step
        if np.abs(step).max() < 1e-6:
            break
    return np.asarray(weights[cells].sum(axis=0))


def _numbered(parts: Sequence[NDArray[np.int64]]) -> tuple[NDArray[np.int64], int]:
    """The parts' values numbered through, shape (parts, rows), and how many there are."""
    cells, size = [], 0
    for part in parts:
        values, place = np.unique(part, return_inverse=True)
        cells.append(place + size)
        size += len(values)
    return np.array(cells), size


def _cross_counts(cells: NDArray[np.int64], size: int, weight: Floats) -> Floats:
    total = np.zeros((size, size))
    for one in cells:
        for other in cells:
            total += np.bincount(one * size + other, weight, size * size).reshape(size, size)
    return total
