"""What a replay is told and what it works on: a script of days, the platform's parts, and the running service."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from models.bundle import Bundle
from models.clock import Month
from models.scoring import Scorer
from models.usecase import Source, UseCase
from monitoring.report import MonthlyReport
from pipelines.replay.story import EventKind


@dataclass(frozen=True)
class Acceptance:
    """A person takes over a new reading of the outcomes, and of the month's inputs that were recoded with them.

    In a replay the person is made up, and recorded as such.
    """

    definition: int
    person: str
    comment: str
    inputs: tuple[tuple[str, str], ...] = ()  # month and column


@dataclass(frozen=True)
class Day:
    """What a replayed day holds: perhaps a month's accounts to score, perhaps a person's decision."""

    on: date
    month: Month | None = None
    acceptance: Acceptance | None = None


@dataclass(frozen=True)
class Script:
    """A scenario: the days, in order, and where the accounts come from. `truth` is the best possible prediction, if known."""

    name: str
    title: str
    use_case: UseCase
    source: Source
    days: Sequence[Day]
    data: Sequence[str]
    simulated: str = ""  # the name of the simulated scenario that the pipelines take their accounts from
    shifted_from: str = ""
    truth: Callable[[Month], NDArray[np.float64]] | None = None


@dataclass(frozen=True)
class Turn:
    """What a run of training or retraining came to. `version` and `bundle` are those of the promoted model."""

    kind: EventKind | None  # None: there was no reason to train
    sentence: str
    version: int | None = None
    bundle: str = ""
    reports: tuple[MonthlyReport, ...] = ()
    seconds: Mapping[str, float] = field(default_factory=dict)  # by step


class Platform(Protocol):
    """The parts of the loop, working on the clock that `set_time` sets for every process."""

    def set_time(self, now: datetime) -> None: ...

    def ingest(self) -> None: ...

    def train(self) -> Turn: ...

    def monitor(self) -> list[MonthlyReport]: ...

    def retrain(self) -> Turn:
        """Monitor, decide by the verdict, and train if it says so."""
        ...

    def accept(self, acceptance: Acceptance) -> str:
        """Record the person's decision and return its sentence."""
        ...

    def bundle(self, digest: str) -> Bundle: ...

    def scorer(self, bundle: Bundle) -> Scorer: ...


@dataclass(frozen=True)
class Answer:
    """One batch as the service answered it, in the order asked."""

    probabilities: Sequence[float]
    version: int
    bundle: str


class Service(Protocol):
    """The running service, a process of its own."""

    def start(self) -> None:
        """Returns when it is ready. Raises `Unavailable`."""
        ...

    def await_bundle(self, digest: str) -> None:
        """Returns when the service answers with this bundle. Raises `Unavailable` after a deadline."""
        ...

    def score(self, records: Sequence[Mapping[str, Any]], key: str) -> Answer:
        """Raises `Unavailable` if the service does not answer."""
        ...

    def stop(self) -> None: ...
