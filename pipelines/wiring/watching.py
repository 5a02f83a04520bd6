"""The decision log, the monthly reports, and what deletes decisions that were kept long enough."""

from collections.abc import Sequence
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING

from models.adapters import account_keys
from models.channel import head, verified
from models.errors import NoChampion, Unavailable
from models.governance.verification import Finding
from monitoring import monitor
from monitoring.alerts.book import AlertBook
from monitoring.alerts.delivery import Channel
from monitoring.alerts.rounds import Watchtower
from monitoring.cadence import check_watched, last_watched
from monitoring.chain import ChainKeys
from monitoring.custody import begin, note
from monitoring.decisions import DecisionLog, Unmigrated
from monitoring.drift import Statistics
from monitoring.invariants.figures import Service
from monitoring.report import ReportStore
from monitoring.retention import Archive
from monitoring.rollout.documents import VerdictStore
from monitoring.trials import Trials
from pipelines.wiring.data import Data

if TYPE_CHECKING:
    from monitoring.adapters.sql_decisions import SqlDecisionLog


class Watching(Data):
    """How the models in force are watched."""

    @property
    def decisions(self) -> DecisionLog:
        return self._log_of_decisions

    @cached_property
    def _log_of_decisions(self) -> "SqlDecisionLog":
        from monitoring.adapters.sql_decisions import SqlDecisionLog

        return SqlDecisionLog(self.settings.database, self.chain_keys)

    @property
    def trials(self) -> Trials:
        """What roll-outs have shown."""
        from monitoring.adapters.sql_trials import SqlTrials

        return SqlTrials(self._log_of_decisions)

    def chain_keys(self) -> ChainKeys:
        """The keys that seal the decision log."""
        keys = account_keys.secret_keys(self.settings.home / "keys", account_keys.LOG, local=self.settings.profile == "local")
        return ChainKeys(keys)

    def expect_seals(self) -> None:
        """Before a promotion; the first of a home is noted."""
        begin(self.ledger, self.channel, actor=self.trainer, at=self.clock.now())

    def note_decisions(self) -> None:
        """Write into the ledger what the decision log and its sealed months hold now. Raises `Integrity`: see `attested`."""
        self.attested()
        note(self.decisions, self.stored, self.ledger, self.use_case.name, actor=self.trainer, at=self.clock.now())

    @property
    def archive(self) -> Archive:
        return Archive(self.decisions, self.stored, self.ledger, self.clock)

    @cached_property
    def reports(self) -> ReportStore:
        from monitoring.adapters.report_folder import ReportFolder

        return ReportFolder(self.settings.reports_folder)

    @cached_property
    def alert_book(self) -> AlertBook:
        from monitoring.adapters.alert_folder import AlertFolder

        return AlertFolder(self.settings.home / "alerts")

    @cached_property
    def alert_channels(self) -> Sequence[Channel]:
        """Where people are told. Raises `Misconfigured`."""
        from monitoring.adapters.apprise_channels import channels

        return channels(self.settings.channels_file)

    @property
    def watchtower(self) -> Watchtower:
        return Watchtower(self.reports, self.alert_book, self.clock)

    def read_service(self) -> Service | None:
        """What the scoring service says of itself; None if nobody said where it is. Raises `Unavailable`."""
        if not self.settings.service_metrics:
            return None
        from monitoring.adapters.service_metrics import ServiceMetrics

        limit, key = self.use_case.alerting.objectives.latency_seconds, self.settings.service_key.get_secret_value()
        return ServiceMetrics(self.settings.service_metrics, key, limit, self.clock).read()

    def service_figures(self) -> Service | None:
        """The same for a report, which stands without it: that the service is away is an alert of its own."""
        with suppress(Unavailable):
            return self.read_service()
        return None

    @cached_property
    def verdicts(self) -> VerdictStore:
        """What every judgement of a roll-out said."""
        from monitoring.adapters.verdict_folder import VerdictFolder

        return VerdictFolder(self.settings.home / "rollouts")

    def overdue(self, model: str) -> list[Finding]:
        """Whether a model in force that has decided something was watched as often as its tier asks for."""
        if not self.channel.pointers(model):
            return []  # nothing was ever in force, and nobody needs to be trusted yet
        try:
            champion = head(self.channel, self.trust(), model).bundle
            decided = next(iter(self.decisions.links()), None) is not None
        except (NoChampion, Unmigrated):
            return []
        since = last_watched(self.reports, self.ledger.entries(model), model)
        found = check_watched(verified(self.channel, model, champion), since, self.clock.now())
        return list(found) if decided else []

    @cached_property
    def statistics(self) -> Statistics:
        """What counts sealed decisions."""
        if self.settings.engine == "spark":
            from monitoring.adapters.spark_statistics import SparkStatistics

            return SparkStatistics(self.lake, self.spark, threads=self.settings.workers)
        from monitoring.adapters.duckdb_statistics import DuckdbStatistics

        return DuckdbStatistics(self.lake)

    @cached_property
    def monitoring_desk(self) -> monitor.Desk:
        from monitoring.adapters.evidently_reports import EvidentlyRenderer

        return monitor.Desk(
            lake=self.lake,
            statistics=self.statistics,
            ledger=self.ledger,
            reports=self.reports,
            renderer=EvidentlyRenderer(),
            bundle=self.released_bundle,
            scorer=self.scorer,
            clock=self.clock,
            service=self.service_figures,
        )
