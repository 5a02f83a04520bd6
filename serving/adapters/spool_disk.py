"""What the spool does with files; each call is one step that a crash may cut short."""

import os
from pathlib import Path

from models.adapters import durable
from models.adapters.private import private_folder


class Disk:
    """Whatever fails raises `OSError`."""

    def names(self, folder: Path) -> list[str]:
        """The folder's files; it is made if it is not there, for its owner alone."""
        return sorted(path.name for path in private_folder(folder).iterdir() if path.is_file())

    def read(self, path: Path) -> bytes:
        return path.read_bytes()

    def create(self, path: Path, data: bytes) -> None:
        """A new file with this in it. On disk when it returns; cut short it is there in part, or not at all."""
        durable.write_synced(path, data, 0o600)
        durable.sync_folder(path.parent)

    def append(self, path: Path, at: int, data: bytes) -> None:
        """To a file of `at` bytes. On disk when it returns; cut short a part of it may be there."""
        handle = os.open(path, os.O_WRONLY | os.O_APPEND)
        with os.fdopen(handle, "wb", buffering=0) as file:
            if (found := os.fstat(file.fileno()).st_size) != at:
                raise OSError(f"it has {found} bytes and should have {at}")
            written = file.write(data)
            if written != len(data):
                raise OSError(f"only {written} of {len(data)} bytes could be written")
            os.fsync(file.fileno())

    def remove(self, path: Path) -> None:
        path.unlink(missing_ok=True)
        durable.sync_folder(path.parent)
