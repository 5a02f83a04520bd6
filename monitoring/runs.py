"""What the orchestrator did lately and will do next, as the console needs to know it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

Ending = Literal["good", "bad", "open"]


@dataclass(frozen=True)
class FlowRun:
    """One run of a flow. `state` is the orchestrator's own word; `url` its page, "" if it has none; so is `model`."""

    flow: str
    name: str
    state: str
    ending: Ending
    started_at: datetime | None
    seconds: float
    url: str
    id: str = ""
    model: str = ""


@dataclass(frozen=True)
class Planned:
    """The next run of a flow that is scheduled."""

    flow: str
    model: str
    at: datetime


@dataclass(frozen=True)
class LogLine:
    at: datetime
    level: int  # as in Python's logging
    text: str


class RunHistory(Protocol):
    """All raise `Unavailable` if the orchestrator does not answer."""

    def recent(self, limit: int) -> Sequence[FlowRun]:
        """At most `limit` runs, newest first, scheduled ones that have not started left out."""
        ...

    def find(self, run: str) -> FlowRun:
        """Raises `NotFound`."""
        ...

    def log(self, run: str, limit: int) -> Sequence[LogLine]:
        """The first lines of a run, oldest first."""
        ...

    def planned(self) -> Sequence[Planned]:
        """Of every flow and model the next run, the soonest first."""
        ...


@dataclass(frozen=True)
class Tally:
    """Of one flow: how many runs ended how or are open, how many should have begun and have not, and the newest that ended."""

    flow: str
    endings: Mapping[Ending, int]
    late: int
    latest: FlowRun | None
    good_at: datetime | None  # when the newest good one began


class RunTallies(Protocol):
    def tallies(self) -> Sequence[Tally]:
        """Of every flow, by name. Raises `Unavailable`."""
        ...
