"""What every other part of the wiring stands on: the settings, the use case with its source, the clock."""

from datetime import date, datetime
from functools import cached_property

from models.catalog import find
from models.clock import Clock, FileClock, SystemClock
from models.errors import InputRefused
from models.usecase import Source, UseCase
from pipelines.progress import Progress
from pipelines.settings import PipelineSettings
from pipelines.stopwatch import Stopwatch


class Foundation:
    """Settings, use case, time, and how far a run has come."""

    def __init__(self, settings: PipelineSettings, source: Source | None = None) -> None:
        self.settings = settings
        self.progress = Progress()
        self.watch = Stopwatch()
        self._source = source

    @property
    def trainer(self) -> str:
        """Who answers for what is trained here."""
        return self.settings.trainer

    @cached_property
    def use_case(self) -> UseCase:
        return find(self.settings.use_case)

    @cached_property
    def source(self) -> Source:
        if self._source or not self.settings.scenario:
            return self._source or self.use_case.source()
        from pipelines.simulation.credit_cards import simulator

        return simulator(self.settings.scenario)

    @cached_property
    def clock(self) -> Clock:
        return FileClock(self.settings.clock_file) if self.settings.clock_file else SystemClock()

    def day(self, as_of: date | None) -> date:
        """The day given, or today by the platform's clock."""
        return as_of or self.clock.now().date()

    def instant(self, known_at: datetime | None) -> datetime:
        """The instant given, or now by the platform's clock. Raises `InputRefused` for one that has not come."""
        now = self.clock.now()
        if known_at and known_at > now:
            raise InputRefused(f"{known_at:%Y-%m-%d %H:%M} has not come yet", hint="nobody knows what will be known then")
        return known_at or now
