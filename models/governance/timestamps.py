"""Time stamps of the ledger by somebody else: what the chain held at a time, even against who holds every key here (RFC 3161).

A stamp covers its entry and, through the chain, everything before it. It is asked for after the entry is durable: a service
that does not answer must not keep anybody from stopping a model. What is not covered is said by `make verify`, and the
next entry's stamp covers it.
"""

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from models.bundle import canonical
from models.errors import Integrity, PlatformError, Unavailable
from models.governance.ledger import Entry, Event, Ledger
from models.governance.signing import Signed
from models.governance.verification import Finding

logger = logging.getLogger("steward.ledger")


class Authority(Protocol):
    """Somebody else's clock and signature."""

    def stamp(self, data: bytes) -> bytes:
        """A token over these bytes, verified. Raises `Unavailable` without an answer, `Integrity` for one that does not hold."""
        ...

    def time(self, token: bytes, data: bytes) -> datetime:
        """When the token says that these bytes were there. Raises `Integrity` unless a trusted authority signed that."""
        ...


class Stamps(Protocol):
    """Where tokens are kept, by the number of the entry."""

    def add(self, number: int, token: bytes) -> None: ...

    def all(self) -> dict[int, bytes]:
        """By number, ascending."""
        ...


class StampedLedger:
    """A ledger whose every new head is stamped, if the authority answers."""

    def __init__(self, ledger: Ledger, authority: Authority, stamps: Stamps) -> None:
        self._ledger = ledger
        self._authority = authority
        self._stamps = stamps

    def append(self, event: Event, *, model: str, actor: str, at: datetime, facts: Mapping[str, Any]) -> Entry:
        entry = self._ledger.append(event, model=model, actor=actor, at=at, facts=facts)
        try:
            self._stamps.add(entry.number, self._authority.stamp(_stamped(entry)))
        except (Unavailable, Integrity) as error:
            logger.warning("ledger entry %d is recorded and has no time stamp: %s", entry.number, error)
        return entry

    def entries(self, model: str | None = None) -> list[Entry]:
        return self._ledger.entries(model)

    def heads(self) -> list[tuple[str, Signed]]:
        return self._ledger.heads()


def check_stamps(entries: Sequence[Entry], stamps: Mapping[int, bytes], authority: Authority) -> list[Finding]:
    """Every stamp is of the entry that has its number. Entries after the last stamp are not covered by any."""
    found = []
    for number, token in stamps.items():
        if number > len(entries):
            found.append(Finding(f"ledger entry {number}", "has a time stamp and is not there: it was removed", _RESTORE))
            continue
        try:
            authority.time(token, _stamped(entries[number - 1]))
        except PlatformError as error:
            problem = f"its time stamp does not hold: {error.problem}"
            found.append(Finding(f"ledger entry {number}", problem, f"{error.hint}; else it was replaced: {_RESTORE}"))
    return found


def coverage(entries: Sequence[Entry], stamps: Mapping[int, bytes]) -> str:
    """What `make verify` says of stamps that hold."""
    newest = max(stamps, default=0)
    return f"{len(stamps)} time stamps of the ledger hold; they cover {newest} of {len(entries)} entries."


_RESTORE = "restore ledger and stamps from a backup, and keep both as they are until it is understood"


def _stamped(entry: Entry) -> bytes:
    """The head that stands for everything up to this entry."""
    return canonical(entry.head())
