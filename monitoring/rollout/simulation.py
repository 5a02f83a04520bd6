"""Simulated canaries: how often the tests alarm although nothing is different, and how soon they find what is.

Every account is drawn by itself, from a table of 10,000 equally likely kinds, and the tests look after every few. The bets are
those of real roll-outs; only their sums are taken for many roll-outs at once.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from models.guardrails import Guardrails
from models.policy import Action
from monitoring.rollout.bets import UNSEEN, Floats, Whole
from monitoring.rollout.family import alarms, family, looked_at
from monitoring.rollout.observations import Classes

DRAWN = 10_000  # equally likely: rates are given to 1 in 10,000
BINS = 10
GROUPS = (0.7, 0.2, 0.1)  # shares of the accounts, by one audit column
FAILED = len(Action) * BINS
KINDS = FAILED + 1  # of account in each group
_AT_ONCE = 2_000_000  # accounts in memory
_LARGEST = 50.0  # exp of it is far beyond any alarm, and still a number in single precision


@dataclass(frozen=True)
class World:
    """How often each decision is made, and how often a request fails. The score has ten bins, equally frequent in the control.

    Everybody is in one of three groups, which knows nothing of the score. `harmed`: a group in which that much fewer are kept.
    """

    keep: float
    reduce: float
    failures: float = 0.002
    harmed: tuple[int, float] = (0, 0.0)

    def less_favourable(self, drop: float) -> "World":
        """As many reductions; the accounts just below the cut-off go to review."""
        return replace(self, keep=self.keep - drop)

    def less_favourable_within(self, group: int, drop: float) -> "World":
        return replace(self, harmed=(group, drop))

    def table(self) -> Whole:
        """Kinds of account (DRAWN,) in the order of their scores: group, with action and bin or a failed request, as a number."""
        place, random = (np.arange(DRAWN) + 0.5) / DRAWN, np.random.default_rng(0)
        failed = random.permutation(DRAWN)[: round(self.failures * DRAWN)]
        group = np.searchsorted(np.cumsum(GROUPS)[:-1], (random.permutation(DRAWN) + 0.5) / DRAWN)
        keep = self.keep - np.where(group == self.harmed[0], self.harmed[1], 0.0)
        action = (place >= keep).astype(np.int64) + (place >= 1 - self.reduce)
        decided = action * BINS + (place * BINS).astype(np.int64)
        decided[failed] = FAILED
        return group * KINDS + decided


@dataclass(frozen=True)
class Arms:
    """Worlds of control and canary by phase of the roll-out, each of equal length: rates may change while it runs."""

    phases: Sequence[tuple[World, World]]

    def tables(self) -> Whole:
        """(phases, 2, DRAWN)"""
        return np.array([[world.table() for world in both] for both in self.phases])


@dataclass(frozen=True)
class Plan:
    """Roll-outs of so many accounts, looked at after `every` so many."""

    rollouts: int
    accounts: int
    every: int
    seed: int


def first_alarms(arms: Arms, limits: Guardrails, share: float, plan: Plan) -> Whole:
    """By roll-out (n,): after how many accounts the family alarmed, 0 for never."""
    generator = np.random.default_rng(plan.seed)
    tables, looks = arms.tables(), plan.accounts // plan.every
    kinds, tables = np.unique(tables, return_inverse=True)
    weights, factors = _flat(limits, share, kinds)
    at_once, found = max(1, _AT_ONCE // (looks * plan.every)), []
    for start in range(0, plan.rollouts, at_once):
        size = min(at_once, plan.rollouts - start)
        counts = _counts(generator, tables, len(kinds), share, (size, looks, plan.every))
        found.append(_alarms(counts, weights, factors, limits) * plan.every)
    return np.concatenate(found)


def _counts(
    generator: np.random.Generator, tables: Whole, kinds: int, share: float, shape: tuple[int, int, int]
) -> NDArray[np.float32]:
    """Accounts so far by roll-out, look, and kind with arm (size, looks, kinds * 2): whole numbers, exact in single precision."""
    size, looks, every = shape
    canary = (generator.random((size, looks * every), dtype=np.float32) < share).astype(np.intp)
    drawn = generator.integers(0, DRAWN, (size, looks * every), dtype=np.int16)
    phase = np.arange(looks * every) * len(tables) // (looks * every)
    kind = tables[phase, canary, drawn] * 2 + canary
    row = np.arange(size * looks).reshape(size, looks, 1) * (kinds * 2)
    flat = np.bincount((row + kind.reshape(size, looks, every)).ravel(), minlength=size * looks * kinds * 2)
    return np.cumsum(flat.reshape(size, looks, -1), axis=1, dtype=np.float32)


def _alarms(counts: NDArray[np.float32], weights: Floats, factors: Floats, limits: Guardrails) -> Whole:
    """The number of the first look (size,) at which the family's capital is enough, 0 for none."""
    logs = counts @ factors.astype(np.float32) + weights.astype(np.float32)
    capital = np.exp(np.minimum(logs, _LARGEST, out=logs), out=logs).sum(axis=-1)
    over = alarms(np.log(capital), limits)
    return np.where(over.any(axis=1), over.argmax(axis=1) + 1, 0)


def _flat(limits: Guardrails, share: float, kinds: Whole) -> tuple[Floats, Floats]:
    """Every bet of the family: logs of its weight (k,), and of its factors by kind with arm (kinds * 2, k)."""
    group, decided = np.divmod(kinds, KINDS)
    failed = decided == FAILED
    classes = Classes(
        arms=np.zeros_like(kinds),
        failed=failed.astype(np.int64),
        actions=np.where(failed, UNSEEN, decided // BINS),
        bins=np.where(failed, UNSEEN, decided % BINS),
        groups={"group": group},
    )
    weights, factors = [], []
    for test in family(limits, share, {"group": len(GROUPS)}):
        idle = np.concatenate([test.bets.factors, np.zeros((len(test.bets.weights), 1, 2))], axis=1)
        factors.append(idle[:, looked_at(test.name, classes), :].reshape(len(idle), -1).T)
        weights.append(np.log(test.bets.weights * test.weight))
    return np.concatenate(weights), np.concatenate(factors, axis=1)
