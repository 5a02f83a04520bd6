"""Where the viewer looks, and what stands in the place of a part that could not be had."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from models.channel import ReleaseChannel
from models.clock import Clock
from models.errors import PlatformError
from models.governance.ledger import Ledger
from models.governance.packs import Packs
from models.governance.signing import Trust
from monitoring.report import ReportStore
from monitoring.rollout.documents import VerdictStore
from monitoring.runs import RunHistory
from monitoring.validations import Validations

T = TypeVar("T")


@dataclass(frozen=True)
class Sources:
    """Where the viewer looks. `trust` is a call, since the keys may be made after the viewer has started."""

    reports: ReportStore
    channel: ReleaseChannel
    trust: Callable[[], Trust]
    ledger: Ledger
    runs: RunHistory
    validations: Validations
    packs: Packs
    verdicts: VerdictStore
    swap_sets: Packs  # reports on two versions, by challenger
    clock: Clock
    home: str  # as the person typed it, for messages
    scenario: str = ""  # of a replay; "" for the real thing


@dataclass(frozen=True)
class Trouble:
    """A part of a page that could not be had: the error in words, and what to do."""

    problem: str
    hint: str


def or_trouble(read: Callable[[], T]) -> T | Trouble:
    """A source that fails costs its own part, not the page."""
    try:
        return read()
    except PlatformError as error:
        return Trouble(error.problem, error.hint)
