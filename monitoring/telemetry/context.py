"""The id under which work is done: a request's, or a flow run's. Log lines, spans and records carry it: one leads to another.

It holds for the task or thread that began the work and for what they start, and is never anything that a caller sent.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Literal

Kind = Literal["request_id", "run_id"]


@dataclass(frozen=True)
class Work:
    """`kind` is what the id is called in log lines and spans."""

    kind: Kind
    id: str


_current: ContextVar[Work | None] = ContextVar("work", default=None)


def current() -> Work | None:
    return _current.get()


def cause() -> str:
    """The id of the work under way, "" if there is none: for records of what it did."""
    work = _current.get()
    return work.id if work else ""


@contextmanager
def working(kind: Kind, id_: str) -> Iterator[None]:
    """What happens within belongs to this work. A run within a run is its own."""
    token = _current.set(Work(kind, id_))
    try:
        yield
    finally:
        _current.reset(token)
