"""The sequential tests in words: who was decided upon how in which arm, and what the e-value says of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import exp, log

import numpy as np

from models.governance.fairness.groups import NOT_RECORDED
from models.policy import Action
from monitoring.rollout.bets import CANARY, CONTROL, UNSEEN, Whole
from monitoring.rollout.family import ACTIONS, ARMS, ERRORS, FAVOURABLE, SEGMENT, Paths, Sequential, looked_at
from monitoring.rollout.findings import Finding, Standing, e_valued, percent
from monitoring.rollout.observations import Classes, Segments

NOTHING_ON_DEFAULT = (
    "A roll-out tells nothing about default: whether these accounts pay is known when their outcomes are, months from now."
)
MOST_NOT_RECORDED = 0.1
"""Of all accounts seen: a column that is empty for more of them is not known, and nothing passes by it."""
LARGEST = 700.0  # exp of more is no number

_Figure = tuple[float, str]


@dataclass(frozen=True)
class Told:
    """What was seen, and how it is told. `segments` by audit column."""

    seen: Classes
    paths: Paths
    share: float
    segments: Mapping[str, Segments]

    def said(self, test: Sequential, *, blamed: bool) -> Finding:
        """`blamed`: the family alarmed, and this test moved it most."""
        path = self.paths.tests[test.name]
        now, most = (float(path[-1]), float(path.max())) if path.size else (0.0, 0.0)
        value, text = self._figure(test.name)
        alarmed = blamed or most >= log(test.limit)
        known = not test.name.startswith(SEGMENT) or self._known(self.segments[test.name.removeprefix(SEGMENT)])
        evidence = f"e-value {number(now)}, {number(most)} at most; it alarms at {test.limit:,.0f} by itself"
        return Finding(
            name=test.name,
            standing=Standing.OUTSIDE if alarmed else Standing.WITHIN if known else Standing.INSUFFICIENT,
            text=f"{text} ({evidence}).",
            value=value,
            e_value=exp(min(now, LARGEST)),
            e_limit=test.limit,
            p_value=exp(-max(most, 0.0)),
        )

    def _figure(self, test: str) -> _Figure:
        """The figure that the test is about, and the sentence on it."""
        if test.startswith(SEGMENT):
            return self._worst_group(self.segments[test.removeprefix(SEGMENT)])
        told = {FAVOURABLE: self._favourable, ERRORS: self._failures, ARMS: self._arms}
        return told[test]() if test in told else self._most_moved(test)

    def _favourable(self) -> _Figure:
        classes = self.seen.favourable
        control, canary = self.seen.shares(classes, 0)
        many, others = (int(np.sum((self.seen.arms == arm) & (classes != UNSEEN))) for arm in (CANARY, CONTROL))
        told = f"{percent(canary)} of {many:,} accounts in the canary are favoured"
        return control - canary, f"{told}, {percent(control)} of {others:,} in the control"

    def _failures(self) -> _Figure:
        control, canary = self.seen.shares(self.seen.failed, 1)
        told = f"The first request failed for {percent(canary)} of the accounts in the canary"
        return canary - control, f"{told}, {percent(control)} in the control"

    def _arms(self) -> _Figure:
        arms = self.seen.arms
        canary = float(np.mean(arms == CANARY)) if arms.size else 0.0
        return canary, f"{percent(canary)} of {arms.size:,} accounts are in the canary, where {percent(self.share)} should be"

    def _most_moved(self, test: str) -> _Figure:
        """Of several classes the one whose shares differ most."""
        classes = looked_at(test, self.seen)
        present = [int(at) for at in np.unique(classes) if at != UNSEEN]
        shares = {at: self.seen.shares(classes, at) for at in present} or {0: (0.0, 0.0)}
        at = max(shares, key=lambda each: abs(shares[each][1] - shares[each][0]))
        control, canary = shares[at]
        name = f"Action {list(Action)[at]}" if test == ACTIONS else f"Bin {at + 1} of the score"
        told = f"{name} makes up {percent(canary)} in the canary, {percent(control)} in the control"
        return canary - control, f"{told}: no other differs more"

    def _worst_group(self, by: Segments) -> _Figure:
        """The group with the largest drop, of those that a figure may be shown of."""
        found = []
        for name, mine in self._large_enough(by).items():
            control, canary = self.seen.shares(mine, 0)
            found.append((control - canary, f"Of {by.column} {name}, {percent(canary)} in the canary are favoured", control))
        if not found:
            reason = self._unknown(by)
            return 0.0, reason[0].upper() + reason[1:]
        value, told, control = max(found)
        others = "no other group loses more" if self._known(by) else self._unknown(by)
        missing = self._not_recorded(by)
        beside = f"; {missing:,} of {self.seen.arms.size:,} accounts are not recorded by {by.column}" if missing else ""
        return value, f"{told}, {percent(control)} in the control: {others}{beside}"

    def _unknown(self, by: Segments) -> str:
        if all(group == NOT_RECORDED for group in by.of.values()):
            return f"nobody's group by {by.column} is known"
        if self._enough_groups(by):
            return f"more than {percent(MOST_NOT_RECORDED)} of the groups by {by.column} are not known"
        return f"fewer than two groups by {by.column} have {by.minimum_cell:,} accounts in both arms yet"

    def _known(self, by: Segments) -> bool:
        """Whether two groups are large enough to be compared, and few accounts are in none: those are bet on, and no group."""
        return self._enough_groups(by) and self._not_recorded(by) <= MOST_NOT_RECORDED * self.seen.arms.size

    def _enough_groups(self, by: Segments) -> bool:
        return len(self._large_enough(by).keys() - {NOT_RECORDED}) >= 2

    def _not_recorded(self, by: Segments) -> int:
        named = [at for at, name in enumerate(by.groups) if name != NOT_RECORDED]
        return int(np.sum(~np.isin(self.seen.groups[by.column], named)))

    def _large_enough(self, by: Segments) -> dict[str, Whole]:
        """Favourable or not within each group that has accounts enough in both arms: a figure tells nobody's group then."""
        groups, favourable = self.seen.groups[by.column], self.seen.favourable
        within = {name: np.where(groups == at, favourable, UNSEEN) for at, name in enumerate(by.groups)}
        return {
            name: mine
            for name, mine in within.items()
            if min(self._size(mine, arm) for arm in (CONTROL, CANARY)) >= by.minimum_cell
        }

    def _size(self, classes: Whole, arm: int) -> int:
        return int(np.sum((self.seen.arms == arm) & (classes != UNSEEN)))


def number(log_value: float) -> str:
    return e_valued(exp(min(log_value, LARGEST)))
