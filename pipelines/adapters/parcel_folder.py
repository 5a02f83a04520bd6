"""A parcel as a folder: `statement.json`, `bundle/`, `evidence/`, `approvals/<signer>.json`.

It comes from elsewhere, so what is read is bounded, no link is followed, and nothing else may lie in it.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

from models.adapters import durable
from models.errors import Conflict, Integrity, NotFound, Unavailable
from models.governance.delivery import Parcel
from models.governance.signing import Signed

STATEMENT, BUNDLE, EVIDENCE, APPROVALS = "statement.json", "bundle", "evidence", "approvals"
LARGEST_FILE, MOST_FILES = 64 * 2**20, 5_000
_MADE = "it was not written by make send; find out who made it"


def write(folder: Path, parcel: Parcel) -> None:
    """All or nothing. Raises `Conflict` if something lies there, `Unavailable`."""
    if folder.exists():
        raise Conflict(f"{folder} is there already", hint="name a new folder: a parcel is never written over another")
    try:
        waiting = durable.waiting_name(folder)
        for name, data in _named(parcel).items():
            path = waiting / name
            path.parent.mkdir(parents=True, exist_ok=True)
            durable.write_synced(path, data)
        waiting.rename(folder)
        durable.sync_folder(folder.parent)
    except OSError as error:
        raise Unavailable(f"{folder} cannot be written: {error.strerror}", hint="name a folder that may be written to") from error


def read(folder: Path) -> Parcel:
    """Unverified. Raises `NotFound`, `Integrity`, `NotApproved` for a document that cannot be read, `Unavailable`."""
    if not (folder / STATEMENT).is_file():
        raise NotFound(f"there is no parcel in {folder}", hint="name the folder that make send wrote")
    try:
        found = dict(_files(folder))
    except OSError as error:
        raise Unavailable(f"{folder} cannot be read: {error.strerror}", hint="fetch the parcel again") from error
    approvals = _below(found, APPROVALS)
    if stray := sorted(found.keys() - {STATEMENT} - {f"{part}/{name}" for part in _PARTS for name in _below(found, part)}):
        raise Integrity(f"{stray[0]} does not belong into a parcel", hint=_MADE)
    return Parcel(
        statement=Signed.from_bytes(found[STATEMENT], str(folder / STATEMENT)),
        bundle=_below(found, BUNDLE),
        evidence=_below(found, EVIDENCE),
        approvals=tuple(Signed.from_bytes(data, f"{folder / APPROVALS / name}") for name, data in sorted(approvals.items())),
    )


_PARTS = (BUNDLE, EVIDENCE, APPROVALS)


def _named(parcel: Parcel) -> dict[str, bytes]:
    named = {STATEMENT: parcel.statement.to_bytes()}
    named |= {f"{BUNDLE}/{name}": data for name, data in parcel.bundle.items()}
    named |= {f"{EVIDENCE}/{name}": data for name, data in parcel.evidence.items()}
    return named | {f"{APPROVALS}/{signed.signer}.json": signed.to_bytes() for signed in parcel.approvals}


def _files(folder: Path) -> Iterator[tuple[str, bytes]]:
    for number, path in enumerate(sorted(folder.rglob("*"))):
        name = path.relative_to(folder).as_posix()
        if number >= MOST_FILES or path.is_symlink() or path.stat().st_size > LARGEST_FILE:
            raise Integrity(f"the parcel is too large at {name}, or that is a link", hint=_MADE)
        if path.is_file():
            yield name, path.read_bytes()


def _below(found: Mapping[str, bytes], part: str) -> dict[str, bytes]:
    return {name.removeprefix(f"{part}/"): data for name, data in found.items() if name.startswith(f"{part}/")}
