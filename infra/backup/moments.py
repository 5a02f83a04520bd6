"""A home and a store as they were at a moment, from a backup before it and one after it.

Nearly every file there is written once: lake partitions, bundles, pointers, approvals, evidence, artefacts. Of the later backup
those count that were written until then; of a file that was written to since, the earlier backup's version. The ledger is cut:
each entry carries the witness's signature under everything up to it, so the last that is left is its signed head.
"""

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import takewhile
from pathlib import Path

from infra.backup.homes import LEDGER
from models.adapters import durable
from models.adapters.file_ledger import FileLedger
from models.errors import Integrity, Misconfigured

_NOT_OF_A_MOMENT = "serving/"
"""Decisions on their way to the database: at a moment those count that had arrived."""


@dataclass(frozen=True)
class Moment:
    at: datetime
    archive: Path
    """PostgreSQL's log."""
    later: Path | None = None
    """A backup that was taken after the moment; without one, home and store are those of the backup before it."""


def moment_of(text: str) -> datetime:
    """Raises `Misconfigured`."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise Misconfigured(f"AT={text} is no moment", hint="like AT=2026-11-27T14:02:59+00:00") from error
    if moment.tzinfo is None:
        raise Misconfigured(f"AT={text} does not say in which time zone", hint=f"in UTC it is AT={text}+00:00")
    return moment


def files_at(moment: datetime, earlier: Path, later: Path, written: Mapping[str, str], to: Path) -> None:
    """`written` says when the files of `later` were."""
    shutil.copytree(earlier, to, dirs_exist_ok=True)
    for name, when in written.items():
        if datetime.fromisoformat(when) <= moment and not name.startswith(_NOT_OF_A_MOMENT):
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(later / name, to / name)


def home_at(moment: datetime, earlier: Path, later: Path, written: Mapping[str, str], to: Path) -> None:
    """Raises `Integrity` if the later ledger does not continue the earlier one."""
    before, after = _ledger(earlier), _ledger(later)
    if not after.startswith(before):
        raise Integrity(
            "the later backup's ledger does not continue the earlier one's", hint="LATER is a backup of the same home"
        )
    files_at(moment, earlier, later, written, to)
    kept = b"".join(takewhile(lambda line: _recorded(bytes(line)) <= moment, after.splitlines(keepends=True)))
    if len(kept) > len(before):
        ledger = FileLedger(to / LEDGER)
        durable.replace(to / LEDGER, kept)
        durable.replace(ledger.head_path, ledger.entries()[-1].signed_head().to_bytes())


def _ledger(home: Path) -> bytes:
    return (home / LEDGER).read_bytes() if (home / LEDGER).exists() else b""


def _recorded(line: bytes) -> datetime:
    return datetime.fromisoformat(json.loads(line)["recorded_at"])
