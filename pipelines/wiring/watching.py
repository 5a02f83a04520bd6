"""The decision log, the monthly reports, and what deletes decisions that were kept long enough."""

from functools import cached_property

from monitoring import monitor
from monitoring.decisions import DecisionLog
from monitoring.report import ReportStore
from monitoring.retention import Archive
from pipelines.wiring.data import Data


class Watching(Data):
    """How the models in force are watched."""

    @cached_property
    def decisions(self) -> DecisionLog:
        from monitoring.adapters.sql_decisions import SqlDecisionLog

        return SqlDecisionLog(self.settings.database)

    @property
    def archive(self) -> Archive:
        return Archive(self.decisions, self.stored, self.ledger, self.clock)

    @cached_property
    def reports(self) -> ReportStore:
        from monitoring.adapters.report_folder import ReportFolder

        return ReportFolder(self.settings.reports_folder)

    @cached_property
    def monitoring_desk(self) -> monitor.Desk:
        from monitoring.adapters.duckdb_statistics import DuckdbStatistics
        from monitoring.adapters.evidently_reports import EvidentlyRenderer

        return monitor.Desk(
            lake=self.lake,
            statistics=DuckdbStatistics(self.lake),
            ledger=self.ledger,
            reports=self.reports,
            renderer=EvidentlyRenderer(),
            bundle=self.released_bundle,
            scorer=self.scorer,
            clock=self.clock,
        )
