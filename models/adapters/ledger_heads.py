"""The signed heads of a ledger: the newest one beside it, `<name>.head.json`, and a copy of each in the anchor, a file elsewhere.

A cut-off end shows against either. The anchor is written first: a process killed between the two leaves a head that is in it.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from models.adapters import durable
from models.errors import Integrity, Unavailable
from models.governance.ledger import Entry, head_of
from models.governance.signing import Signed


class Heads:
    """`path` is where the newest head lies; `anchor` is None if there is none."""

    def __init__(self, ledger: Path, anchor: Path | None) -> None:
        self.path = ledger.with_suffix(".head.json")
        self._anchor = anchor

    def all(self) -> list[tuple[str, Signed]]:
        """Every one that is kept, with where. Raises `Integrity` if the anchor lacks the newest head."""
        newest, copies = self.newest(), self._copies()
        self._ensure_anchored(newest, copies)
        beside = [(str(self.path), newest)] if newest else []
        return beside + [(str(self._anchor), each) for each in copies]

    def newest(self) -> Signed | None:
        return Signed.from_bytes(self.path.read_bytes(), str(self.path)) if self.path.exists() else None

    def begin(self, head: Signed) -> None:
        """Before its first entry a witnessed ledger gets the head of an empty one, so that none is ever without."""
        durable.replace(self.path, head.to_bytes())

    def check(self, entries: Sequence[Entry], *, anchored: bool = True) -> Signed | None:
        """The newest head; None of a new ledger.

        Nothing is appended to a ledger whose end was cut off, for the new entry would hide it, nor without what would show
        it: raises `Integrity`.
        """
        newest = self.newest()
        if newest is None:
            if entries:
                raise self._without_head(len(entries))
            return None
        copies = self._copies()
        named = [("its signed head", self.path, newest), *((f"a head in {self._anchor}", self._anchor, each) for each in copies)]
        for where, file, head in named:
            number, chain = head_of(head, str(file))
            if number > len(entries) or (number and entries[number - 1].chain != chain):
                raise Integrity(
                    f"the ledger ends at entry {len(entries)}, and {where} names another entry {number}",
                    hint="see `make verify`; restore the ledger from its backup",
                )
        if anchored:
            self._ensure_anchored(newest, copies)
        return newest

    def publish(self, entry: Entry, anchor: int | None) -> None:
        head = entry.signed_head().to_bytes()
        if anchor is not None:
            write(anchor, head + b"\n")
            os.fsync(anchor)
        durable.replace(self.path, head)

    def copy(self) -> None:
        """Give the anchor the newest head, if it has none: for a ledger that is older than its anchor."""
        newest = self.newest()
        if newest and all(each.document != newest.document for each in self._copies()):
            with self.anchored() as anchor:
                if anchor is not None:
                    write(anchor, newest.to_bytes() + b"\n")
                    os.fsync(anchor)

    @contextmanager
    def anchored(self) -> Iterator[int | None]:
        """The anchor, opened before anything is written: an entry that cannot be anchored is not made."""
        if self._anchor is None:
            yield None
            return
        try:
            file = os.open(self._anchor, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        except OSError as error:
            raise self._unavailable(error) from error
        try:
            yield file
        finally:
            os.close(file)

    def _copies(self) -> list[Signed]:
        if self._anchor is None or not self._anchor.exists():
            return []
        try:
            lines = self._anchor.read_bytes().splitlines()
        except OSError as error:
            raise self._unavailable(error) from error
        return [Signed.from_bytes(line, f"line {number} of {self._anchor}") for number, line in enumerate(lines, start=1)]

    def _ensure_anchored(self, newest: Signed | None, copies: Sequence[Signed]) -> None:
        """That of an empty ledger has nothing to lose, and of a later one in the anchor others say what it means."""
        number = head_of(newest, str(self.path))[0] if newest else 0
        reached = max((head_of(copy, str(self._anchor))[0] for copy in copies), default=0)
        if self._anchor is None or number <= reached:
            return
        has = f"ends at entry {reached}" if copies else "is empty or not there"
        raise Integrity(
            f"the anchor {self._anchor} {has}, and the ledger has {number} entries",
            hint="nothing is decided or recorded: put it back, or correct STEWARD_LEDGER_ANCHOR; if it was set after this"
            ' ledger began, or begins anew: make anchor BY=you REASON="…"',
        )

    def _without_head(self, entries: int) -> Integrity:
        line = f", or write the last line of the anchor {self._anchor} to it" if self._anchor else ""
        return Integrity(
            f"the ledger has {entries} entries and no signed head: whether its end was cut off cannot be told",
            hint=f"nothing was recorded; restore {self.path} from its backup{line}, then see `make verify`",
        )

    def _unavailable(self, error: OSError) -> Unavailable:
        return Unavailable(
            f"the ledger's anchor {self._anchor} does not answer: {error.strerror}",
            hint="nothing was recorded; STEWARD_LEDGER_ANCHOR names a file that can be read and appended to",
        )


def write(file: int, data: bytes) -> None:
    while data:
        data = data[os.write(file, data) :]
