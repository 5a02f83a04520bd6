"""Statistics over the arrays of a lake in memory, by the reference's own counting."""

import hashlib
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from models.contract import Columns
from models.lake import Lake, PartitionVersion
from models.policy import Segment
from monitoring.drift import Binnings
from monitoring.statistics.tallying import SKETCHED, ByGroup, BySegment, Scores


class ArrayStatistics:
    def __init__(self, lake: Lake) -> None:
        self._lake = lake

    def counts(self, partition: PartitionVersion, binnings: Binnings, *, by: str) -> dict[str, dict[str, NDArray[np.int64]]]:
        found = ByGroup(binnings, by).of(self._lake.read([partition]))
        return {group: dict(found[group]) for group in sorted(found)}

    def tally(
        self, partition: PartitionVersion, binnings: Binnings, segments: Mapping[str, Segment], *, where: tuple[str, str]
    ) -> dict[str, dict[str, NDArray[np.int64]]]:
        found = BySegment(binnings, segments).of(self._own(partition, where))
        return {name: dict(each) for name, each in found.items()}

    def scored(
        self, partition: PartitionVersion, segments: Mapping[str, Segment], *, where: tuple[str, str]
    ) -> dict[str, NDArray[np.float64]]:
        found = Scores(segments).of(self._own(partition, where))
        return {name: np.column_stack([each[column] for column in SKETCHED]) for name, each in found.items()}

    def _own(self, partition: PartitionVersion, where: tuple[str, str]) -> Columns:
        columns = self._lake.read([partition])
        return {name: values[columns[where[0]] == where[1]] for name, values in columns.items()}

    def distinct(self, partition: PartitionVersion, name: str, *, by: str) -> dict[str, int]:
        columns = self._lake.read([partition])
        return {str(group): len(np.unique(columns[name][columns[by] == group])) for group in np.unique(columns[by])}

    def sample(
        self, partition: PartitionVersion, names: Sequence[str], rows: int, *, key: str, where: tuple[str, str] | None = None
    ) -> Columns:
        columns = self._lake.read([partition])
        chosen = np.flatnonzero(columns[where[0]] == where[1]) if where else np.arange(partition.rows)
        order = sorted(chosen, key=lambda row: hashlib.md5(str(columns[key][row]).encode(), usedforsecurity=False).hexdigest())[
            :rows
        ]
        return {name: columns[name][order] for name in names}
