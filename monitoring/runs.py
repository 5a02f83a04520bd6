"""What the orchestrator did lately, as the viewer needs to know it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

Ending = Literal["good", "bad", "open"]


@dataclass(frozen=True)
class FlowRun:
    """One run of a flow. `state` is the orchestrator's own word; `url` its page, "" if it has none."""

    flow: str
    name: str
    state: str
    ending: Ending
    started_at: datetime | None
    seconds: float
    url: str


class RunHistory(Protocol):
    def recent(self, limit: int) -> Sequence[FlowRun]:
        """At most `limit` runs, newest first, scheduled ones that have not started left out. Raises `Unavailable`."""
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
