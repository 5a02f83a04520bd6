"""A lake whose readers meet every account under the newest key, whenever its rows were written."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from models.clock import Month
from models.contract import Columns
from models.errors import PlatformError
from models.governance.pseudonyms import Keyring
from models.lake import Lake, Location, PartitionVersion


class LiftedLake:
    """What is stored, its versions and digests stay as they are; `read` lifts the column `key`."""

    def __init__(self, lake: Lake, key: str, ring: Keyring) -> None:
        self._lake = lake
        self._key = key
        self._ring = ring

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
        return self._lake.write(table, month, columns, recorded_at=recorded_at, facts=facts, after=after)

    def versions(self, table: str, *, known_at: datetime | None = None) -> list[PartitionVersion]:
        return self._lake.versions(table, known_at=known_at)

    def history(self, table: str, month: Month) -> list[PartitionVersion]:
        return self._lake.history(table, month)

    def read(self, partitions: Sequence[PartitionVersion], names: Sequence[str] | None = None) -> Columns:
        found = self._lake.read(partitions, names)
        return {**found, self._key: self._ring.lifted(found[self._key])} if self._key in found else found

    def check(self, partition: PartitionVersion, names: Sequence[str]) -> None:
        self._lake.check(partition, names)

    def path(self, partition: PartitionVersion) -> Location:
        return self._lake.path(partition)

    def restore(self, partition: PartitionVersion, columns: Columns) -> None:
        self._lake.restore(partition, columns)

    def examined(self) -> Iterator[tuple[Location, PartitionVersion | PlatformError]]:
        return self._lake.examined()

    def forget(self, partition: PartitionVersion) -> None:
        self._lake.forget(partition)
