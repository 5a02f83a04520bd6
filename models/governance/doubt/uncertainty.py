"""How sure a probability is: inductive Venn-Abers, two probabilities for every score, one for each outcome it may have.

For a score s and each label y, isotonic regression is fitted to the calibration accounts and (s, y); p0 and p1 are the
two values at s (Vovk & Petej 2014). Whatever the score is worth, one of the two is perfectly calibrated if account and
calibration accounts are exchangeable. Both are functions of the score alone and never fall as it rises, so they are frozen
as two step functions: `uncertainty.json`.

Only the order of the scores counts. So it does no harm that the two numbers of the model's own calibration come from these
same accounts; its trees must not.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from models.errors import Integrity
from models.policy import CutOffs, Policy

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

DIGITS = 4
"""Values are rounded to these, outwards: the interval grows by less than one ten-thousandth and has fewer steps."""


@dataclass(frozen=True)
class Intervals:
    """p0 and p1 by score, as steps.

    `lower[i]` holds from `lower_from[i]` on, and 0 before the first; `upper[i]` holds up to `upper_to[i]`, and 1 after the
    last. Scores are the policy's quantised probabilities.
    """

    lower_from: Sequence[float]
    lower: Sequence[float]
    upper_to: Sequence[float]
    upper: Sequence[float]

    def at(self, score: float) -> tuple[float, float]:
        """(p0, p1) of one score, in microseconds."""
        below, above = bisect_right(self.lower_from, score), bisect_left(self.upper_to, score)
        return self.lower[below - 1] if below else 0.0, self.upper[above] if above < len(self.upper) else 1.0

    def around(self, score: float) -> tuple[float, float]:
        """What is told: from the lowest to the highest of score, p0 and p1. A cut-off within it means that a person decides."""
        p0, p1 = self.at(score)
        return min(p0, score), max(p1, score)

    def of(self, scores: Floats) -> tuple[Floats, Floats]:
        """p0 and p1 of many scores, shape (n,) each."""
        below = np.searchsorted(self.lower_from, scores, side="right")
        above = np.searchsorted(self.upper_to, scores, side="left")
        return np.array([0.0, *self.lower])[below], np.array([*self.upper, 1.0])[above]

    def band(self, policy: Policy) -> CutOffs:
        """The cut-offs in force: whoever has a score, p0 and p1 that do not all get one action is reviewed.

        All three rise together, so that is a wider review range and nothing else: `keep` needs all three below the review
        cut-off, `reduce` needs all three at or above the reduce cut-off. Only a score that rounds to 0 or to 1 is never doubted.
        """
        own, half = policy.cut_offs, policy.quantum / 2
        above = int(np.searchsorted(self.upper, own.review, side="left"))  # the first step at which p1 reaches the cut-off
        doubted = self.upper_to[above - 1] + half if above else half
        sure = int(np.searchsorted(self.lower, own.reduce, side="left"))
        believed = self.lower_from[sure] if sure < len(self.lower) else 1 - half
        return CutOffs(review=min(own.review, doubted), reduce=max(own.reduce, believed))

    def to_dict(self) -> dict[str, list[float]]:
        return {name: list(steps) for name, steps in vars(self).items()}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Raises `Integrity` if these are not step functions that rise within [0, 1], the lower one below the upper."""
        found = cls(**{name: tuple(float(each) for each in data[name]) for name in cls.__annotations__})
        risen = [np.diff(steps) for steps in (found.lower_from, found.upper_to, found.lower, found.upper)]
        ends = np.unique([*found.lower_from, *found.upper_to])
        p0, p1 = found.of(ends)
        if any(np.any(step <= 0) for step in risen) or np.any(p0 > p1) or np.any((p0 < 0) | (p1 > 1)):
            raise Integrity("the intervals do not rise with the score", hint="seal the bundle again")
        return found


def venn_abers(scores: Floats, bad: Bools) -> Intervals:
    """The intervals by calibration accounts that no tree was grown on; shapes (n,). Few accounts make wide intervals."""
    distinct, place = np.unique(scores, return_inverse=True)
    weight = np.bincount(place).astype(np.float64)
    bads = np.bincount(place, weights=bad).astype(np.float64)
    scale = 10.0**DIGITS
    upper = np.ceil(np.round(_with_a_bad(weight, bads) * scale, 6)) / scale
    # A good one more is a bad one more in the mirror: scores and outcomes turned round.
    lower = np.floor(np.round((1 - _with_a_bad(weight[::-1], (weight - bads)[::-1])[::-1]) * scale, 6)) / scale
    first = np.append(True, np.diff(lower) > 0) & (lower > 0)
    last = np.append(np.diff(upper) > 0, True) & (upper < 1)
    return Intervals(
        tuple(distinct[first].tolist()), tuple(lower[first].tolist()), tuple(distinct[last].tolist()), tuple(upper[last].tolist())
    )


def _with_a_bad(weight: Floats, bads: Floats) -> Floats:
    """p1 at each of k distinct scores: isotonic regression there, with one bad account more at that score.

    Vovk, Petej & Fedorova 2015, algorithms 1 and 2: corners of the greatest convex minorant of the cumulative sum diagram,
    which a Graham scan finds once; then the account walks from the first score to the last, and the corners with it.
    """
    x = np.concatenate([[-1.0, 0.0], np.cumsum(weight)]).tolist()
    y = np.concatenate([[-1.0, 0.0], np.cumsum(bads)]).tolist()
    corners: list[tuple[float, float]] = []
    for point in zip(x, y, strict=True):
        _push(corners, point)
    corners.reverse()
    found, at = np.empty(len(weight)), (x[0], y[0])
    for i in range(len(weight)):
        (x1, y1), (x2, y2) = corners[-1], corners[-2]
        found[i] = (y2 - y1) / (x2 - x1)
        at = (at[0] + weight[i], at[1] + bads[i])
        if (at[1] - y1) * (x2 - x1) < (y2 - y1) * (at[0] - x1):
            corners.pop()
            _push(corners, at)
    return found


def _push(corners: list[tuple[float, float]], point: tuple[float, float]) -> None:
    """Put a point at the end of a chain that is convex from below, whichever way it runs; what is no corner any more goes."""
    x, y = point
    while len(corners) > 1:
        (x1, y1), (x2, y2) = corners[-2], corners[-1]
        if ((x2 - x1) * (y - y1) - (y2 - y1) * (x - x1)) * (x - x1) > 0:
            break
        corners.pop()
    corners.append(point)
