"""The decision log: every answered decision, once. Serving appends, monitoring reads."""

import json
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Protocol

import numpy as np

from models.clock import Month
from models.contract import Array, Columns
from models.errors import Conflict, Integrity
from models.governance.explanation.reasons import Reason
from models.policy import Action
from monitoring.chain import Link, Seal


@dataclass(frozen=True)
class LoggedDecision:
    """One decision as it was answered. `month` is the business month that the record was about.

    A reduced account has `reasons`; `no_notice` is the rule by which they need not be sent, "" if they must. Decisions of
    before there were reasons have none. `fallback` is why the champion was stopped, if another bundle answered for it.
    `out_of_distribution` names the inputs because of which a person decides, whatever the score. `account_id` is a pseudonym
    (`models/governance/pseudonyms.py`). `arm` and `rollout` are those of the canary that it was made in (`models/rollout.py`): of
    the arm "canary" whatever another bundle than the challenger decided is what the challenger failed at. After retention the
    decision and its reasons are kept, without `inputs`.
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
    out_of_distribution: tuple[str, ...] = ()
    arm: str = ""
    rollout: int = 0


@dataclass(frozen=True)
class Answered:
    """An answer kept for a client's retry: the key with its scope, the digest of what was asked, and what was answered."""

    key: str
    request_digest: str
    response: bytes


@dataclass(frozen=True)
class Entry:
    """What one request adds to the log: its decisions, and its answer if the client may ask for it again."""

    decisions: Sequence[LoggedDecision]
    answered: Answered | None = None


def missing(entries: Sequence[Entry], ids: AbstractSet[str], keys: AbstractSet[str]) -> list[Entry]:
    """The entries that a log does not have, which has these decision ids and idempotency keys. See `append_missing`."""
    new, used = [], set(keys)
    for entry in entries:
        if entry.decisions and entry.decisions[0].decision_id not in ids:
            kept = entry.answered if entry.answered and entry.answered.key not in used else None
            used |= {kept.key} if kept else set()
            new.append(Entry(entry.decisions, kept))
    return new


@dataclass(frozen=True)
class Review:
    """What a person decided about an account that was sent to review: `keep` or `reduce`, and why.

    A reduction has `reasons` for the notice. `statement` is the reviewer's own reason in the words of the notice, "" for none;
    it stands first among `reasons`. `no_notice` is the rule by which none is due because the reviewer named the account's own
    delinquency or inactivity as the cause, "" if one is due.
    """

    decision_id: str
    outcome: str
    reviewer: str
    reason_code: str
    comment: str
    recorded_at: datetime
    statement: str = ""
    no_notice: str = ""
    reasons: tuple[Reason, ...] = ()

    def repeats(self, other: "Review") -> bool:
        """Whether the same was said, at whatever time. Which rule excuses a notice is found out later; that one does was said."""
        same = replace(self, recorded_at=other.recorded_at, no_notice=other.no_notice, reasons=other.reasons) == other
        return same and bool(self.no_notice) == bool(other.no_notice)

    def after(self, decision: LoggedDecision, before: "Review | None") -> "Review":
        """What is recorded in the end: this, or the same said before. Raises `Conflict` if nobody was asked, or if it differs."""
        if decision.action != Action.REVIEW:
            raise Conflict(
                f"decision {decision.decision_id} is {decision.action}: nobody was asked to review it",
                hint="only a decision `review` takes a person's outcome",
            )
        if before is not None and not self.repeats(before):
            raise Conflict(
                f"decision {decision.decision_id} was reviewed by {before.reviewer} with the outcome {before.outcome}",
                hint="a review is given once; GET the same address to read it",
            )
        return before or self


@dataclass(frozen=True)
class Expiring:
    """What was kept for as long as it had to be: decisions that still have their inputs, by month, and answers for retries."""

    decisions: Mapping[Month, int]
    answers: int


class Unmigrated(Integrity):
    """There is a log, and what it holds is not laid out as this release knows it."""


class Intake(Protocol):
    """What answering needs of a decision log. Safe for several threads and processes."""

    def ping(self) -> None:
        """Raises `Unavailable` or `Misconfigured` if nothing could be appended now."""
        ...

    def append_all(self, entries: Sequence[Entry]) -> None:
        """Commit what several requests add, together: all of it or nothing. Durable when it returns.

        Raises `Conflict` if an idempotency key or a decision id was used before (a race of two retries: the first one
        wins), `Unavailable` if the database does not answer.
        """
        ...

    def answered(self, key: str) -> Answered | None:
        """What was answered under an idempotency key."""
        ...


