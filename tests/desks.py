"""A desk that monitors a champion, on months that are made up."""

from dataclasses import dataclass, field
from datetime import date
from typing import Any

from models.bundle import Bundle
from models.clock import FixedClock, Month, end_of_day
from models.credit_default import USE_CASE
from models.governance.ledger import Event
from models.lake import SNAPSHOTS
from monitoring.monitor import Desk, monitor
from monitoring.report import MonthlyReport
from tests import months
from tests.fakes.lake import InMemoryLake
from tests.fakes.ledger import FakeLedger
from tests.fakes.reports import FakeReportStore
from tests.fakes.statistics import ArrayStatistics

JUNE, JULY, AUGUST = Month(2005, 6), Month(2005, 7), Month(2005, 8)


@dataclass
class Office:
    """A champion trained on June, and a desk that monitors it."""

    clock: FixedClock = field(default_factory=lambda: FixedClock(end_of_day(date(2005, 7, 31))))
    lake: InMemoryLake = field(default_factory=InMemoryLake)
    ledger: FakeLedger = field(default_factory=FakeLedger)
    reports: FakeReportStore = field(default_factory=FakeReportStore)
    renderer: months.FakeRenderer = field(default_factory=months.FakeRenderer)
    bundles: dict[str, Bundle] = field(default_factory=dict)

    def __post_init__(self) -> None:
        trained_on = self.lake.write(SNAPSHOTS, JUNE, months.accounts(JUNE), recorded_at=end_of_day(JUNE.last_day))
        self.champion = self.known(months.bundle(self.lake, trained_on))

    def known(self, bundle: Bundle) -> Bundle:
        self.bundles[bundle.digest] = bundle
        return bundle

    @property
    def desk(self) -> Desk:
        find, loaded = self.bundles.__getitem__, months.StatusScorer
        statistics = ArrayStatistics(self.lake)
        return Desk(self.lake, statistics, self.ledger, self.reports, self.renderer, find, loaded, self.clock)

    def decide(self, month: Month, **how: Any) -> dict[str, Any]:
        columns = months.accounts(month, **how)
        months.decide(self.lake, columns, self.champion, self.clock.now())
        return columns

    def monitor(self, month: Month) -> MonthlyReport:
        return monitor(USE_CASE, month, self.desk)[1]

    def record(self, event: Event, month: str) -> None:
        self.ledger.append(
            event, model=USE_CASE.name, actor="person", at=self.clock.now(), facts={"month": month, "what": "the coding changed"}
        )
