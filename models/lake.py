"""The lake as the pure code sees it: monthly partitions with versions, read "as known at" an instant.

Two times, never mixed up (bitemporal): the partition's *month* says when a thing was true in the business;
`recorded_at` says when the platform learnt it. A restatement is a further version of the same month.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from models.clock import Month
from models.contract import Columns

SNAPSHOTS = "snapshots"
OUTCOMES = "outcomes"
AUDIT = "audit"  # lives under a root of its own, which neither trainer nor scorer is given


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


class Lake(Protocol):
    def write(
        self,
        table: str,
        month: Month,
        columns: Columns,
        *,
        recorded_at: datetime,
        facts: Mapping[str, str] | None = None,
    ) -> PartitionVersion:
        """Add a version of a partition, all or nothing.

        Idempotent: if the newest version already has this content and these facts, it is returned and nothing is
        written. Raises `Conflict` if another writer added a version meanwhile.
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

    def path(self, partition: PartitionVersion) -> Path:
        """Where an engine that reads files (DuckDB, Spark) finds the partition."""
        ...
