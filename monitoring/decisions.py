"""The decision log: every answered decision, once. Serving appends, monitoring reads."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from models.clock import Month
from models.contract import Columns


@dataclass(frozen=True)
class LoggedDecision:
    """One decision as it was answered. `month` is the business month that the record was about."""

    decision_id: str
    model: str
    version: int
    bundle: str
    account_id: str
    month: Month
    inputs: Mapping[str, float | int]
    probability: float
    action: str
    recorded_at: datetime
    request_id: str


@dataclass(frozen=True)
class Answered:
    """An answer kept for a client's retry: the key's owner, what was asked (digest of the body) and what was answered."""

    key: str
    request_digest: str
    response: bytes


class DecisionLog(Protocol):
    def append(self, decisions: Sequence[LoggedDecision], answered: Answered | None = None) -> None:
        """Commit all of it or nothing. Durable when it returns.

        Raises `Conflict` if the idempotency key was used before (a race of two retries: the first one wins),
        `Unavailable` if the database does not answer.
        """
        ...

    def answered(self, key: str) -> Answered | None:
        """What was answered under an idempotency key."""
        ...

    def find(self, decision_id: str) -> LoggedDecision:
        """Raises `NotFound`."""
        ...

    def months(self, model: str) -> dict[Month, int]:
        """How many decisions each business month has."""
        ...

    def columns(self, model: str, month: Month) -> Columns:
        """A month's decisions in the order recorded: decision_id, account_id, version, bundle, probability, action,
        recorded_at (ISO text) and every contract input."""
        ...
