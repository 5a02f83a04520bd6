"""The append-only record of everything that changed what may decide: hash-chained, so that edits show."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from models.bundle import canonical, sha256
from models.errors import Integrity


class Event(StrEnum):
    REGISTERED = "registered"
    REQUESTED = "requested"
    APPROVED = "approved"
    PROMOTED = "promoted"
    KEPT = "kept"
    ROLLED_BACK = "rolled_back"
    HOLD_OPENED = "hold_opened"
    DEFINITION_ACCEPTED = "definition_accepted"
    HOLD_RELEASED = "hold_released"


@dataclass(frozen=True)
class Entry:
    """`chain` is the SHA-256 of this entry with the chain value of the one before."""

    number: int
    event: Event
    model: str
    actor: str
    recorded_at: str
    facts: Mapping[str, Any]
    previous: str
    chain: str = ""

    def sealed(self) -> "Entry":
        body = {key: value for key, value in asdict(self).items() if key != "chain"}
        return Entry(**body | {"event": self.event, "chain": sha256(canonical(body))})


class Ledger(Protocol):
    def append(self, event: Event, *, model: str, actor: str, at: datetime, facts: Mapping[str, Any]) -> Entry:
        """Durable when it returns."""
        ...

    def entries(self, model: str | None = None) -> list[Entry]:
        """Oldest first."""
        ...


def verify_chain(entries: Sequence[Entry]) -> None:
    """Raises `Integrity` naming the first entry that was edited, removed or reordered."""
    previous = ""
    for number, entry in enumerate(entries, start=1):
        if entry.number != number or entry.previous != previous or entry.sealed().chain != entry.chain:
            raise Integrity(f"ledger entry {number} was edited, removed or reordered", hint="restore the ledger from its backup")
        previous = entry.chain


@dataclass(frozen=True)
class Hold:
    """Retraining waits for a person. `month` is the snapshot or outcome month whose coding changed.

    `coding` is how the outcome was coded, if the hold is about an outcome; empty if it is about an input.
    """

    month: str
    what: str
    opened_at: str
    coding: str = ""


def open_holds(entries: Sequence[Entry]) -> list[Hold]:
    """The holds not yet released, oldest first."""
    holds: dict[tuple[str, str], Hold] = {}
    for entry in entries:
        if entry.event is Event.HOLD_OPENED:
            hold = Hold(entry.facts["month"], entry.facts["what"], entry.recorded_at, entry.facts.get("coding", ""))
            holds[hold.month, hold.what] = hold
        elif entry.event is Event.HOLD_RELEASED:
            holds.pop((entry.facts["month"], entry.facts["what"]), None)
    return list(holds.values())


def accepted_definition(entries: Sequence[Entry], as_coded: Mapping[str, int], coding: str) -> int:
    """The version of the outcome definition in force for a coding: the one accepted last, else the codes as they stand."""
    version = as_coded[coding]
    for entry in entries:
        if entry.event is Event.DEFINITION_ACCEPTED and coding in entry.facts["codings"]:
            version = int(entry.facts["version"])
    return version
