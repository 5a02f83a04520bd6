"""The segments of a spool as they lie on disk: which of their lines hold, and whether any is missing in between."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Self

from models.errors import Integrity
from monitoring.chain import ChainKeys, Mac
from monitoring.decisions import Entry
from serving.adapters.spool_disk import Disk
from serving.durability.spool import decisions_of, keys_of
from serving.durability.spool_records import Line, after, lines, read, torn

_NAME = re.compile(r"(\d{8,})-(\d+)\.spool")


@dataclass(eq=False)
class Segment:
    """A file, as far as it holds: `size` bytes, of them `head` for the first line, whose seal is `began`. Draining goes on
    `at` the line that follows the seal `before`.

    `groups` and `decisions` wait from there on, the oldest `since` then. `keys` are those of answers in it.
    """

    path: Path
    key: Mac
    head: int
    began: str
    at: int
    before: str
    size: int
    groups: int = 0
    decisions: int = 0
    since: datetime | None = None
    keys: list[str] = field(default_factory=list)

    @classmethod
    def beginning(cls, path: Path, key: Mac, head: int, seal: str) -> Self:
        return cls(path, key, head, seal, head, seal, head)

    def note(self, end: int, entries: Sequence[Entry]) -> None:
        """That a line was added."""
        self.since = self.since or entries[0].decisions[0].recorded_at
        self.groups += 1
        self.decisions += decisions_of(entries)
        self.keys += keys_of(entries)
        self.size = end

    def advance(self, groups: int, decisions: int, at: int, before: str, since: datetime | None) -> None:
        self.groups -= groups
        self.decisions -= decisions
        self.at, self.before, self.since = at, before, since


@dataclass(frozen=True)
class Found:
    """What can be drained, the newest seal and number, and what was edited behind it."""

    segments: Sequence[Segment]
    seal: str
    number: int
    broken: Integrity | None


def named(number: int, generation: int) -> str:
    return f"{number:08d}-{generation}.spool"


def edited(path: Path) -> Integrity:
    """Clients read it, too: the file goes by its place among the spools, not by its path."""
    return Integrity(
        f"in the spool {path.parent.name}/{path.name} is not as it was written: it was edited, or a part of it was taken away",
        hint="restore it from its backup; or stop the service, take the file away as evidence, and start: "
        "the decisions in it were answered and are not in the log",
    )


def found_in(folder: Path, disk: Disk, keys: Callable[[], ChainKeys]) -> Found:
    """Read a spool that an earlier process left. Of a file that does not hold nothing is drained, and nothing behind it.

    Raises `OSError`, `Misconfigured` without a key.
    """
    names = [name for name in disk.names(folder) if _NAME.fullmatch(name)]
    files = [_File(folder / name, disk.read(folder / name), keys()) for name in names]
    for file in [file for file in files if file.never_begun]:
        disk.remove(file.path)
        files.remove(file)
    segments: list[Segment] = []
    seal, broken = "", None
    for place, file in enumerate(files):
        follows = files[place + 1].after if place + 1 < len(files) else None
        held = file.held(follows)
        if held is None:
            broken = edited(file.path)
            break
        if len(held) > 1:
            seal = held[-1].seal
            segments.append(file.segment(held))
        else:  # nothing that was answered was written to it
            seal = file.after or ""
            disk.remove(file.path)
    return Found(segments, seal, max([0, *(int(name.partition("-")[0]) for name in names)]), broken)


class _File:
    """A segment's bytes, and the lines of them that hold, the first being its head."""

    def __init__(self, path: Path, data: bytes, keys: ChainKeys) -> None:
        self.path = path
        self._data = data
        self._key = keys.of(path.name.partition("-")[2].replace(".", "-"))
        self._lines = [] if self._key is None else [found for found in lines(self._key, data, path.name) if found]
        self._rest = data[self._lines[-1].end if self._lines else 0 :]

    @property
    def never_begun(self) -> bool:
        """A crash while it was made: nothing of it was answered."""
        return not self._lines and self._key is not None and torn(self._rest)

    @property
    def after(self) -> str | None:
        return after(self._lines[0]) if self._lines else None

    def held(self, follows: str | None) -> list[Line] | None:
        """The head and the lines that were answered; None if that cannot be told. `follows` is the seal after which the next
        segment begins: lines behind it failed when they were written."""
        if not self._lines:
            return None
        if follows is None:
            return None if self._rest and not torn(self._rest) else self._lines
        if follows == self.after:
            return self._lines[:1]
        ends = [place for place, found in enumerate(self._lines) if found.seal == follows]
        return self._lines[: ends[0] + 1] if ends else None

    def segment(self, held: Sequence[Line]) -> Segment:
        assert self._key is not None, "it has lines that hold"
        head = held[0]
        made = Segment.beginning(self.path, self._key, head.end, head.seal)
        for found in held[1:]:
            made.note(found.end, read(found.text))
        return made
