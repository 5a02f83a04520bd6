"""What a roll-out has shown, in the database of the decision log: who decided in which arm, and what the other bundle made of it.

A shadow is no decision. It has no account and no inputs, only the id of the decision that was answered, so whatever becomes of
that one becomes of it. It is not sealed, and nobody's figures count it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from models.clock import Month


@dataclass(frozen=True)
class Shadow:
    """What the bundle of a roll-out that did not decide makes of a decision: "" and None where it failed.

    `decided_in` and `scored_in` are the seconds that either bundle takes for this record alone, with what it waits, of those that
    were timed.
    """

    decision_id: str
    model: str
    rollout: int
    version: int
    bundle: str
    action: str
    probability: float | None
    recorded_at: datetime
    decided_in: float | None = None
    scored_in: float | None = None


@dataclass(frozen=True)
class Decided:
    """A decision of a canary. `failed`: the challenger was to decide, and did not; the champion's decision stands here then."""

    account: str
    month: Month
    arm: str
    action: str
    probability: float
    failed: bool


@dataclass(frozen=True)
class Pair:
    """One account's record, decided by one bundle and scored by the other."""

    account: str
    decided_by: str
    decided: str
    scored_by: str
    scored: str
    decided_in: float | None
    scored_in: float | None


class Trials(Protocol):
    """Safe for several threads and processes."""

    def keep(self, shadows: Sequence[Shadow]) -> None:
        """All or nothing. Raises `Unavailable`."""
        ...

    def decided(self, model: str, rollout: int, challenger: str) -> Sequence[Decided]:
        """Every decision of a canary, in the order recorded."""
        ...

    def pairs(self, model: str, rollout: int) -> Sequence[Pair]:
        """Every shadow with the decision that it belongs to, in the order recorded."""
        ...
