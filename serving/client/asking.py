"""One call, from its first try to its answer, without any input or output: what to send, how long to wait, when to give up.

A call has one Idempotency-Key, however often it is tried: an answer that was lost on its way is given again, and never decided
twice. Tried again is what may succeed unchanged: a lost connection, 429, 502, 503 and 504. Waits grow and are drawn at random up
to their bound ("full jitter", Brooker, 2015), so that callers who failed together do not come back together; what the service
says in Retry-After is the least that is waited. `timeout` bounds the whole call.
"""

import json
import random
import re
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from serving.client.errors import BY_STATUS, BrokenRule, NotUnderstood, Refused, ServiceError, Unavailable

AGAIN = frozenset({429, 502, 503, 504})
"""Statuses after which the same call may be answered."""
FIRST, LONGEST = 0.1, 5.0
"""Seconds: the bound of the first wait, doubled for each further one, and the largest bound."""
CHANCE = random.SystemRandom().random

_SECONDS = re.compile(r"\d{1,9}")
_SHOWN = 200

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Call:
    """`accepted`: statuses that are answers; a problem never is."""

    method: str
    path: str
    content: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    accepted: frozenset[int] = frozenset({200})


@dataclass(frozen=True)
class Reply:
    status: int
    headers: Mapping[str, str]
    content: bytes


@dataclass(frozen=True)
class Lost:
    """There was no answer, and why."""

    why: str


@dataclass(frozen=True)
class Try:
    """Send the call, and wait at most so long for the whole answer."""

    seconds: float


@dataclass(frozen=True)
class Wait:
    seconds: float


@dataclass(frozen=True)
class Patience:
    """Of every call of a client. `ticks` tells seconds, `chance` draws from [0, 1)."""

    timeout: float
    retries: int
    ticks: Callable[[], float]
    chance: Callable[[], float]

    def __post_init__(self) -> None:
        if self.timeout <= 0 or self.retries < 0:
            raise ValueError("a client needs a timeout above 0 and 0 or more retries")


def asking(call: Call, patience: Patience) -> Generator[Try | Wait, Reply | Lost | None, Reply]:
    """Yields what to do next, takes what came of it, returns the answer. Raises a `ServiceError`."""
    until = patience.ticks() + patience.timeout
    for tried in range(patience.retries + 1):
        outcome = yield Try(max(0.001, until - patience.ticks()))
        assert outcome is not None
        if isinstance(outcome, Reply) and outcome.status in call.accepted:
            return outcome
        error = failure(outcome)
        wait = max(error.retry_after or 0.0, patience.chance() * min(LONGEST, FIRST * 2.0**tried))
        again = isinstance(outcome, Lost) or outcome.status in AGAIN
        if not again or tried == patience.retries or patience.ticks() + wait >= until:
            raise error
        yield Wait(wait)
    raise AssertionError("the last try returns or raises")


def understood(read: Callable[[Any], Answer], reply: Reply) -> Answer:
    """Raises `NotUnderstood` if the content is not what was promised."""
    try:
        return read(json.loads(reply.content))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise NotUnderstood(
            f"the answer cannot be read: {type(error).__name__}",
            "is this a scoring service, and of this release or a later one?",
            status=reply.status,
            request_id=reply.headers.get("x-request-id", ""),
        ) from error


def failure(outcome: Reply | Lost) -> ServiceError:
    """What the caller is told."""
    if isinstance(outcome, Lost):
        return Unavailable(outcome.why, "is the service there, and is its address right?")
    kind = BY_STATUS.get(outcome.status, NotUnderstood)
    said = _problem(outcome.content)
    return kind(
        str(said.get("detail") or f"the answer is {outcome.status} without a reason")[:_SHOWN],
        str(said.get("hint") or ""),
        status=outcome.status,
        request_id=str(said.get("request_id") or outcome.headers.get("x-request-id", "")),
        errors=_rules(said.get("errors")),
        retry_after=_seconds(outcome.headers.get("retry-after", "")),
    )


def written(what: Mapping[str, Any] | Sequence[Mapping[str, Any]]) -> bytes:
    """One record or a batch, as bytes that every try repeats. Raises `Refused` for what is none, or JSON cannot hold."""
    records = [what] if isinstance(what, Mapping) else list(what) if isinstance(what, Iterable) else [what]
    if strangers := [type(record).__name__ for record in records if not isinstance(record, Mapping)]:
        raise Refused(
            f"a record is a mapping of names to values, not a {strangers[0]}",
            "give a dict, or a list of dicts; those of a data frame: frame.to_dict('records'); nothing was sent",
        )
    body = dict(what) if isinstance(what, Mapping) else {"records": list(map(dict, records))}
    try:
        return json.dumps(body, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
    except (ValueError, TypeError) as error:
        raise Refused(f"this cannot be sent: {error}", "records hold texts and finite numbers; nothing was sent") from None


def _problem(content: bytes) -> Mapping[str, Any]:
    """Also of what stands in between and writes pages instead of problems: then nothing is known."""
    try:
        said = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


def _rules(found: Any) -> list[BrokenRule]:
    rules = [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []
    return [
        BrokenRule(int(each["record"]), str(each["field"]), str(each["value"]), str(each["rule"]))
        for each in rules
        if {"record", "field", "value", "rule"} <= each.keys() and isinstance(each["record"], int)
    ]


def _seconds(written: str) -> float | None:
    """Of Retry-After, if it is a number; a date is left out: the two clocks may differ."""
    return float(written) if _SECONDS.fullmatch(written.strip()) else None
