"""Statistics over sealed decisions with Spark: a file's row groups are counted wherever an executor is free, and added up.

What is counted of rows in memory is the same pure code as that of the reference, so bins, segments and sums mean the same as on
one machine. Columns are checked against their digests first, by the process that asks.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from models.adapters import arrow, row_groups
from models.adapters.row_groups import RowGroup
from models.adapters.spark_session import Batches, Spark, absolute, numbers
from models.contract import Columns
from models.lake import Lake, PartitionVersion
from models.policy import Segment
from monitoring.adapters import statements
from monitoring.adapters.intact import Intact, check_rows
from monitoring.drift import Binnings
from monitoring.outcomes.estimation import SCORE_BINS
from monitoring.statistics.plan import bins_of
from monitoring.statistics.tallying import SKETCHED, ByGroup, BySegment, Counting, Scores

_COUNTED = "part string, name string, bin bigint, total double"
_ADDED = "SELECT part, name, bin, sum(total) AS total FROM {counted} GROUP BY part, name, bin ORDER BY part, name, bin"


class SparkStatistics:
    """`threads` check columns at a time."""

    def __init__(self, lake: Lake, spark: Spark, *, threads: int = 2) -> None:
        self._lake, self._spark, self._intact = lake, spark, Intact(lake, threads)

    def counts(self, partition: PartitionVersion, binnings: Binnings, *, by: str) -> dict[str, dict[str, NDArray[np.int64]]]:
        found = self._added(partition, ByGroup(binnings, by))
        groups = list(dict.fromkeys(group for group, _ in found))
        made = {group: _whole(found, group, binnings) for group in groups}
        first = next(iter(binnings))
        check_rows(self._lake.path(partition), partition, sum(int(each[first].sum()) for each in made.values()))
        return made

    def tally(
        self, partition: PartitionVersion, binnings: Binnings, segments: Mapping[str, Segment], *, where: tuple[str, str]
    ) -> dict[str, dict[str, NDArray[np.int64]]]:
        found = self._added(partition, BySegment(binnings, segments), where)
        return {name: _whole(found, name, binnings) for name in ("", *segments)}

    def scored(
        self, partition: PartitionVersion, segments: Mapping[str, Segment], *, where: tuple[str, str]
    ) -> dict[str, NDArray[np.float64]]:
        found = self._added(partition, Scores(segments), where)
        return {
            name: np.column_stack([_filled(found, name, column, SCORE_BINS) for column in SKETCHED]) for name in ("", *segments)
        }

    def distinct(self, partition: PartitionVersion, name: str, *, by: str) -> dict[str, int]:
        self._intact.check(partition, [by, name])
        found = self._spark.asked(statements.distinct(name, by), (), str(self._lake.path(partition)), [by, name])
        return dict(zip(*(column.to_pylist() for column in found.columns), strict=True))

    def sample(
        self, partition: PartitionVersion, names: Sequence[str], rows: int, *, key: str, where: tuple[str, str] | None = None
    ) -> Columns:
        column, value = (where[0], where[1:]) if where else ("", ())
        read = list(dict.fromkeys([*names, key, *filter(None, [column])]))
        self._intact.check(partition, read)
        query = statements.sampled(names, key, column)
        return arrow.columns(self._spark.asked(query, [*value, rows], str(self._lake.path(partition)), read))

    def _added(
        self, partition: PartitionVersion, counting: Counting, where: tuple[str, str] | None = None
    ) -> dict[tuple[str, str], dict[int, float]]:
        """Totals by group and column, of the bins that are not empty."""
        self._intact.check(partition, [*counting.names, *(where[:1] if where else ())])
        source = absolute(str(self._lake.path(partition)))
        groups = tuple(row_groups.row_groups(source))
        with self._spark.told(source):
            counted = self._spark.mapped(_Counted(counting, source, groups, where), len(groups), _COUNTED)
            rows = counted.sparkSession.sql(_ADDED, counted=counted).toArrow()
        found: dict[tuple[str, str], dict[int, float]] = {}
        for part, name, place, total in zip(*(column.to_pylist() for column in rows.columns), strict=True):
            found.setdefault((part, name), {})[place] = total
        return found


@dataclass(frozen=True)
class _Counted:
    """What an executor does: it adds its row groups up, and tells the sums of the bins that are not empty."""

    counting: Counting
    source: str
    groups: Sequence[RowGroup]
    where: tuple[str, str] | None

    def __call__(self, batches: Batches) -> Batches:
        sums: dict[tuple[str, str], NDArray[Any]] = {}
        for number in numbers(batches):
            for rows in row_groups.batches(self.source, self.groups[number], self._names):
                for part, named in self.counting.of(self._columns(rows)).items():
                    for name, found in named.items():
                        sums[part, name] = sums[part, name] + found if (part, name) in sums else found
        yield from (_told(part, name, found) for (part, name), found in sums.items())

    @property
    def _names(self) -> list[str]:
        return [*self.counting.names, *(self.where[:1] if self.where else ())]

    def _columns(self, rows: pa.RecordBatch) -> Columns:
        if self.where:
            rows = rows.filter(pc.equal(rows.column(self.where[0]), self.where[1]))
        return {name: _values(rows.column(name)) for name in self.counting.names}


def _values(column: pa.Array) -> NDArray[Any]:
    """Equal texts are one object: many rows hold few of them."""
    if not pa.types.is_string(column.type):
        values: NDArray[Any] = column.to_numpy(zero_copy_only=False)
        return values
    encoded = column.dictionary_encode()
    texts = np.array(encoded.dictionary.to_pylist(), dtype=object)
    chosen: NDArray[Any] = texts[encoded.indices.to_numpy()]
    return chosen


def _told(part: str, name: str, found: NDArray[Any]) -> pa.RecordBatch:
    used = np.flatnonzero(found)
    told = {"part": [part] * len(used), "name": [name] * len(used), "bin": used, "total": found[used].astype(np.float64)}
    return pa.RecordBatch.from_pydict(told, schema=_SCHEMA)


_SCHEMA = pa.schema([("part", pa.string()), ("name", pa.string()), ("bin", pa.int64()), ("total", pa.float64())])


def _whole(found: Mapping[tuple[str, str], Mapping[int, float]], group: str, binnings: Binnings) -> dict[str, NDArray[np.int64]]:
    return {name: _filled(found, group, name, bins_of(binning)).astype(np.int64) for name, binning in binnings.items()}


def _filled(found: Mapping[tuple[str, str], Mapping[int, float]], group: str, name: str, bins: int) -> NDArray[np.float64]:
    values, used = np.zeros(bins), found.get((group, name), {})
    values[list(used)] = list(used.values())
    return values
