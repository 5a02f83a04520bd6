"""From the tallies of a month to its statistics: of all rows, by segment, and against the first approved version."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from models.bundle import Bundle
from models.contract import Contract
from models.policy import Policy
from monitoring.drift import Shift, binnings, shift
from monitoring.statistics.figures import (
    MonthStatistics,
    Moved,
    SegmentFigures,
    SinceFirst,
    by_action,
    distances,
    favourable,
    own_counts,
    quality,
    reason_mix,
)
from monitoring.statistics.plan import SCORE, Counts, Tally, planned

Bins = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Basis:
    """What a month is compared with: the bundle that decided it, and the first approved one unless it is the same."""

    bundle: Bundle
    first: Bundle | None = None
    first_version: int = 0

    @property
    def reference(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.bundle.part("reference.json")
        return found

    @property
    def bins(self) -> Bins:
        """What to count."""
        others = [self.first.part("reference.json")] if self.first else []
        return planned(self.bundle.contract, [self.reference, *others])


def statistics(basis: Basis, tallies: Mapping[str, Tally]) -> MonthStatistics:
    """`tallies` are on the bins of `basis`, "" being all rows."""
    bundle, bins, whole, reference = basis.bundle, basis.bins, tallies[""], basis.reference
    contract, policy = bundle.contract, bundle.policy
    own = own_counts(bins, whole, reference)
    return MonthStatistics(
        rows=int(own["action"].sum()),
        quality=quality(contract, bins, whole),
        distances=distances(contract, bins, whole, reference, policy.monitoring.minimum_rows),
        favourable=favourable(policy, by_action(reference, own), reference["actions"], family=1),
        reasons=reason_mix(bins, whole, reference, policy.monitoring),
        segments=segments(contract, policy, bins, tallies, reference),
        first=since_first(basis, bins, whole) if basis.first else None,
    )


def segments(
    contract: Contract, policy: Policy, bins: Bins, tallies: Mapping[str, Tally], reference: Mapping[str, Any]
) -> tuple[SegmentFigures, ...]:
    """Of those that the bundle's reference knows; an older bundle's knows none."""
    known, frozen = reference.get("segments", {}), binnings(reference)
    rows, family = {name: own_counts(bins, tally, reference) for name, tally in tallies.items()}, max(len(known), 1)
    total, reference_total = int(rows[""]["action"].sum()), reference["rows"]

    def moved(was: Mapping[str, Any], own: Mapping[str, Counts], name: str) -> Moved:
        counts = was["score"] if name == SCORE else was["inputs"][name]
        columns = (len(contract.inputs) + 1) * family
        found = shift(name, {**frozen[name], "counts": counts}, own[name], policy.monitoring, columns=columns)
        few = was["rows"] < policy.monitoring.minimum_rows
        return Moved.of(found.model_copy(update={"state": "insufficient"}) if few else found)

    return tuple(
        SegmentFigures(
            name=name,
            rows=int(rows[name]["action"].sum()),
            share=int(rows[name]["action"].sum()) / max(total, 1),
            reference_share=was["rows"] / max(reference_total, 1),
            score=moved(was, rows[name], SCORE),
            inputs=tuple(moved(was, rows[name], column) for column in contract.inputs),
            favourable=favourable(policy, by_action(reference, rows[name]), was["actions"], family),
        )
        for name, was in known.items()
        if name in rows
    )


def since_first(basis: Basis, bins: Bins, whole: Tally) -> SinceFirst:
    """PSI on the first approved version's own bins, of the columns that both know; limits are those in force."""
    assert basis.first is not None
    reference, limits = basis.first.part("reference.json"), basis.bundle.policy.monitoring
    frozen, own = binnings(reference), own_counts(bins, whole, reference)
    found: dict[str, Shift] = {
        name: shift(name, frozen[name], counts, limits, columns=len(own)) for name, counts in own.items() if np.sum(counts)
    }
    inputs = tuple(Moved.of(found[name]) for name in basis.bundle.contract.inputs if name in found)
    return SinceFirst(version=basis.first_version, bundle=basis.first.digest, score=Moved.of(found[SCORE]), inputs=inputs)
