"""The lake as the pure code sees it: monthly partitions with versions, read "as known at" an instant.

Two times, never mixed up (bitemporal): the partition's *month* says when a thing was true in the business;
`recorded_at` says when the platform learnt it. A restatement is a further version of the same month.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import numpy as np

from models.bundle import canonical, sha256
from models.clock import Month
from models.contract import Array, Columns
from models.errors import PlatformError

SNAPSHOTS = "snapshots"
OUTCOMES = "outcomes"
BAD = "bad"  # the column of outcomes that the definition in force derives from the code
AUDIT = "audit"  # lives under a root of its own, which neither trainer nor scorer is given
GENERATION = "generation"  # the fact of an audit partition that says of which generation of pseudonyms its keys were made


@dataclass(frozen=True)
class PartitionVersion:
    """One immutable file of the lake. `digest` is over the content, so equal content has an equal digest."""

    table: str
    month: Month
    version: int
    digest: str
    rows: int
    recorded_at: datetime
    facts: Mapping[str, str]  # e.g. matured_at, definition_version


def content_digest(columns: Columns) -> str:
    """SHA-256 over names, types, values and row order; the order of the columns and how they are stored do not count."""
    return combined_digest({name: column_digest(values) for name, values in columns.items()})


def combined_digest(columns: Mapping[str, str]) -> str:
    """The content digest from the columns' own digests, so that a read of a few columns can be checked as well."""
    return sha256(canonical(dict(columns)))


class ColumnDigest:
    """The digest of one column, fed in parts: its values as bytes in each form of `passes`, one form after the other."""

    def __init__(self, kind: str, rows: int) -> None:
        """`kind` is boolean, integer, number, text or untyped."""
        self.passes = _FORMS.get(kind, ("lengths", "text"))
        self._tag, self._digest = kind, hashlib.sha256(f"{kind}:{rows}:".encode())

    def update(self, part: bytes | memoryview) -> None:
        self._digest.update(part)

    def __str__(self) -> str:
        return f"{self._tag}:{self._digest.hexdigest()}"


_FORMS = {"boolean": ("u1",), "integer": ("<i8",), "number": ("<f8",)}
_AT_A_TIME = 65_536  # values of a column
_KINDS = {"b": "boolean", "i": "integer", "u": "integer", "f": "number", "U": "text"}


def column_digest(values: Array) -> str:
    """SHA-256 of one column in a canonical form: type, length, little-endian numbers or UTF-8 with the texts' lengths.

    Widths do not count (int32 and int64 are integers). Anything untyped, as only a broken batch has it, counts by its `repr`.
    """
    values = np.asarray(values)
    digest = ColumnDigest(_KINDS.get(values.dtype.kind, "untyped"), len(values))
    for form in digest.passes:
        for start in range(0, len(values), _AT_A_TIME):
            digest.update(_bytes(values[start : start + _AT_A_TIME], form))
    return str(digest)


def _bytes(values: Array, form: str) -> bytes:
    if form not in ("lengths", "text"):
        return np.ascontiguousarray(values, dtype=form).tobytes()
    if values.dtype.kind == "U" and form == "lengths":
        return np.strings.str_len(values).astype("<i8").tobytes()
    texts = values.tolist() if values.dtype.kind == "U" else [repr(value) for value in values.tolist()]
    return "".join(texts).encode() if form == "text" else np.array([*map(len, texts)], dtype="<i8").tobytes()


class Location(Protocol):
    """Where a version's file lies: a path, or the address of an object. Equal ones are the same place."""

    def __str__(self) -> str: ...

    def __hash__(self) -> int: ...


class Lake(Protocol):
    def write(
        self,
        table: str,
        month: Month,
        columns: Columns,
        *,
        recorded_at: datetime,
        facts: Mapping[str, str] | None = None,
        after: int = 0,
    ) -> PartitionVersion:
        """Add a version of a partition, all or nothing. Numbers up to `after` are taken, though their files may be lost.

        Idempotent: if the newest version already has this content and these facts, it is returned and nothing is
        written. Raises `Conflict` if another writer added a version meanwhile, or if `recorded_at` lies before that of
        the newest version: what was known at an instant never changes afterwards.
        """
        ...

    def versions(self, table: str, *, known_at: datetime | None = None) -> list[PartitionVersion]:
        """The newest version of every month that was recorded at or before `known_at` (default: all), oldest month first."""
        ...

    def history(self, table: str, month: Month) -> list[PartitionVersion]:
        """Every version of one month, oldest first."""
        ...

    def read(self, partitions: Sequence[PartitionVersion], names: Sequence[str] | None = None) -> Columns:
        """The rows of these partitions, concatenated in the order given, checked against their digests."""
        ...

    def check(self, partition: PartitionVersion, names: Sequence[str]) -> None:
        """Raises as `read` does unless these columns are what was recorded; memory does not grow with the rows."""
        ...

    def path(self, partition: PartitionVersion) -> Location:
        """Where an engine that reads files (DuckDB, Spark) finds the partition."""
        ...

    def restore(self, partition: PartitionVersion, columns: Columns) -> None:
        """Put a lost version back, as it was recorded. Raises `Integrity` for other content, `Conflict` if it is not lost."""
        ...

    def examined(self) -> Iterator[tuple[Location, PartitionVersion | PlatformError]]:
        """Every stored version, read whole: what it is, or what its reader would be told. Slow: it hashes everything."""
        ...

    def forget(self, partition: PartitionVersion) -> None:
        """Delete what a superseded version holds; nothing if it is gone. Raises `Conflict` for the newest of its month."""
        ...
