"""A spool in a folder: segments `00000001-1.spool`, ..., by number and generation of the key (`durability/spool_records.py`).

A segment is only ever appended to, and deleted when the log has all of it. A process that starts again begins a new one,
which says where the last one ended: so what was left torn there is known to be no answered decision.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from threading import Lock

from models.errors import Integrity, Unavailable
from monitoring.chain import ChainKeys
from monitoring.decisions import Answered, Entry
from serving.adapters.spool_disk import Disk
from serving.adapters.spool_segments import Segment, edited, found_in, named
from serving.durability.spool import Batch, Depth, decisions_of, full, keys_of, refuse_keys
from serving.durability.spool_records import answer, begun, line, lines, read, spelled

SEGMENT = 2**20
"""Bytes of a segment, about."""


@dataclass(frozen=True)
class _Taken(Batch):
    """Where the next one begins, and since when that waits."""

    at: int = 0
    before: str = ""
    since: datetime | None = None


class FileSpool:
    def __init__(
        self, folder: Path, keys: Callable[[], ChainKeys], most: int, disk: Disk | None = None, segment: int = SEGMENT
    ) -> None:
        """Reads what an earlier process left. Raises `Unavailable` if the folder cannot be used, `Misconfigured` without a
        key."""
        self._folder = folder
        self._keys = keys
        self._most = most
        self._disk = disk or Disk()
        self._full_at = segment
        self._turn = Lock()
        self._open: Segment | None = None  # what is appended to
        self._debris: list[Path] = []  # what is left of segments that could not be made
        try:
            found = found_in(folder, self._disk, keys)
        except OSError as error:
            raise _unusable(f"in {folder}", error) from error
        self._segments, self._last, self._number, self._broken = deque(found.segments), found.seal, found.number, found.broken
        self._index = {key: each for each in self._segments for key in each.keys}

    def put(self, entries: Sequence[Entry]) -> None:
        with self._turn:
            if self._broken:
                raise self._broken
            refuse_keys(entries, self._index.keys())
            text = spelled(entries)
            if self._size() + len(text) > self._most:
                raise full(self._depth())
            try:
                segment, end = self._written(text)
            except OSError as error:
                self._open = None  # nobody knows what it has now: the next segment says where this one ends
                raise _unusable(self._folder.name, error) from error
            segment.note(end, entries)
            self._index |= dict.fromkeys(keys_of(entries), segment)

    def oldest(self, most: int) -> Batch | None:
        with self._turn:
            segment = self._draining()
            if segment is None:
                if self._broken:
                    raise self._broken
                return None
            at, before, end = segment.at, segment.before, segment.size
            data = self._bytes(segment, end)
        taken, entries = _Taken(0, (), at, before), list[Entry]()
        for found in lines(segment.key, data, before, at):
            if found is None:
                raise self._refused(segment)
            if decisions_of(entries) >= most:
                return _Taken(taken.groups, entries, taken.at, taken.before, read(found.text)[0].decisions[0].recorded_at)
            entries += read(found.text)
            taken = _Taken(taken.groups + 1, entries, found.end, found.seal)
        if taken.at != end:
            raise self._refused(segment)
        return taken

    def drop(self, batch: Batch) -> None:
        assert isinstance(batch, _Taken), "what `oldest` gave"
        with self._turn:
            segment = self._draining()
            assert segment is not None, "nothing was dropped since"
            if batch.groups < segment.groups:
                segment.advance(batch.groups, decisions_of(batch.entries), batch.at, batch.before, batch.since)
                self._forget(segment, keys_of(batch.entries))
                return
            while self._debris:  # first: the segment behind it says that nothing in it was answered
                self._remove(self._debris[0])
                del self._debris[0]
            self._remove(segment.path)
            self._forget(segment, segment.keys)
            self._segments.remove(segment)
            self._open = None if self._open is segment else self._open

    def answered(self, key: str) -> Answered | None:
        if key not in self._index:  # nearly every key is new: those wait for nobody
            return None
        with self._turn:
            segment = self._index.get(key)
            if segment is None:
                return None
            for found in lines(segment.key, self._bytes(segment, segment.size), segment.began, segment.head):
                if found is None:
                    break
                if (answered := answer(found.text, key)) is not None:
                    return answered
            raise self._refused(segment)

    def empty(self) -> bool:
        """Whether nothing waits here, and nothing was edited."""
        return not self._segments and self._broken is None

    def depth(self) -> Depth:
        with self._turn:
            return self._depth()

    def _depth(self) -> Depth:
        first = self._draining()
        return Depth(
            groups=sum(each.groups for each in self._segments),
            decisions=sum(each.decisions for each in self._segments),
            size=self._size(),
            most=self._most,
            oldest=first.since if first else None,
        )

    def _remove(self, path: Path) -> None:
        """A file that is gone is removed, even if that failed in the end: if a crash brings it back, the log has its decisions
        already and takes none twice. Raises `Unavailable`."""
        try:
            self._disk.remove(path)
        except OSError as error:
            if self._is_there(path):
                raise _unusable(self._folder.name, error) from error

    def _is_there(self, path: Path) -> bool:
        try:
            return path.name in self._disk.names(self._folder)
        except OSError:
            return True

    def _draining(self) -> Segment | None:
        return self._segments[0] if self._segments else None

    def _size(self) -> int:
        return sum(each.size for each in self._segments)

    def _forget(self, segment: Segment, keys: Sequence[str]) -> None:
        for key in keys:
            if self._index.get(key) is segment:  # it may have been used again since
                del self._index[key]

    def _written(self, text: str) -> tuple[Segment, int]:
        """Append a line to the segment that is open, or to a new one; and where it ends. Raises `OSError`."""
        segment = self._open
        if segment is None or segment.size >= self._full_at:
            segment, head = self._new()
            data, seal = line(segment.key, segment.before, text)
            try:
                self._disk.create(segment.path, head + data)
            except OSError:
                self._debris.append(segment.path)
                raise
            self._segments.append(segment)
            self._open = segment
        else:
            data, seal = line(segment.key, self._last, text)
            self._disk.append(segment.path, segment.size, data)
        self._last = seal
        return segment, segment.size + len(data)

    def _new(self) -> tuple[Segment, bytes]:
        key, generation = self._keys().newest()
        self._number += 1  # also if it cannot be written: what is there of it keeps its name
        name = named(self._number, generation)
        head, seal = begun(key, name, self._last)
        return Segment.beginning(self._folder / name, key, len(head), seal), head

    def _bytes(self, segment: Segment, end: int) -> bytes:
        """Up to where it is known to hold; what a failed write left behind is no part of it."""
        try:
            return self._disk.read(segment.path)[:end]
        except OSError as error:
            raise self._refused(segment) from error

    def _refused(self, segment: Segment) -> Integrity:
        self._broken = edited(segment.path)
        return self._broken


def _unusable(which: str, error: OSError) -> Unavailable:
    """Clients read it while requests are answered: there the spool goes by its number, not by its path."""
    return Unavailable(
        f"the spool {which} cannot be used: {error.strerror or error}",
        hint="whoever runs this must own it, and it needs room",
    )
