"""What a month's counts say, as values that the report keeps."""

from collections.abc import Mapping
from math import sqrt
from statistics import NormalDist
from typing import Any

import numpy as np

from models.contract import Contract
from models.policy import Action, Frozen, MonitoringLimits, Policy
from monitoring.drift import FALSE_ALARMS, Shift, State, binnings, shift
from monitoring.statistics.distances import Distance, distance
from monitoring.statistics.plan import REASONS, SCORE, Allowed, Counts, Tally, allowed, folded


class Quality(Frozen):
    """Rows of a column that should not be: without a value, outside what the contract allows, or with an unknown code."""

    name: str
    rows: int
    missing: int
    below: int
    above: int
    unseen: int

    @property
    def wrong(self) -> int:
        return self.missing + self.below + self.above + self.unseen

    def rate(self, number: int) -> float:
        return number / self.rows if self.rows else 0.0


class Rate(Frozen):
    """The share of favourable decisions. The change that is said is the larger of the policy's and chance's."""

    value: float
    reference: float
    limit: float
    state: State


class Moved(Frozen):
    """A `Shift` without its bins."""

    name: str
    psi: float
    warn: float
    alarm: float
    state: State

    @classmethod
    def of(cls, shift: Shift) -> "Moved":
        return cls(name=shift.name, psi=shift.psi, warn=shift.warn, alarm=shift.alarm, state=shift.state)


class SegmentFigures(Frozen):
    """One segment, against the same segment of the reference."""

    name: str
    rows: int
    share: float
    reference_share: float
    score: Moved
    inputs: tuple[Moved, ...]
    favourable: Rate


class SinceFirst(Frozen):
    """The month against the reference of the first version ever approved: a retrained champion has a newer one."""

    version: int
    bundle: str
    score: Moved
    inputs: tuple[Moved, ...]


class MonthStatistics(Frozen):
    """All that is counted beside the shifts. `first` is None where the first approved version itself decided."""

    rows: int
    quality: tuple[Quality, ...]
    distances: tuple[Distance, ...]
    favourable: Rate
    reasons: Shift | None  # which reason stood first; None if nobody was told any, or the bundle has none to compare with
    segments: tuple[SegmentFigures, ...]
    first: SinceFirst | None = None

    @property
    def reasons_shown(self) -> list[tuple[str, float, float]]:
        """Code, share now and share at training."""
        mix = self.reasons
        if mix is None:
            return []
        totals = max(sum(mix.current), 1), max(sum(mix.reference), 1)
        rows = zip(mix.bins, mix.current, mix.reference, strict=True)
        return [(code, now / totals[0], was / totals[1]) for code, now, was in rows if now or was]


def own_counts(bins: Mapping[str, Mapping[str, Any]], tally: Tally, reference: Mapping[str, Any]) -> dict[str, Counts]:
    """Rows per bin of the reference, by column, of what was counted on the plan's bins; what was not counted is left out."""
    return {name: folded(bins[name], tally[name], binning) for name, binning in binnings(reference).items() if name in bins}


def quality(contract: Contract, bins: Mapping[str, Mapping[str, Any]], tally: Tally) -> tuple[Quality, ...]:
    limits = allowed(contract)
    coded = {
        name: folded(bins[name], tally[name], {"codes": sorted(contract[name].codes)})
        for name in bins
        if name in coded_inputs(contract)
    }
    return tuple(
        _unknown(name, coded[name]) if name in coded else _quality(name, bins[name], tally[name], limits[name])
        for name in [*contract.inputs, SCORE]
    )


def coded_inputs(contract: Contract) -> list[str]:
    return [name for name in contract.inputs if contract[name].codes]


def distances(
    contract: Contract, bins: Mapping[str, Mapping[str, Any]], tally: Tally, reference: Mapping[str, Any], least: int
) -> tuple[Distance, ...]:
    """Of every number, if there are as many rows as the policy asks for."""
    fine, found = reference.get("fine", {}), []
    for name, frozen in fine.items():
        counts = folded(bins[name], tally[name], {"edges": [*frozen["edges"], np.inf]})[:-1]
        unit = "" if name == SCORE else contract[name].unit
        each = distance(name, frozen, counts, unit=unit, columns=len(fine)) if counts.sum() >= least else None
        found += [each] if each else []
    return tuple(found)


def favourable(policy: Policy, current: Mapping[str, int], reference: Mapping[str, int], family: int) -> Rate:
    """Both by action. `family` is how many rates are looked at together."""
    good = [action.value for action in (policy.fairness.favourable if policy.fairness else (Action.KEEP,))]
    n, reference_n = sum(current.values()), sum(reference.values())
    now, was = (sum(counts.get(action, 0) for action in good) / max(sum(counts.values()), 1) for counts in (current, reference))
    limits, chance = policy.monitoring, 0.0
    if n and reference_n:
        pooled = (now * n + was * reference_n) / (n + reference_n)
        spread = sqrt(pooled * (1 - pooled) * (1 / n + 1 / reference_n))
        chance = NormalDist().inv_cdf(1 - FALSE_ALARMS / family / 2) * spread
    limit = max(limits.favourable_rate, chance)
    enough = min(n, reference_n) >= limits.minimum_rows
    state: State = "insufficient" if not enough else "warn" if abs(now - was) > limit else "stable"
    return Rate(value=now, reference=was, limit=limit, state=state)


def reason_mix(
    bins: Mapping[str, Mapping[str, Any]], tally: Tally, reference: Mapping[str, Any], limits: MonitoringLimits
) -> Shift | None:
    """Which reason stands first, of those who were told any."""
    counted = reference.get("first_reasons")
    if not counted or REASONS not in bins or not tally[REASONS].sum():
        return None
    frozen = {"codes": sorted(counted), "counts": [*(counted[code] for code in sorted(counted)), 0]}
    return shift(REASONS, frozen, folded(bins[REASONS], tally[REASONS], frozen), limits, columns=1)


def by_action(reference: Mapping[str, Any], counts: Mapping[str, Counts]) -> dict[str, int]:
    codes = binnings(reference)["action"]["codes"]
    return {code: int(count) for code, count in zip(codes, counts["action"], strict=False)}


def _unknown(name: str, counts: Counts) -> Quality:
    return Quality(name=name, rows=int(counts.sum()), missing=0, below=0, above=0, unseen=int(counts[-1]))


def _quality(name: str, counted: Mapping[str, Any], counts: Counts, limits: Allowed) -> Quality:
    below, _, above, missing = folded(counted, counts, {"edges": limits.edges})
    return Quality(name=name, rows=int(counts.sum()), missing=int(missing), below=int(below), above=int(above), unseen=0)
