"""A lake that lives as long as the test."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path

import numpy as np

from models.clock import Month
from models.contract import Columns
from models.errors import Conflict, Integrity, NotFound, PlatformError
from models.lake import PartitionVersion, content_digest


class InMemoryLake:
    def __init__(self) -> None:
        self._partitions: dict[tuple[str, Month], list[PartitionVersion]] = {}
        self._contents: dict[tuple[str, Month, int], Columns] = {}

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
        known = self._partitions.setdefault((table, month), [])
        digest, facts = content_digest(columns), dict(facts or {})
        if known and (known[-1].digest, known[-1].facts) == (digest, facts):
            return known[-1]
        if known and recorded_at < known[-1].recorded_at:
            raise Conflict(f"{table} {month} already has a version recorded later", hint="check the clock")
        rows = len(next(iter(columns.values())))
        number = max(known[-1].version if known else 0, after) + 1
        added = PartitionVersion(table, month, number, digest, rows, recorded_at, facts)
        self._contents[table, month, added.version] = {name: np.array(values) for name, values in columns.items()}
        known.append(added)
        return added

    def versions(self, table: str, *, known_at: datetime | None = None) -> list[PartitionVersion]:
        newest = []
        for month in sorted(month for name, month in self._partitions if name == table):
            known = [p for p in self._partitions[table, month] if known_at is None or p.recorded_at <= known_at]
            newest += known[-1:]
        return newest

    def history(self, table: str, month: Month) -> list[PartitionVersion]:
        return list(self._partitions.get((table, month), []))

    def read(self, partitions: Sequence[PartitionVersion], names: Sequence[str] | None = None) -> Columns:
        if not partitions:
            raise NotFound("no partition was asked for")
        parts = [self._checked(partition) for partition in partitions]
        if unknown := [name for name in names or () if name not in parts[0]]:
            raise NotFound(f"the lake has no column {unknown[0]!r}")
        return {name: np.concatenate([part[name] for part in parts]) for name in names or parts[0]}

    def check(self, partition: PartitionVersion, names: Sequence[str]) -> None:
        self.read([partition], names)

    def path(self, partition: PartitionVersion) -> Path:
        return Path("memory", partition.table, f"month={partition.month}", f"v{partition.version:04d}.parquet")

    def restore(self, partition: PartitionVersion, columns: Columns) -> None:
        if content_digest(columns) != partition.digest:
            raise Integrity(f"{self.path(partition)} held other content")
        known = self._partitions.setdefault((partition.table, partition.month), [])
        if partition.version in {other.version for other in known}:
            raise Conflict(f"{self.path(partition)} is there")
        self._contents[partition.table, partition.month, partition.version] = dict(columns)
        known.append(partition)
        known.sort(key=lambda other: other.version)

    def examined(self) -> Iterator[tuple[Path, PartitionVersion | PlatformError]]:
        for partition in [part for known in self._partitions.values() for part in known]:
            try:
                self._checked(partition)
            except PlatformError as error:
                yield self.path(partition), error
            else:
                yield self.path(partition), partition

    def lose(self, partition: PartitionVersion) -> None:
        """Somebody deleted the file."""
        self._partitions[partition.table, partition.month].remove(partition)
        del self._contents[partition.table, partition.month, partition.version]

    def damage(self, partition: PartitionVersion, columns: Columns) -> None:
        """Somebody wrote other rows into the file."""
        self._contents[partition.table, partition.month, partition.version] = columns

    def forget(self, partition: PartitionVersion) -> None:
        known = self._partitions[partition.table, partition.month]
        if partition.version == known[-1].version:
            raise Conflict(f"{self.path(partition)} is the newest version", hint="only what was superseded can be forgotten")
        known[:] = [other for other in known if other.version != partition.version]
        self._contents.pop((partition.table, partition.month, partition.version), None)

    def _checked(self, partition: PartitionVersion) -> Columns:
        columns = self._contents.get((partition.table, partition.month, partition.version))
        if columns is None:
            raise NotFound(f"the lake has no {self.path(partition)}")
        if content_digest(columns) != partition.digest:
            raise Integrity(f"{self.path(partition)} does not match its digest")
        return columns
