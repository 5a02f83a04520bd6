"""Calibration by band of score, and vintage curves: how many of a month's accounts have gone bad by how many months later."""

from collections.abc import Mapping, Sequence
from math import sqrt
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.contract import Array
from models.policy import Frozen

CONFIDENCE = 0.95
COHORTS = 12
"""Vintages that are followed, at most: the newest."""


class Band(Frozen):
    """Accounts whose score lay in one of the bins frozen with the model; `low` and `high` are Wilson's interval of `actual`."""

    label: str
    rows: int
    predicted: float
    actual: float
    low: float
    high: float


class Vintage(Frozen):
    """Of the accounts decided on in `month`: the share that was bad at least once by so many months later, from one on.

    `followed` is how many of them have an outcome in every month up to then; who left in between counts until then only.
    """

    month: str
    accounts: int
    shares: tuple[float, ...]
    followed: tuple[int, ...]


def calibration(
    edges: Sequence[float], names: Sequence[str], score: NDArray[np.float64], bad: NDArray[np.bool_]
) -> tuple[Band, ...]:
    """Score and outcome, both (n,); bands without rows are left out."""
    place, found = np.searchsorted(edges, score, side="right"), []
    for number, name in enumerate(names):
        inside = place == number
        if rows := int(inside.sum()):
            actual = float(bad[inside].mean())
            low, high = wilson(actual, rows)
            predicted = float(score[inside].mean())
            found.append(Band(label=name, rows=rows, predicted=predicted, actual=actual, low=low, high=high))
    return tuple(found)


def wilson(share: float, rows: int) -> tuple[float, float]:
    """The interval of a share (Wilson 1927): also near 0 and 1 it covers what it says."""
    z = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)
    middle = (share + z**2 / (2 * rows)) / (1 + z**2 / rows)
    reach = z / (1 + z**2 / rows) * sqrt(share * (1 - share) / rows + z**2 / (4 * rows**2))
    return max(middle - reach, 0.0), min(middle + reach, 1.0)


def vintage(month: str, accounts: Array, later: Sequence[Mapping[str, NDArray[Any]]]) -> Vintage | None:
    """`accounts` are different ones; `later` has "account" and "bad" of each month since, in order, as far as they are known."""
    kept, ever = np.ones(len(accounts), dtype=np.bool_), np.zeros(len(accounts), dtype=np.bool_)
    shares, followed = [], []
    for outcomes in later:
        known, at = np.unique(outcomes["account"], return_index=True)
        if not len(known):
            break
        place = np.minimum(np.searchsorted(known, accounts), len(known) - 1)
        kept &= known[place] == accounts
        if not kept.any():
            break
        ever |= kept & np.asarray(outcomes["bad"])[at[place]]
        shares.append(float(ever[kept].mean()))
        followed.append(int(kept.sum()))
    return Vintage(month=month, accounts=len(accounts), shares=tuple(shares), followed=tuple(followed)) if shares else None
