"""The sequential tests of a canary, and how they share the false alarms.

The capital of the whole family is the mean of the tests' capitals, weighted by what each was given to begin with. A mean of test
martingales is one, whatever they have in common, so the family alarms at 1 / false_alarms. A single test would alarm at
1 / (false_alarms x its weight): never earlier.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import log
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from models.guardrails import Guardrails
from models.policy import Action
from monitoring.rollout.bets import Bets, Floats, Whole, on_drop, on_drop_within, on_more, on_other
from monitoring.rollout.observations import Classes

FAVOURABLE, ACTIONS, SCORE, ERRORS, ARMS = "favourable", "actions", "score", "failures", "arms"
SEGMENT = "favourable by "  # and the audit column

WEIGHTS: Mapping[str, float] = MappingProxyType({FAVOURABLE: 0.5, ACTIONS: 0.1, SCORE: 0.1, ERRORS: 0.1, ARMS: 0.1})
SEGMENTS = 0.1
"""Half of the capital is on what harms customers, and is hardest to see. The audit columns share what is on segments."""

_DROPS = MappingProxyType({1.0: 6.0, 2.0: 1.0, 4.0: 0.5, 8.0: 0.5})  # of the size stated, mostly
_OTHER, _MORE, _UNEVEN = (1.2, 2.0, 4.0), (1.5, 3.0, 10.0), (1.05, 1.25, 2.0)


@dataclass(frozen=True)
class Sequential:
    """One test. `limit` is the e-value at which it alarms by itself."""

    name: str
    weight: float
    bets: Bets
    limit: float


def family(limits: Guardrails, share: float, segments: Mapping[str, int] | None = None) -> tuple[Sequential, ...]:
    """`segments` are the numbers of groups by audit column. Without bins of score or segments the others have their capital."""
    apart = [limits.tolerance * ratio for ratio in _OTHER]
    sized = (limits.drop, limits.favourable_rate, share, _DROPS)
    bets = {
        FAVOURABLE: on_drop(*sized),
        ACTIONS: on_other(len(Action), share, apart, limits.tolerance),
        ERRORS: on_more(2, [1], share, _MORE),
        ARMS: on_other(1, share, _UNEVEN),
    }
    if limits.score_edges:
        bets[SCORE] = on_other(len(limits.score_edges) + 1, share, apart, limits.tolerance)
    given = segments or {}
    bets |= {SEGMENT + column: on_drop_within(groups, *sized) for column, groups in given.items()}
    weights = {name: WEIGHTS.get(name) or SEGMENTS / len(given) for name in bets}
    whole = sum(weights.values())
    return tuple(
        Sequential(name, weight / whole, bets[name], whole / (weight * limits.false_alarms)) for name, weight in weights.items()
    )


def looked_at(test: str, seen: Classes) -> Whole:
    """The classes (n,) that a test bets on."""
    if test.startswith(SEGMENT):
        return seen.within(test.removeprefix(SEGMENT))
    return {
        FAVOURABLE: seen.favourable,
        ACTIONS: seen.actions,
        SCORE: seen.bins,
        ERRORS: seen.failed,
        ARMS: np.zeros_like(seen.arms),
    }[test]


@dataclass(frozen=True)
class Paths:
    """Logs of the e-values after every account (n,): of each test, and of the family."""

    tests: Mapping[str, Floats]
    whole: Floats

    @classmethod
    def of(cls, tests: tuple[Sequential, ...], seen: Classes) -> "Paths":
        found = {test.name: test.bets.path(looked_at(test.name, seen), seen.arms) for test in tests}
        return cls(found, together(tests, found))

    def alarmed(self, limits: Guardrails) -> int | None:
        """After how many accounts the family alarmed first; None if it never did."""
        over = np.flatnonzero(alarms(self.whole, limits))
        return int(over[0]) + 1 if over.size else None


def alarms(whole: Floats, limits: Guardrails) -> NDArray[np.bool_]:
    """Where the family's capital, as a log, is enough: for judge and simulation alike."""
    return np.asarray(whole >= -log(limits.false_alarms))


def together(tests: tuple[Sequential, ...], logs: Mapping[str, Floats]) -> Floats:
    """Log of the weighted mean."""
    parts = [logs[test.name] + log(test.weight) for test in tests]
    return np.asarray(np.logaddexp.reduce(parts, axis=0))
