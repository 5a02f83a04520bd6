"""Do the intervals hold what they promise, on accounts that they were not made of?

What is claimed: in every band of score, the observed bad rate lies between the mean p0 and the mean p1, up to chance. The
theorem behind (Vovk & Petej 2014, theorem 1) says it of one of p0 and p1 by account, for exchangeable accounts; by band it is
what follows for many. Chance is both the outcomes' of the accounts looked at and those of the calibration accounts.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from math import sqrt
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.governance.doubt.uncertainty import venn_abers
from models.splits import folds

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

BANDS = 5


@dataclass(frozen=True)
class Band:
    """Accounts with a score from `low` to `high`, in the mean `score`. `error` is the standard error of the gap between what
    is observed and the interval, `outside` the gap in it: 0 inside."""

    low: float
    high: float
    score: float
    rows: int
    bad_rate: float
    p0: float
    p1: float
    error: float
    outside: float


@dataclass(frozen=True)
class Coverage:
    """`bands` are all accounts, then parts of them by score. `allowed` is how many standard errors chance explains, so that
    all that is looked at together holds at the confidence (Bonferroni). `width` is the mean of p1 - p0, `widest` the largest."""

    name: str
    bands: Sequence[Band]
    width: float
    widest: float
    allowed: float

    @property
    def worst(self) -> float:
        return max(band.outside for band in self.bands)

    def to_dict(self) -> dict[str, Any]:
        plain = {"width": self.width, "widest": self.widest, "worst": self.worst, "allowed": self.allowed}
        return {"name": self.name, **plain, "bands": [asdict(band) for band in self.bands]}


def crosswise(scores: Floats, bad: Bools, accounts: NDArray[Any], *, confidence: float, seed: int) -> list[Coverage]:
    """Each half of the held-out accounts under the intervals of the other; shapes (n,)."""
    halves = folds(accounts, 2, seed)
    return [
        covered(f"half {number}", scores[others], bad[others], scores[rows], bad[rows], confidence=confidence, looks=2)
        for number, (others, rows) in enumerate(halves, start=1)
    ]


def covered(
    name: str, made_of: Floats, known: Bools, scores: Floats, bad: Bools, *, confidence: float, looks: int = 1
) -> Coverage:
    """Intervals made of calibration scores and outcomes (m,), looked at on other accounts (n,)."""
    intervals = venn_abers(made_of, known)
    p0, p1 = intervals.of(scores)
    edges = np.unique(np.quantile(scores, np.arange(1, BANDS) / BANDS))
    place, theirs = (np.searchsorted(edges, each, side="right") for each in (scores, made_of))
    parts = [(np.ones(len(scores), dtype=np.bool_), len(made_of))]
    parts += [(place == band, int(np.sum(theirs == band))) for band in range(len(edges) + 1) if np.any(place == band)]
    bands = [_band(scores[rows], bad[rows], p0[rows], p1[rows], against) for rows, against in parts]
    allowed = NormalDist().inv_cdf(1 - (1 - confidence) / (2 * looks * len(bands)))
    return Coverage(name, bands, float(np.mean(p1 - p0)), float(np.max(p1 - p0)), allowed)


def _band(scores: Floats, bad: Bools, p0: Floats, p1: Floats, against: int) -> Band:
    rate, low, high = float(np.mean(bad)), float(np.mean(p0)), float(np.mean(p1))
    expected = (low + high) / 2
    error = sqrt(expected * (1 - expected) * (1 / len(scores) + 1 / max(against, 1)))
    gap = max(low - rate, rate - high, 0.0)
    outside = gap / error if error else (0.0 if gap == 0 else float("inf"))
    place = (float(scores.min()), float(scores.max()), float(scores.mean()))
    return Band(*place, len(scores), rate, low, high, error, outside)
