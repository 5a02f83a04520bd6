"""The ledger as a file of JSON lines: locked, appended, synced. A line counts once its line end is on disk.

Beside it stands its head, `<name>.head.json`: number, chain value and the witness's signature. Each head is also copied
to the anchor, a file elsewhere, if there is one. A cut-off end shows against either.
"""

import fcntl
import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from models.adapters import durable
from models.bundle import canonical
from models.errors import Integrity, Unavailable
from models.governance.ledger import Entry, Event, verify_chain
from models.governance.signing import Signed, Signer


class FileLedger:
    """Safe for several processes on one machine. The chain is verified whenever it is read, so also before an append.

    `witness` is asked for its key only when something is appended; without one, as in tests and viewers, nothing is signed.
    """

    def __init__(self, path: Path, witness: Callable[[], Signer] | None = None, anchor: Path | None = None) -> None:
        self._path = path
        self._witness = witness
        self._anchor = anchor

    def append(self, event: Event, *, model: str, actor: str, at: datetime, facts: Mapping[str, Any]) -> Entry:
        witness = self._witness() if self._witness else None
        with self._locked(fcntl.LOCK_EX) as file, self._anchored() as anchor:
            data = _whole_lines(_content(file))
            entries = _parsed(data)
            self._check_head(entries, witness)
            previous = entries[-1].chain if entries else ""
            entry = Entry(len(entries) + 1, event, model, actor, at.isoformat(), dict(facts), previous).sealed()
            entry = entry.attested(witness) if witness else entry
            os.ftruncate(file, len(data))  # what a killed append left unfinished was never reported as done
            os.lseek(file, len(data), os.SEEK_SET)
            _write(file, canonical(asdict(entry)) + b"\n")
            os.fsync(file)
            if witness:
                self._publish(entry, anchor)
            return entry

    def heads(self) -> list[tuple[str, Signed]]:
        """Every signed head that is kept, with where: beside the ledger, and in the anchor. Unverified."""
        found = [(str(self.head_path), Signed.from_bytes(self.head_path.read_bytes()))] if self.head_path.exists() else []
        if self._anchor and self._anchor.exists():
            found += [(str(self._anchor), Signed.from_bytes(line)) for line in self._anchor.read_bytes().splitlines()]
        return found

    @property
    def head_path(self) -> Path:
        return self._path.with_suffix(".head.json")

    def entries(self, model: str | None = None) -> list[Entry]:
        if not self._path.exists():
            return []
        with self._locked(fcntl.LOCK_SH) as file:
            entries = _parsed(_whole_lines(_content(file)))
        return [entry for entry in entries if model in (None, entry.model)]

    def _check_head(self, entries: list[Entry], witness: Signer | None) -> None:
        """Nothing is appended to a ledger whose end was cut off: the new entry would hide it.

        Before its first entry a witnessed ledger gets the head of an empty one, so that none is ever without.
        """
        if not self.head_path.exists():
            if witness and entries:
                raise self._without_head(len(entries))
            if witness:
                durable.replace(self.head_path, witness.sign({"number": 0, "chain": ""}).to_bytes())
            return
        document = Signed.from_bytes(self.head_path.read_bytes()).document
        number = int(document["number"])
        if number > len(entries) or (number and entries[number - 1].chain != document["chain"]):
            raise Integrity(
                f"the ledger ends at entry {len(entries)}, and its signed head names another entry {number}",
                hint="see `make verify`; restore the ledger from its backup",
            )

    def _without_head(self, entries: int) -> Integrity:
        line = f", or write the last line of the anchor {self._anchor} to it" if self._anchor else ""
        return Integrity(
            f"the ledger has {entries} entries and no signed head: whether its end was cut off cannot be told",
            hint=f"nothing was recorded; restore {self.head_path} from its backup{line}, then see `make verify`",
        )

    def _publish(self, entry: Entry, anchor: int | None) -> None:
        head = entry.signed_head().to_bytes()
        durable.replace(self.head_path, head)
        if anchor is not None:
            _write(anchor, head + b"\n")
            os.fsync(anchor)

    @contextmanager
    def _anchored(self) -> Iterator[int | None]:
        """The anchor, opened before anything is written: an entry that cannot be anchored is not made."""
        if self._anchor is None:
            yield None
            return
        try:
            file = os.open(self._anchor, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        except OSError as error:
            raise Unavailable(
                f"the ledger's anchor {self._anchor} does not answer: {error.strerror}",
                hint="nothing was recorded; STEWARD_LEDGER_ANCHOR names a file that can be appended to",
            ) from error
        try:
            yield file
        finally:
            os.close(file)

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


def _parsed(data: bytes) -> list[Entry]:
    entries = [_entry(number, line) for number, line in enumerate(data.splitlines(), start=1)]
    verify_chain(entries)
    return entries


def _entry(number: int, line: bytes) -> Entry:
    try:
        fields = json.loads(line)
        return Entry(**fields | {"event": Event(fields["event"])})
    except (ValueError, KeyError, TypeError) as error:
        raise Integrity(f"ledger entry {number} cannot be read", hint="restore the ledger from its backup") from error


def _write(file: int, data: bytes) -> None:
    while data:
        data = data[os.write(file, data) :]
