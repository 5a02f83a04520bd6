"""One spool for each process that serves from a home: folders `0`, `1`, ..., each locked by the process that uses it.

What a process left that is gone is drained by the next one that starts. The system unlocks for a process that was killed.
"""

import fcntl
import os
from collections.abc import Callable
from itertools import count
from pathlib import Path

from models.adapters.private import private_folder
from models.errors import Unavailable
from serving.adapters.spool_files import FileSpool
from serving.durability.spools import Spools

_LOCK = "lock"


class Slots:
    """The spools that this process has: its own, and those that were left and nobody has."""

    def __init__(self, folder: Path, opened: Callable[[Path], FileSpool]) -> None:
        """Raises `Unavailable` if the folder cannot be used."""
        self._locks: dict[Path, int] = {}
        try:
            free = [path for path in _numbered(private_folder(folder)) if self._take(path)]
            own = free.pop(0) if free else next(path for n in count() if self._take(path := folder / str(n)))
        except OSError as error:
            raise Unavailable(
                f"the spool in {folder} cannot be used: {error.strerror}", hint="whoever runs this must own it"
            ) from error
        left = {path: opened(path) for path in free}
        for path in [path for path, spool in left.items() if spool.empty()]:
            del left[path]
            os.close(self._locks.pop(path))
        self.spool = Spools(opened(own), [*left.values()])

    def close(self) -> None:
        """Let another process have them."""
        while self._locks:
            os.close(self._locks.popitem()[1])

    def _take(self, folder: Path) -> bool:
        private_folder(folder)
        lock = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            return False
        self._locks[folder] = lock
        return True


def _numbered(folder: Path) -> list[Path]:
    return sorted((path for path in folder.iterdir() if path.name.isdecimal()), key=lambda path: int(path.name))
