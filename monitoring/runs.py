"""What the orchestrator did lately, as the viewer needs to know it."""

from collections.abc import Sequence
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
