"""What the triggers look at: the reports with their place and digest, and how the champion stands."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from models.governance.retrainings import Cited
from models.lake import PartitionVersion
from monitoring.report import MonthlyReport, ReportKey, ReportStore, newest


@dataclass(frozen=True)
class Seen:
    """A report, and how it is cited."""

    report: MonthlyReport
    cited: Cited


@dataclass(frozen=True)
class InForce:
    """The champion, as far as a trigger may depend on it.

    `as_of` is the last day of what it was made of; `fresh` are the cohorts that matured since and can be learnt together with it.
    """

    as_of: date
    definition: int
    bundle: str
    fresh: tuple[Cited, ...] = ()
    approved_until: datetime | None = None  # None: nobody's approval counts

    @property
    def cited(self) -> Cited:
        return Cited("bundle", self.bundle[:12], self.bundle)


@dataclass(frozen=True)
class Situation:
    """`reports` were made by this run and count now, newest month first; `before` is the newest of every month, likewise."""

    as_of: date
    now: datetime
    champion: InForce | None
    definition: int  # the one in force for what would be trained on
    reports: Sequence[Seen] = ()
    before: Sequence[Seen] = ()


def cited(partition: PartitionVersion) -> Cited:
    """A partition of the lake."""
    return Cited(partition.table, f"{partition.month} version {partition.version}", partition.digest)


def seen(store: ReportStore, key: ReportKey, report: MonthlyReport) -> Seen:
    """The digest is that of the stored file, so that `sha256sum` says the same and `make verify` can compare."""
    return Seen(report, Cited("report", f"{key.model}/{key.month}/{key.stamp}", store.digest(key)))


def stored(store: ReportStore, model: str) -> list[Seen]:
    """The newest report of every month, newest month first."""
    return [seen(store, key, report) for key, report in newest(store, model)]
