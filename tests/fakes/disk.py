"""A disk in memory that can fail at any step, as a killed process or a full disk leaves it."""

from collections.abc import Callable
from pathlib import Path

from serving.adapters.spool_disk import Disk


class Killed(BaseException):
    """The process ended here."""


class MemoryDisk(Disk):
    """`fail` is asked before each step that writes how much of it still happens, 0 to 1; None lets it happen. What it raises
    (`error`) comes after that much."""

    def __init__(self, fail: Callable[[], float | None] = lambda: None, error: type[BaseException] = Killed) -> None:
        self.files: dict[Path, bytes] = {}
        self.fail = fail
        self.error = error

    @classmethod
    def holding(cls, other: "MemoryDisk") -> "MemoryDisk":
        """A copy of what is on another one now."""
        made = cls()
        made.files = dict(other.files)
        return made

    def names(self, folder: Path) -> list[str]:
        return sorted(path.name for path in self.files)

    def read(self, path: Path) -> bytes:
        if path not in self.files:
            raise FileNotFoundError(2, "No such file or directory")
        return self.files[path]

    def create(self, path: Path, data: bytes) -> None:
        part = self.fail()
        if part != 0:
            self.files[path] = self._cut(data, part)
        self._end(part)

    def append(self, path: Path, at: int, data: bytes) -> None:
        assert len(self.files[path]) == at
        part = self.fail()
        self.files[path] += self._cut(data, part)
        self._end(part)

    def remove(self, path: Path) -> None:
        part = self.fail()
        if part is None or part > 0.5:
            self.files.pop(path, None)
        self._end(part)

    @staticmethod
    def _cut(data: bytes, part: float | None) -> bytes:
        return data if part is None else data[: round(len(data) * part)]

    def _end(self, part: float | None) -> None:
        if part is not None:
            raise self.error(5, "Input/output error")
