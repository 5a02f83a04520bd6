"""Writing files so that a killed process leaves the old file or the new one, never half of one."""

import os
from pathlib import Path
from uuid import uuid4


def replace(path: Path, data: bytes, mode: int = 0o644) -> None:
    """Write `path`, replacing what was there."""
    waiting = _waiting(path, data, mode)
    waiting.replace(path)
    sync_folder(path.parent)


def create(path: Path, data: bytes, mode: int = 0o644) -> None:
    """Write `path` only if nothing is there. Of several writers exactly one succeeds; raises `FileExistsError` for the others."""
    waiting = _waiting(path, data, mode)
    try:
        os.link(waiting, path)  # unlike rename, a link never replaces
    finally:
        waiting.unlink(missing_ok=True)  # somebody may tidy up leftovers
    sync_folder(path.parent)


def write_synced(path: Path, data: bytes, mode: int = 0o644) -> None:
    """Write a new file that nobody can see yet; it is on disk when this returns."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Make a rename or a link in `folder` survive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def waiting_name(path: Path) -> Path:
    """A name beside `path` that no reader looks at."""
    return path.with_name(f".{path.name}.{uuid4().hex}")


def _waiting(path: Path, data: bytes, mode: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    waiting = waiting_name(path)
    write_synced(waiting, data, mode)
    return waiting
