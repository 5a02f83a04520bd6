"""The spool: where decisions wait, durable, while the log's database is slow or away.

It is bounded and leaves in the order in which it was filled. What is put in is what one commit would have held: a group.
"""

from collections.abc import Container, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from models.errors import Conflict, Unavailable
from monitoring.decisions import Answered, Entry


@dataclass(frozen=True)
class Depth:
    """How much waits. `size` and `most` are bytes; `oldest` is when the decision that waits longest was made."""

    groups: int
    decisions: int
    size: int
    most: int
    oldest: datetime | None = None

    def __str__(self) -> str:
        if self.oldest is None:
            return "nothing waits in the spool"
        share = f"{self.size / self.most:.0%} of {self.most / 2**20:,.0f} MB"
        return f"{self.decisions:,} decisions wait in the spool, the oldest since {self.oldest.isoformat()}; {share}"


@dataclass(frozen=True)
class Batch:
    """The oldest of what waits: so many groups, and what they hold, in order."""

    groups: int
    entries: Sequence[Entry]


class Spool(Protocol):
    """For one process. Safe for several threads, of which one puts and one drains."""

    def put(self, entries: Sequence[Entry]) -> None:
        """Keep a group, all of it or nothing. Durable when it returns.

        Raises `Conflict` if an idempotency key waits here already, `Unavailable` if it is full or cannot be written,
        `Integrity` if what waits was edited: nothing is added behind what cannot be drained.
        """
        ...

    def oldest(self, most: int) -> Batch | None:
        """Groups of about `most` decisions, None if nothing waits. Raises `Integrity` if what comes next was edited."""
        ...

    def drop(self, batch: Batch) -> None:
        """Forget what `oldest` gave: the log has it. Raises `Unavailable`; the same may come again then."""
        ...

    def answered(self, key: str) -> Answered | None:
        """What was answered under an idempotency key, as long as it waits here."""
        ...

    def depth(self) -> Depth: ...


def refuse_keys(entries: Sequence[Entry], waiting: Container[str]) -> None:
    """Raises `Conflict` if a key is among those that wait, or twice among the entries."""
    keys = keys_of(entries)
    if repeated := [key for key in keys if key in waiting or keys.count(key) > 1]:
        raise Conflict(f"the idempotency key {repeated[0]!r} was used before", hint="read what was answered")


def keys_of(entries: Sequence[Entry]) -> list[str]:
    return [entry.answered.key for entry in entries if entry.answered]


def decisions_of(entries: Sequence[Entry]) -> int:
    return sum(len(entry.decisions) for entry in entries)


def full(depth: Depth) -> Unavailable:
    return Unavailable(
        f"the spool is full: {depth}",
        hint="see to the decision log's database; the spool empties by itself (STEWARD_SERVING_SPOOL_MEGABYTES is its size)",
    )
