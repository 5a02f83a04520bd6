"""How far a number's distribution moved, beside PSI: Kolmogorov and Smirnov's largest gap, and Wasserstein's mean way.

Both are read from the narrow bins frozen in the bundle (`models.reference.fine_edges`). At their edges both distribution
functions are known exactly; between them each can only rise from one known value to the next. So every figure comes with what it
may be off by.

The Wasserstein distance is the area between the two functions, in the column's own unit: so far did the average row move. It is
taken between the first and the last edge, the 2nd and the 98th percentile of the reference: the bundle keeps no extreme value,
which would be one account's. The largest gap that chance makes is Smirnov's limit (1939); for values with ties it is on the safe
side.
"""

from collections.abc import Mapping
from math import log, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.policy import Frozen
from monitoring.drift import FALSE_ALARMS


class Distance(Frozen):
    """`ks` is at least this and at most `ks_most`. `wasserstein` lies between `least` and `most`, in `unit`."""

    name: str
    rows: int
    ks: float
    ks_most: float
    chance: float  # the largest gap that chance alone makes in 99 of 100 months, over all columns together
    wasserstein: float
    least: float
    most: float
    unit: str

    @property
    def beyond_chance(self) -> bool:
        return self.ks > self.chance


def distance(name: str, fine: Mapping[str, Any], current: NDArray[np.int64], *, unit: str, columns: int) -> Distance | None:
    """Of `current`, rows per fine bin without those that are no number; None of no rows or of a constant reference."""
    n, reference_n = int(current.sum()), int(sum(fine["counts"]))
    if not (n and reference_n and len(fine["edges"]) > 1):
        return None
    now, was = (np.concatenate([[0.0], np.cumsum(counts) / np.sum(counts)]) for counts in (current, np.asarray(fine["counts"])))
    edges = np.asarray(fine["edges"], dtype=np.float64)
    gap, widest = np.abs(now - was), np.maximum(now[1:] - was[:-1], was[1:] - now[:-1])
    single = np.zeros(len(widest), dtype=np.bool_)
    single[1:-1] = edges[1:] == np.nextafter(edges[:-1], np.inf)  # one value: nothing happens inside
    ways = np.diff(edges)
    narrowest = np.maximum(0.0, np.maximum(now[:-1] - was[1:], was[:-1] - now[1:]))
    return Distance(
        name=name,
        rows=n,
        ks=float(gap.max()),
        ks_most=float(max(gap.max(), widest[~single].max())),
        chance=ks_limit(n, reference_n, columns),
        wasserstein=float(np.sum(ways * (gap[1:-2] + gap[2:-1]) / 2)),
        least=float(np.sum(ways * narrowest[1:-1])),
        most=float(np.sum(ways * widest[1:-1])),
        unit=unit,
    )


def ks_limit(n: int, reference_n: int, columns: int) -> float:
    """The gap that pure chance exceeds in `FALSE_ALARMS` of the months in at least one of `columns` columns (Smirnov)."""
    return sqrt(-log(FALSE_ALARMS / columns / 2) / 2 * (1 / n + 1 / reference_n))
