"""Statistics over sealed decisions with DuckDB: exact, over all rows of a Parquet file, in one pass.

DuckDB knows nothing of the lake's digests. So before it reads columns of a file, the lake reads them once and checks
them, column by column and in batches; as long as the file stays as it is, that is not done again. The digests are over values:
the statistics in a Parquet footer are not among them, so DuckDB may not conclude anything from those.
"""

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from models.contract import Columns
from models.errors import Integrity, Unavailable
from models.lake import Lake, Location, PartitionVersion
from models.policy import Segment
from monitoring.adapters.duckdb_counting import SKETCHED, Asked, bins_of, condition, quoted
from monitoring.adapters.duckdb_files import as_it_is, source
from monitoring.drift import Binnings
from monitoring.outcomes.estimation import SCORE_BINS
from monitoring.statistics.plan import SCORE

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


class DuckdbStatistics:
    """Reads the lake's files where they lie. `memory` bounds DuckDB; more rows take more time, not more memory."""

    def __init__(self, lake: Lake, *, threads: int = 2, memory: str = "1GB") -> None:
        self._lake = lake
        self._intact: dict[Hashable, set[str]] = {}  # columns found right, by file as it was then
        self._threads = threads
        self._config: dict[str, str | bool | int | float | list[str]] = {"threads": threads, "memory_limit": memory}

    def counts(self, partition: PartitionVersion, binnings: Binnings, *, by: str) -> dict[str, dict[str, NDArray[np.int64]]]:
        asked = Asked.of(binnings)
        rows = self._grouped(partition, asked, [quoted(by)], [by, *binnings])
        if sum(row[1] for row in rows) != partition.rows:
            raise _damaged(self._lake.path(partition), f"it does not hold the {partition.rows:,} rows that were sealed")
        return {str(group): asked.binned(binnings, total, found) for group, total, *found in rows}

    def tally(
        self, partition: PartitionVersion, binnings: Binnings, segments: Mapping[str, Segment], *, where: tuple[str, str]
    ) -> dict[str, dict[str, NDArray[np.int64]]]:
        # One pass: rows are grouped by which segments they are in, and each segment adds its groups up.
        asked, inside = Asked.of(binnings), [condition(segment) for segment in segments.values()]
        used = {name for segment in segments.values() for name in segment.columns}
        rows = self._grouped(partition, asked, inside, [*binnings, *used], where)
        groups = [(row[: len(inside)], asked.binned(binnings, row[len(inside)], row[len(inside) + 1 :])) for row in rows]
        empty = {name: np.zeros(bins_of(binning), dtype=np.int64) for name, binning in binnings.items()}
        chosen = {"": [counts for _, counts in groups]} | {
            name: [counts for flags, counts in groups if flags[place]] for place, name in enumerate(segments)
        }
        return {name: {key: sum((each[key] for each in found), empty[key]) for key in binnings} for name, found in chosen.items()}

    def scored(
        self, partition: PartitionVersion, segments: Mapping[str, Segment], *, where: tuple[str, str]
    ) -> dict[str, NDArray[np.float64]]:
        inside = [condition(segment) for segment in segments.values()]
        read = [SCORE, where[0], *{name for segment in segments.values() for name in segment.columns}]
        self._check(partition, read)
        keys, chosen = ", ".join(str(place + 1) for place in range(len(inside) + 1)), ", ".join([*inside, *SKETCHED])
        limited = f"{quoted(where[0])} = ? AND {SCORE} BETWEEN 0 AND 1"
        with self._connected(partition) as connection:
            stored = source(connection, self._lake.path(partition), read)
            query = f"SELECT {chosen} FROM {stored} WHERE {limited} GROUP BY {keys} ORDER BY {keys}"  # noqa: S608
            rows = connection.execute(query, [where[1]]).fetchall()
        found = {name: np.zeros((SCORE_BINS, 3)) for name in ("", *segments)}
        for *flags, place, number, bad, spread in rows:
            for name in ("", *(name for name, flag in zip(segments, flags, strict=True) if flag)):
                found[name][place] += (number, bad, spread)
        return found

    def _grouped(
        self,
        partition: PartitionVersion,
        asked: Asked,
        groups: Sequence[str],
        names: Sequence[str],
        where: tuple[str, str] | None = None,
    ) -> list[tuple[Any, ...]]:
        read = [*names, *(where[:1] if where else ())]
        self._check(partition, read)
        limited = f"WHERE {quoted(where[0])} = ?" if where else ""
        keys = ", ".join(str(place + 1) for place in range(len(groups)))
        chosen = ", ".join([*groups, "count(*)", *asked.expressions])
        ordered = f"GROUP BY {keys} ORDER BY {keys}" if groups else ""
        values = [*asked.values, *(where[1:] if where else ())]
        with self._connected(partition) as connection:
            stored = source(connection, self._lake.path(partition), read)
            query = f"SELECT {chosen} FROM {stored} {limited} {ordered}"  # noqa: S608
            rows: list[tuple[Any, ...]] = connection.execute(query, values).fetchall()
        return rows

    def distinct(self, partition: PartitionVersion, name: str, *, by: str) -> dict[str, int]:
        self._check(partition, [by, name])
        with self._connected(partition) as connection:
            stored = source(connection, self._lake.path(partition), [by, name])
            query = f"SELECT {quoted(by)}, count(DISTINCT {quoted(name)}) FROM {stored} GROUP BY 1 ORDER BY 1"  # noqa: S608
            rows = connection.execute(query).fetchall()
        return {str(group): int(number) for group, number in rows}

    def sample(
        self, partition: PartitionVersion, names: Sequence[str], rows: int, *, key: str, where: tuple[str, str] | None = None
    ) -> Columns:
        chosen = ", ".join(map(quoted, names))
        condition = f"WHERE {quoted(where[0])} = ?" if where else ""
        read = [*names, key, *(where[:1] if where else ())]
        self._check(partition, read)
        values = [*(where[1:] if where else ()), rows]
        with self._connected(partition) as connection:
            stored = source(connection, self._lake.path(partition), read)
            query = f"SELECT {chosen} FROM {stored} {condition} ORDER BY hash({quoted(key)}), {quoted(key)} LIMIT ?"  # noqa: S608
            return {name: _plain(found) for name, found in connection.execute(query, values).fetchnumpy().items()}

    def _check(self, partition: PartitionVersion, names: Iterable[str]) -> None:
        """Raises `Integrity`, naming the file, unless these columns are what was sealed; `NotFound` if it is gone."""
        intact = self._intact.setdefault(as_it_is(self._lake.path(partition)), set())
        missing = sorted(set(names) - intact)
        with ThreadPoolExecutor(self._threads) as threads:
            list(threads.map(lambda name: self._lake.check(partition, [name]), missing))
        intact |= set(missing)

    @contextmanager
    def _connected(self, partition: PartitionVersion) -> "Iterator[DuckDBPyConnection]":
        # Imported here: threads of the flow engine keep the last flow's platform, and so this module, until the process is
        # gone. Were DuckDB among its globals it could not be unloaded, and would list all it has as leaked.
        import duckdb

        try:
            with duckdb.connect(config=self._config) as connection:
                connection.execute("SET disabled_optimizers = 'statistics_propagation'")
                yield connection
        except (duckdb.OutOfMemoryException, duckdb.IOException) as error:
            raise Unavailable(
                f"{partition.table} {partition.month} version {partition.version} cannot be counted: {error}",
                hint="check the file in the lake and the free memory, then run the monitoring again",
            ) from error
        except duckdb.Error as error:
            raise _damaged(self._lake.path(partition), f"DuckDB cannot read it: {error}") from error


def _damaged(path: Location, how: str) -> Integrity:
    return Integrity(f"{path} is damaged: {how}", hint="restore the file from its backup, or remove it and seal the month again")


def _plain(values: NDArray[Any]) -> NDArray[Any]:
    return values.astype(np.str_) if values.dtype == object else np.asarray(values)
