"""The ledger in memory."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from models.governance.ledger import Entry, Event, verify_chain
from models.governance.signing import Signed, Signer


class FakeLedger:
    def __init__(self, witness: Signer | None = None) -> None:
        self._witness = witness
        self._entries: list[Entry] = []

    def append(self, event: Event, *, model: str, actor: str, at: datetime, facts: Mapping[str, Any]) -> Entry:
        previous = self._entries[-1].chain if self._entries else ""
        entry = Entry(len(self._entries) + 1, event, model, actor, at.isoformat(), dict(facts), previous).sealed()
        entry = entry.attested(self._witness) if self._witness else entry
        self._entries.append(entry)
        return entry

    def heads(self) -> list[tuple[str, Signed]]:
        return [("memory", self._entries[-1].signed_head())] if self._witness and self._entries else []

    def entries(self, model: str | None = None) -> list[Entry]:
        verify_chain(self._entries)
        return [entry for entry in self._entries if model in (None, entry.model)]
