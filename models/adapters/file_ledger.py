"""The ledger as a file of JSON lines: locked, appended, synced. A line counts once its line end is on disk."""

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from models.adapters import durable
from models.bundle import canonical
from models.errors import Integrity, Unavailable
from models.governance.ledger import Entry, Event, verify_chain


class FileLedger:
    """Safe for several processes on one machine. The chain is verified whenever it is read, so also before an append."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def append(self, event: Event, *, model: str, actor: str, at: datetime, facts: Mapping[str, Any]) -> Entry:
        with self._locked(fcntl.LOCK_EX) as file:
            data = _whole_lines(_content(file))
            entries = _parsed(data)
            previous = entries[-1].chain if entries else ""
            entry = Entry(len(entries) + 1, event, model, actor, at.isoformat(), dict(facts), previous).sealed()
            os.ftruncate(file, len(data))  # what a killed append left unfinished was never reported as done
            os.lseek(file, len(data), os.SEEK_SET)
            _write(file, canonical(asdict(entry)) + b"\n")
            os.fsync(file)
            return entry

    def entries(self, model: str | None = None) -> list[Entry]:
        if not self._path.exists():
            return []
        with self._locked(fcntl.LOCK_SH) as file:
            entries = _parsed(_whole_lines(_content(file)))
        return [entry for entry in entries if model in (None, entry.model)]

    @contextmanager
    def _locked(self, how: int) -> Iterator[int]:
        try:
            file = self._opened()
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
            f"the ledger {self._path} does not answer: {error.strerror}", hint="nothing was decided; make the file writable"
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
