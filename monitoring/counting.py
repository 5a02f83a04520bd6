"""One pass over a month's rows: everything that is said of them is put together from the same counts."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from models.bundle import Bundle
from models.errors import Integrity, NotFound
from models.governance.ledger import Entry, Event
from models.lake import PartitionVersion
from monitoring.drift import Shift, Statistics, shifts
from monitoring.outcomes.estimation import Estimate, estimate
from monitoring.statistics.assembly import Basis, statistics
from monitoring.statistics.figures import MonthStatistics, own_counts


@dataclass(frozen=True)
class Counted:
    moved: Mapping[str, Shift]
    statistics: MonthStatistics
    estimate: Estimate


def counted(partition: PartitionVersion, basis: Basis, counter: Statistics) -> Counted:
    """The rows that the bundle answered; other bundles' are not looked at."""
    bundle, reference = basis.bundle, basis.reference
    limits, own_rows = bundle.policy.monitoring, ("bundle", bundle.digest)
    tallies = counter.tally(partition, basis.bins, limits.segments, where=own_rows)
    scored = counter.scored(partition, limits.segments, where=own_rows)
    moved = shifts(reference, own_counts(basis.bins, tallies[""], reference), limits)
    return Counted(moved, statistics(basis, tallies), estimate(scored, reference.get("performance", {})))


def basis_of(bundle: Bundle, entries: Sequence[Entry], find: Callable[[str], Bundle]) -> tuple[Basis, str]:
    """What to compare with, and a note if the first approved version is gone: that costs the report one comparison."""
    promoted = next((entry for entry in entries if entry.event is Event.PROMOTED), None)
    if promoted is None or promoted.facts["bundle"] == bundle.digest:
        return Basis(bundle), ""
    try:
        return Basis(bundle, find(promoted.facts["bundle"]), int(promoted.facts["version"])), ""
    except (NotFound, Integrity) as error:
        return Basis(bundle), f"Not compared with the first approved version: {error.problem}."
