"""Help for an account: the smallest change that would have led to a better decision, proved by scoring it.

Only the policy's mutable inputs move, each in its own direction and up to its bound; an audit column is no input and cannot
be among them. Smallest means: fewest inputs, then the least total way, where the way of an input is the share of development
accounts between its old and its new value; of equals the lower probability. The search is a grid, so it repeats itself: the
codes of a status, or a step at every recorded quantile (2.5 % of the accounts) and at the bound. Over several inputs at
once the steps are thinned until a grid has at most `BATCH` rows.

A change is about the model, not about the world: it says what would have counted, not what will happen.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import ceil, floor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.contract import Column, Contract
from models.errors import Integrity
from models.governance.doubt.rule import Rule
from models.governance.explanation.baseline import mapped
from models.governance.explanation.reasons import BATCH
from models.policy import Action, Mutable, Policy
from models.scoring import Scorer

Floats = NDArray[np.float64]

MOST_CHANGED = 3
"""Inputs changed together, at most: nobody acts on more."""
_SLACK, _DIGITS = 1e-9, 9  # of a number of steps; decimals to which a value is rounded
_SEVERITY = {action.value: place for place, action in enumerate(Action)}


@dataclass(frozen=True)
class Change:
    column: str
    before: float
    after: float


@dataclass(frozen=True)
class Counterfactual:
    """What would have been decided after these changes. `way` is the total share of accounts that was passed."""

    changes: tuple[Change, ...]
    action: str
    probability: float
    way: float


@dataclass(frozen=True)
class _Steps:
    """Where an input may go: values (steps,) and their way from here (steps,), nearest first."""

    values: Floats
    ways: Floats

    def thinned(self, count: int) -> "_Steps":
        """At most `count` steps, evenly chosen, the bound among them."""
        if len(self.values) <= count:
            return self
        kept = np.linspace(0, len(self.values) - 1, count).round().astype(np.intp)
        return _Steps(self.values[kept], self.ways[kept])


@dataclass(frozen=True)
class _Ladder:
    """The values that an input may take on its way to `last`, nearest first: its codes, or whole steps of the contract."""

    codes: Floats
    first: float  # in steps
    step: float
    sign: int
    last: float
    count: int

    @classmethod
    def between(cls, column: Column, now: float, last: float) -> "_Ladder":
        sign = 1 if last > now else -1
        if column.codes:
            codes = np.array(sorted(column.codes), dtype=np.float64)[::sign]
            codes = codes[(sign * (codes - now) > 0) & (sign * (last - codes) >= 0)]
            return cls(codes, 0.0, 0.0, sign, last, len(codes))
        first = sign * (floor(sign * now / column.step + _SLACK) + 1)
        whole = max(0, ceil(sign * last / column.step - _SLACK) - sign * first)
        return cls(np.array([]), first, column.step, sign, last, whole + 1)

    def values(self, places: NDArray[np.int64]) -> Floats:
        """By place (n,), from 0; the last one is where the way ends, in whole steps or not."""
        if len(self.codes):
            return self.codes[places]
        whole = np.round((self.first + self.sign * places) * self.step, _DIGITS)
        return np.where(places == self.count - 1, self.last, whole)


class Counsel:
    """Counterfactuals of one bundle. Safe for several threads."""

    def __init__(
        self, contract: Contract, policy: Policy, part: Mapping[str, Any], scorer: Scorer, rule: Rule | None = None
    ) -> None:
        """`part` is `reasons.json`; `rule` decides, or the policy's cut-offs alone where a model was not sealed.

        Raises `Misconfigured` if the policy would change what is no input.
        """
        self.mutable = mapped(contract, policy).mutable
        self._contract, self._policy, self._scorer, self._rule = contract, policy, scorer, rule
        self._place = {name: place for place, name in enumerate(contract.inputs)}
        self._scales = {each.column: _scale(part["scales"][each.column]) for each in self.mutable}

    def better(self, row: Floats, than: Action | None = None) -> Counterfactual | None:
        """The smallest change of packed inputs (inputs,) with an action milder than their own, or than the one given; None if the
        grid holds none.

        Raises `Integrity` if the change, scored once more alone, does not lead to what the grid said.
        """
        steps = {each.column: found for each in self.mutable if len((found := self._steps(each, row)).values)}
        severity = _SEVERITY[than or self._judged(row[None])[0][0]]
        for size in range(1, min(len(steps), MOST_CHANGED) + 1):
            tried = [self._best(row, chosen, steps, severity) for chosen in combinations(steps, size)]
            if milder := [self._drawn_back(row, each, severity) for each in tried if each is not None]:
                return self._proved(row, min(milder, key=lambda each: (each.way, each.probability)))
        return None

    def _steps(self, mutable: Mutable, row: Floats) -> _Steps:
        column, now = self._contract[mutable.column], row[self._place[mutable.column]]
        bound = row[self._place[mutable.until]] if isinstance(mutable.until, str) else mutable.until
        bound = float(np.clip(bound, column.minimum, column.maximum))
        knots, shares = self._scales[mutable.column]
        values = np.array(sorted(column.codes), dtype=np.float64) if column.codes else np.append(knots, bound)
        ahead = mutable.direction * (values - now) > 0
        values = np.unique(values[ahead & (mutable.direction * (bound - values) >= 0)])[:: mutable.direction]
        return _Steps(values, np.abs(np.interp(values, knots, shares) - np.interp(now, knots, shares)))

    def _best(self, row: Floats, chosen: Sequence[str], steps: Mapping[str, _Steps], severity: int) -> Mapping[str, float] | None:
        """The least way over the grid of these inputs: their new values."""
        count = int(BATCH ** (1 / len(chosen)) + 1e-9)
        axes = [steps[name].thinned(count) for name in chosen]
        values = np.stack([grid.ravel() for grid in np.meshgrid(*(axis.values for axis in axes), indexing="ij")], axis=1)
        ways = np.sum([grid.ravel() for grid in np.meshgrid(*(axis.ways for axis in axes), indexing="ij")], axis=0)
        rows = np.repeat(row[None], len(values), axis=0)
        rows[:, [self._place[name] for name in chosen]] = values
        actions, probability = self._judged(rows)
        milder = np.flatnonzero([_SEVERITY[action] < severity for action in actions])
        if not len(milder):
            return None
        best = milder[np.lexsort((probability[milder], ways[milder]))[0]]
        return dict(zip(chosen, values[best].tolist(), strict=True))

    def _drawn_back(self, row: Floats, values: Mapping[str, float], severity: int) -> Counterfactual:
        """No changed input can come a step nearer to what it was, the others as they are."""
        after, before = row.copy(), None
        for name, value in values.items():
            after[self._place[name]] = value
        while before is None or (before != after).any():
            before = after.copy()
            for name in values:
                after[self._place[name]] = self._nearest(row, after, name, severity)
        return self._told(row, after, values)

    def _nearest(self, row: Floats, after: Floats, name: str, severity: int) -> float:
        """The value of one input nearest to its own that still helps, when the others are as in `after`.

        Every value is tried if there are no more than `BATCH`; else as many, evenly spread, and then all between the nearest
        that helps and the one before it. So of a model that goes to and fro, a shorter way may be missed.
        """
        place = self._place[name]
        ladder = _Ladder.between(self._contract[name], row[place], after[place])
        low, high = 0, ladder.count - 1  # the last one is known to help
        while low < high:
            tried = np.unique(np.linspace(low, high, BATCH).round().astype(np.int64))
            rows = np.repeat(after[None], len(tried), axis=0)
            rows[:, place] = ladder.values(tried)
            helps = np.array([_SEVERITY[action] < severity for action in self._judged(rows)[0]])
            helps[-1] = True
            first = int(np.argmax(helps))
            low, high = int(tried[first - 1]) + 1 if first else low, int(tried[first])
        return float(ladder.values(np.array([high]))[0])

    def _told(self, row: Floats, after: Floats, names: Iterable[str]) -> Counterfactual:
        actions, probability = self._judged(np.stack([row, after]))
        moved = {name: (float(row[place]), float(after[place])) for name in names for place in [self._place[name]]}
        way = sum(abs(float(np.diff(np.interp(pair, *self._scales[name]))[0])) for name, pair in moved.items())
        changes = tuple(Change(name, before, then) for name, (before, then) in moved.items())
        return Counterfactual(changes, str(actions[1]), float(probability[1]), way)

    def _judged(self, rows: Floats) -> tuple[NDArray[np.str_], Floats]:
        probability = self._policy.quantise(self._scorer.probabilities(rows))
        if self._rule is None:
            return self._policy.cut_offs.actions(probability), probability
        strange = self._rule.familiar.strange(rows).any(axis=1)  # to become unlike everybody is no help
        return np.where(strange, Action.REDUCE.value, self._rule.band.actions(probability)), probability

    def _proved(self, row: Floats, found: Counterfactual) -> Counterfactual:
        again = row.copy()
        for change in found.changes:
            again[self._place[change.column]] = change.after
        actions, probability = self._judged(again[None])
        if (str(actions[0]), float(probability[0])) != (found.action, found.probability):
            raise Integrity(
                f"a change was said to lead to {found.action} and leads to {actions[0]}",
                hint="the graph does not score a row the same alone and in a batch: roll back to the previous champion",
            )
        return found


def _scale(knots: Sequence[float]) -> tuple[Floats, Floats]:
    """Distinct values, rising, and for each the share of accounts below it, ties counted half."""
    ordered = np.array(knots, dtype=np.float64)
    values = np.unique(ordered)
    sides = [np.searchsorted(ordered, values, side) for side in ("left", "right")]
    return values, np.mean(sides, axis=0) / len(ordered)