class DecisionLog(Intake, Protocol):
    """Safe for several threads and processes."""

    def append(self, decisions: Sequence[LoggedDecision], answered: Answered | None = None) -> None:
        """The same of one request."""
        ...

    def append_missing(self, entries: Sequence[Entry]) -> None:
        """Append those entries that the log does not have yet, known by their decisions' ids; in their order, in one commit.

        An entry is there whole or not at all. Of an idempotency key that was used by another entry before, the first answer
        stays, and the decisions are appended without theirs. Raises as `append_all`; after a `Conflict` (somebody appended
        the same meanwhile) the same call again finds them there.
        """
        ...

    def find(self, decision_id: str) -> LoggedDecision:
        """Raises `NotFound`."""
        ...

    def of_account(self, model: str, names: Sequence[str]) -> list[LoggedDecision]:
        """The decisions on an account, stored under any of these pseudonyms, in the order recorded."""
        ...

    def review(self, review: Review) -> Review:
        """Record what a person decided, and return what is recorded: of a repetition, the first. Durable when it returns.

        Raises `NotFound` for an unknown decision, `Conflict` if it was not sent to review or was reviewed otherwise.
        """
        ...

    def reviewed(self, decision_id: str) -> Review | None:
        """None if nobody has reviewed it yet. Raises `NotFound` for an unknown decision."""
        ...

    def months(self, model: str) -> dict[Month, int]:
        """How many decisions each business month has, oldest month first."""
        ...

    def columns(self, model: str, month: Month) -> Columns:
        """A month's decisions in the order recorded: decision_id, account_id, version, bundle, probability, action,
        recorded_at (ISO text, UTC), no_notice, reasons (JSON text, "" for none; see `spelled`), fallback,
        out_of_distribution (names with commas between), arm, rollout and every contract input (see `input_columns`). Empty
        arrays for an empty month."""
        ...

    def reviewed_since(self, model: str, instant: datetime) -> frozenset[str]:
        """The ids of decisions that a person reviewed then or later: their notice is the review."""
        ...

    def links(self) -> Iterator[Link]:
        """Every record as it is stored, with its seal: by lane, and in a lane by place. See `monitoring.chain`.

        Only looks: of a log that was never opened there is nothing to see. Raises `Unmigrated` for one that is laid out
        otherwise, as a former release left it.
        """
        ...

    def linked(self, decision_id: str) -> list[Link]:
        """A decision and, before it, the one that precedes it in its lane; empty if the log does not have it."""
        ...

    def linked_review(self, decision_id: str) -> list[Link]:
        """The same of the review of a decision; empty if nobody reviewed it."""
        ...

    def heads(self) -> Mapping[str, Seal]:
        """The last seal of every lane."""
        ...

    def adopt(self) -> int:
        """Seal the records of before there were seals; how many. Raises `Misconfigured` without a key."""
        ...

    def expiring(self, model: str, before: datetime) -> Expiring:
        """What `expire` would delete."""
        ...

    def expire(self, model: str, before: datetime) -> None:
        """Delete the inputs of decisions and the answers kept for retries, recorded before an instant. All or nothing.

        The inputs of a decision that was reviewed then or later stay.
        """
        ...


NO_INPUTS = (
    "decision_id",
    "account_id",
    "version",
    "bundle",
    "probability",
    "action",
    "recorded_at",
    "no_notice",
    "reasons",
    "fallback",
    "out_of_distribution",
    "arm",
    "rollout",
)
"""The columns of a month that are no contract inputs."""


def stamp(instant: datetime) -> str:
    """An instant as it is stored: text that sorts as time does."""
    return instant.astimezone(UTC).isoformat(timespec="microseconds")


_spell = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode


def spelled(reasons: Sequence[Reason]) -> str:
    """Reasons as they are stored: a JSON list, "" for none."""
    return _spell([reason.to_dict() for reason in reasons]) if reasons else ""


def read_reasons(text: str) -> tuple[Reason, ...]:
    return tuple(Reason.from_dict(reason) for reason in json.loads(text)) if text else ()


def input_columns(inputs: Sequence[Mapping[str, float | int]]) -> dict[str, Array]:
    """Records to columns: int64 where every value is whole, float64 otherwise.

    Two versions of a contract may meet in one month: a value that a record does not have is NaN. So are the values of a record
    whose inputs were deleted; what no record has any more is no column.
    """
    names = dict.fromkeys(name for record in {tuple(record): record for record in inputs}.values() for name in record)
    return {name: _column([record.get(name, np.nan) for record in inputs]) for name in names}


def _column(values: Sequence[float | int]) -> Array:
    whole = all(type(value) is int for value in values)
    return np.array(values, dtype=np.int64 if whole else np.float64)
