"""The ledger as a file of JSON lines: locked, appended, synced. A line counts once its line end is on disk.

Beside it stands its head, signed by the witness: see `ledger_heads`.
"""

import fcntl
import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from models.adapters import durable
from models.adapters.ledger_heads import Heads, write
from models.bundle import canonical
from models.errors import Integrity, NotApproved, Unavailable
from models.governance.ledger import Entry, Event, head_of, verify_chain
from models.governance.signing import Duty, Signed, Signer, Trust


class FileLedger:
    """Safe for several processes on one machine. The chain is verified whenever it has changed, so also before an append.

    `witness` is asked for its key only when something is appended; without one, as in tests and viewers, nothing is signed.
    `trust` says whose signature under head and entries counts when something is appended: without it, the witness's own.
    `cause` tells the id of the work under way, "" for none.
    """

    def __init__(
        self,
        path: Path,
        witness: Callable[[], Signer] | None = None,
        anchor: Path | None = None,
        trust: Callable[[], Trust] | None = None,
        cause: Callable[[], str] = str,
    ) -> None:
        self._path = path
        self._witness = witness
        self._trust = trust
        self._cause = cause
        self._heads = Heads(path, anchor)

    def append(self, event: Event, *, model: str, actor: str, at: datetime, facts: Mapping[str, Any]) -> Entry:
        witness = self._witness() if self._witness else None
        with self._locked(fcntl.LOCK_EX) as file, self._heads.anchored() as anchor:
            data = _whole_lines(_content(file))
            entries = list(_parsed(data))
            if witness:
                self._ensure_vouched(entries, witness)
            previous = entries[-1].chain if entries else ""
            entry = Entry(len(entries) + 1, event, model, actor, at.isoformat(), dict(facts), previous, cause=self._cause())
            entry = entry.sealed()
            entry = self._attested(entry, witness) if witness else entry
            os.ftruncate(file, len(data))  # what a killed append left unfinished was never reported as done
            os.lseek(file, len(data), os.SEEK_SET)
            write(file, canonical(entry.written()) + b"\n")
            os.fsync(file)
            if witness:
                self._heads.publish(entry, anchor)
            return entry

    def anchor(self) -> None:
        """Let the anchor begin with the newest head, in a ledger that holds otherwise. Raises `Integrity`."""
        if self._witness:
            with self._locked(fcntl.LOCK_EX) as file:
                self._ensure_vouched(list(_parsed(_whole_lines(_content(file)))), self._witness(), anchored=False)
                self._heads.copy()

    def heads(self) -> list[tuple[str, Signed]]:
        """Every signed head that is kept, with where: beside the ledger, and in the anchor. Unverified."""
        return self._heads.all()

    @property
    def head_path(self) -> Path:
        return self._heads.path

    def entries(self, model: str | None = None) -> list[Entry]:
        if not self._path.exists():
            return []
        with self._locked(fcntl.LOCK_SH) as file:
            entries = _parsed(_whole_lines(_content(file)))
        return [entry for entry in entries if model in (None, entry.model)]

    def _ensure_vouched(self, entries: list[Entry], witness: Signer, *, anchored: bool = True) -> None:
        """Nothing is appended to what the witness did not sign: the new entry's signature would vouch for it."""
        head = self._heads.check(entries, anchored=anchored)
        if head is None:
            self._heads.begin(witness.sign({"number": 0, "chain": ""}))
            return
        self._verify(head, witness, f"the head of the ledger in {self.head_path} does not hold")
        for entry in entries[head_of(head, str(self.head_path))[0] :]:
            self._verify(entry.signed_head(), witness, f"the attestation of ledger entry {entry.number} does not hold")

    def _attested(self, entry: Entry, witness: Signer) -> Entry:
        """Signed by a witness that is trusted: an entry that is not would spoil the ledger for ever."""
        attested = entry.attested(witness)
        self._verify(attested.signed_head(), witness, "the witness's key here is not the one that is trusted")
        return attested

    def _verify(self, signed: Signed, witness: Signer, what: str) -> None:
        trust = self._trust() if self._trust else Trust({Duty.ATTEST: {witness.name: witness.public()}})
        try:
            trust.verify(signed, Duty.ATTEST)
        except NotApproved as error:
            raise Integrity(
                f"{what}: {error.problem}",
                hint="nothing was recorded; restore ledger, head and the witness's key from a backup, then see `make verify`",
            ) from error

    @contextmanager
    def _locked(self, how: int) -> Iterator[int]:
        """Who only reads needs no more than to read: an auditor's copy of a home may be write-protected."""
        try:
            file = self._opened() if how == fcntl.LOCK_EX else os.open(self._path, os.O_RDONLY)
        except OSError as error:
            raise self._unavailable(error) from error
        try:
            fcntl.flock(file, how)
            yield file
        except OSError as error:
            raise self._unavailable(error) from error
        finally:
            os.close(file)

    def _opened(self) -> int:
        new = not self._path.exists()
        self._path.parent.mkdir(parents=True, exist_ok=True)
        file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o644)
        if new:
            durable.sync_folder(self._path.parent)
        return file

    def _unavailable(self, error: OSError) -> Unavailable:
        return Unavailable(
            f"the ledger {self._path} does not answer: {error.strerror}",
            hint="nothing was decided; may this process read the file, and write to it where something is recorded?",
        )


def _content(file: int) -> bytes:
    os.lseek(file, 0, os.SEEK_SET)
    return b"".join(iter(lambda: os.read(file, 1 << 20), b""))


def _whole_lines(data: bytes) -> bytes:
    return data[: data.rfind(b"\n") + 1]


@lru_cache(maxsize=2)
def _parsed(data: bytes) -> tuple[Entry, ...]:
    """The same bytes are read and verified once: a page of the console asks for the ledger a dozen times."""
    entries = tuple(_entry(number, line) for number, line in enumerate(data.splitlines(), start=1))
    verify_chain(entries)
    return entries


def _entry(number: int, line: bytes) -> Entry:
    try:
        said = json.loads(line)
        entry = Entry(**said | {"event": Event(said["event"])})
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise _unreadable(number) from error
    if any(type(getattr(entry, name)) is not kind for name, kind in _KINDS.items()):
        raise _unreadable(number)
    return entry


def _unreadable(number: int) -> Integrity:
    return Integrity(f"ledger entry {number} cannot be read", hint="restore the ledger from its backup")


_KINDS = {each.name: {"facts": dict, "number": int}.get(each.name, str) for each in fields(Entry) if each.name != "event"}
