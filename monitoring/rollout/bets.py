"""Evidence that may be looked at after every account: bets on the arm, given what was decided.

The arm of an account is drawn by a keyed hash, so it knows nothing of the account: as long as the challenger decides as the
champion does, the arm of whoever was decided upon in some way is still the canary with probability `share`. Whoever could tell
the arm from the decision would win money by betting on it at these odds; the capital won is the evidence.

Each bet multiplies its capital by q / P(arm) on every account. Under the null hypothesis that factor is 1 in expectation, or
less, whatever happened before: the capital is a test martingale, and the chance that it ever reaches 1 / a is a at most (Ville
1939; Ramdas, Grünwald, Vovk & Shafer 2023, Statistical Science 38). Neither an equal rate over time nor a planned number of
accounts is assumed. To condition on the outcome makes it exact without an estimate of the rates that both arms share, as Lindon &
Malek 2022 (NeurIPS) do for counts; Turner, Ly & Grünwald 2024 (J. Stat. Plan. Inference 230) bet on the outcome given the arm. A
mixture of bets is a bet (Robbins 1970, Ann. Math. Stat. 41), and this one depends on the counts alone: the order of the accounts
does not matter for where it ends.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import log
from typing import Self

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]

CONTROL, CANARY = 0, 1
UNSEEN = -1  # the class of an account that a test does not look at: no bet is made on it

_ROWS = 65_536  # at once, so that millions of accounts need little memory


@dataclass(frozen=True)
class Bets:
    """`weights` (k,) sum to 1; `factors` (k, classes, 2) are the logs of what multiplies a bet's capital, by class and arm."""

    weights: Floats
    factors: Floats

    @classmethod
    def mixed(cls, bets: Iterable[tuple[float, Floats]]) -> Self:
        """Of bets with their weights, in any unit."""
        weights, factors = zip(*bets, strict=True)
        return cls(np.array(weights) / sum(weights), np.array(factors))

    @property
    def classes(self) -> int:
        return int(self.factors.shape[1])

    def evidence(self, counts: Whole) -> Floats:
        """Logs of the e-values (...) after these numbers of accounts (..., classes, 2)."""
        size = len(self.weights)
        flat = counts.reshape(*counts.shape[:-2], -1) @ self.factors.reshape(size, -1).T
        return _total(flat + np.log(self.weights))

    def path(self, classes: Whole, arms: Whole) -> Floats:
        """The same after every account (n,), in the order in which they were decided upon."""
        found, capital = np.empty(len(classes)), np.log(self.weights)
        idle = np.concatenate([self.factors, np.zeros((len(self.weights), 1, 2))], axis=1)  # `UNSEEN` is its last class
        for start in range(0, len(classes), _ROWS):
            part = slice(start, start + _ROWS)
            grown = capital + np.cumsum(idle[:, classes[part], arms[part]].T, axis=0)
            found[part], capital = _total(grown), grown[-1]
        return found


def on_drop(drop: float, rate: float, share: float, sizes: Mapping[float, float]) -> Bets:
    """That the canary's rate of class 0 is lower than the control's: by `drop` times each size, with these weights.

    `rate` is what the control's is expected to be. If it is another, the bets win less, and are as fair as before.
    """
    found = []
    for size, weight in sizes.items():
        if (lower := rate - size * drop) > 0:
            bet = [_factors(share, lower / rate), _factors(share, (1 - lower) / (1 - rate))]
            found.append((weight, np.array(bet)))
    return Bets.mixed(found)


def on_drop_within(groups: int, drop: float, rate: float, share: float, sizes: Mapping[float, float]) -> Bets:
    """The same within any of several groups: of group g, class 2 g is favourable and class 2 g + 1 is not."""
    one, found = on_drop(drop, rate, share, sizes), []
    for group in range(groups):
        for weight, factors in zip(one.weights, one.factors, strict=True):
            bet = np.zeros((2 * groups, 2))
            bet[2 * group : 2 * group + 2] = factors
            found.append((float(weight), bet))
    return Bets.mixed(found)


def on_more(classes: int, among: Iterable[int], share: float, ratios: Iterable[float], tolerance: float = 1.0) -> Bets:
    """That one of these classes is more frequent in the canary: by each ratio, where up to `tolerance` is still no difference."""
    return Bets.mixed([(1.0, _one(classes, at, share, ratio, tolerance)) for at in among for ratio in ratios])


def on_other(classes: int, share: float, ratios: Iterable[float], tolerance: float = 1.0) -> Bets:
    """That any of the classes is more frequent or less frequent in the canary."""
    both = [turned for ratio in ratios for turned in ((ratio, tolerance), (1 / ratio, 1 / tolerance))]
    return Bets.mixed([(1.0, _one(classes, at, share, *turned)) for at in range(classes) for turned in both])


def _one(classes: int, at: int, share: float, ratio: float, tolerance: float) -> Floats:
    """A bet on one class. Against a ratio up to the tolerance it is unfair to the one who bets: evidence only shrinks then."""
    bet = np.zeros((classes, 2))
    bet[at] = _factors(share, ratio) - _factors(share, tolerance)
    return bet


def _factors(share: float, ratio: float) -> Floats:
    """Logs of P(arm | class, the class being `ratio` times as frequent in the canary) / P(arm): control, canary."""
    whole = share * ratio + 1 - share
    return np.array([-log(whole), log(ratio) - log(whole)])


def _total(logs: Floats) -> Floats:
    """log of the sum of exp over the last axis."""
    top = logs.max(axis=-1, keepdims=True)
    return np.asarray(top[..., 0] + np.log(np.exp(logs - top).sum(axis=-1)))
