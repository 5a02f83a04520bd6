"""A drill's home with the real parts: the very functions that the flows call, with a fault's source and a clock in a file."""

import shutil
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from models.clock import FileClock, Month
from models.governance.ledger import Hold
from models.governance.verification import found_by
from models.usecase import Source
from monitoring.alerts.alert import Alert
from monitoring.report import MonthlyReport
from pipelines import steps
from pipelines.replay.days import records
from pipelines.retraining import asked_for
from pipelines.steps import Ending
from pipelines.triggers.step import consider
from pipelines.wiring import Platform, of_own, platform

TRIALS, FOLDS = 4, 2  # enough for a champion that passes the gate


class Home:
    """A home of a drill. Each step builds its platform anew, as each flow does."""

    def __init__(self, folder: Path, source: Source) -> None:
        self.folder = folder
        self._source = source
        folder.mkdir(parents=True, exist_ok=True)
        self._clock = FileClock(folder / "clock")
        self.service_metrics = ""

    def copied(self, to: Path, source: Source) -> "Home":
        """Ledger, channel, lake and log as they are; what MLflow keeps is not needed."""
        return Home(shutil.copytree(self.folder, to, ignore=shutil.ignore_patterns("mlflow", "prefect")), source)

    @property
    def environment(self) -> Mapping[str, str]:
        """What the service is told. It looks often: a drill's day is seconds long."""
        return {
            **of_own(self.folder),
            "STEWARD_CLOCK_FILE": str(self.folder / "clock"),
            "STEWARD_SERVING_POLL_SECONDS": "0.1",
            "STEWARD_SERVING_VERIFY_EVERY": "3",
        }

    def parts(self) -> Platform:
        told = {"home": self.folder, "clock_file": self.folder / "clock", "service_metrics": self.service_metrics}
        log = f"sqlite:///{(self.folder / 'decisions.db').resolve()}"  # its own, whatever the environment names
        own = {"channel": str(self.folder / "channel"), "lake": str(self.folder / "lake"), "database_url": log}
        return platform(source=self._source, **told, **own, trials=TRIALS, folds=FOLDS)

    def at(self, now: datetime) -> None:
        self._clock.set(now)

    @cached_property
    def _today(self) -> Platform:
        return self.parts()

    def accounts(self, month: Month) -> Sequence[Mapping[str, Any]]:
        """A value that is missing is sent as none."""
        found = records(self._today.use_case.contract, self._source.cohort(month, month.last_day).columns)
        return [{name: None if value != value else value for name, value in record.items()} for record in found]

    def ingest(self) -> Sequence[Hold]:
        parts = self.parts()
        return steps.take_in(parts, parts.day(None)).holds

    def watch(self) -> Sequence[MonthlyReport]:
        return steps.watch(self.parts())

    def look_around(self) -> None:
        steps.notify(self.parts())

    def alerts(self) -> Sequence[Alert]:
        parts = self.parts()
        return parts.alert_book.alerts(parts.use_case.name)

    def consider(self, reports: Sequence[MonthlyReport]) -> str:
        parts = self.parts()
        decided = consider(parts, reports, parts.day(None), "")
        return f"{decided.course.value} ({decided.kinds})" if decided.triggers else decided.course.value

    def verify(self) -> Sequence[str]:
        return [f"{found.where}: {found.problem}" for found in found_by(self.parts().checks())]

    def train(self) -> Ending:
        """A champion as of today."""
        parts, why = self.parts(), asked_for("A drill")
        day = parts.day(None)
        cohorts = steps.open_cohorts(parts, day)
        development = steps.search(parts, cohorts)
        assessment = steps.judge(parts, cohorts, development)
        evidence = steps.document(parts, cohorts, development, assessment)
        return steps.release(parts, cohorts, development, assessment, evidence, why)
