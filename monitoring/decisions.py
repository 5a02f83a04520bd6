"""The decision log: every answered decision, once. Serving appends, monitoring reads."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import numpy as np

from models.clock import Month
from models.contract import Array, Columns
from models.governance.reasons import Reason


@dataclass(frozen=True)
class LoggedDecision:
    """One decision as it was answered. `month` is the business month that the record was about.

    A reduced account has `reasons`; `no_notice` is the rule by which they need not be sent, "" if they must. Decisions of
    before there were reasons have none. `fallback` is why the champion was stopped, if another bundle answered for it.
    """

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
    no_notice: str = ""
    reasons: tuple[Reason, ...] = ()
    fallback: str = ""


@dataclass(frozen=True)
class Answered:
    """An answer kept for a client's retry: the key with its scope, the digest of what was asked, and what was answered."""

    key: str
    request_digest: str
    response: bytes


class DecisionLog(Protocol):
    """Safe for several threads and processes."""

    def ping(self) -> None:
        """Raises `Unavailable` or `Misconfigured` if nothing could be appended now."""
        ...

    def append(self, decisions: Sequence[LoggedDecision], answered: Answered | None = None) -> None:
        """Commit all of it or nothing. Durable when it returns.

        Raises `Conflict` if the idempotency key or a decision id was used before (a race of two retries: the first
        one wins), `Unavailable` if the database does not answer.
        """
        ...

    def answered(self, key: str) -> Answered | None:
        """What was answered under an idempotency key."""
        ...

    def find(self, decision_id: str) -> LoggedDecision:
        """Raises `NotFound`."""
        ...

    def months(self, model: str) -> dict[Month, int]:
        """How many decisions each business month has, oldest month first."""
        ...

    def columns(self, model: str, month: Month) -> Columns:
        """A month's decisions in the order recorded: decision_id, account_id, version, bundle, probability, action,
        recorded_at (ISO text, UTC), no_notice, reasons (JSON text, "" for none; see `spelled`) and every contract input
        (see `input_columns`). Empty arrays for an empty month."""
        ...


def spelled(reasons: Sequence[Reason]) -> str:
    """Reasons as they are stored: a JSON list, "" for none."""
    return json.dumps([reason.to_dict() for reason in reasons], ensure_ascii=False, allow_nan=False) if reasons else ""


def read_reasons(text: str) -> tuple[Reason, ...]:
    return tuple(Reason.from_dict(reason) for reason in json.loads(text)) if text else ()


def input_columns(inputs: Sequence[Mapping[str, float | int]]) -> dict[str, Array]:
    """Records to columns: int64 where every value is whole, float64 otherwise.

    Two versions of a contract may meet in one month: a value that a record does not have is NaN.
    """
    names = dict.fromkeys(name for record in {tuple(record): record for record in inputs}.values() for name in record)
    return {name: _column([record.get(name, np.nan) for record in inputs]) for name in names}


def _column(values: Sequence[float | int]) -> Array:
    whole = all(type(value) is int for value in values)
    return np.array(values, dtype=np.int64 if whole else np.float64)
