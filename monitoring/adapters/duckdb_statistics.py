"""Statistics over sealed decisions with DuckDB: exact, over all rows of a Parquet file, in one pass.

Columns are checked against their digests first (`intact`). DuckDB may conclude nothing from the statistics in a Parquet footer.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from models.contract import Columns
from models.errors import Unavailable
from models.lake import Lake, PartitionVersion
from models.policy import Segment
from monitoring.adapters import statements
from monitoring.adapters.duckdb_counting import SKETCHED, Asked, condition
from monitoring.adapters.duckdb_files import source
from monitoring.adapters.intact import Intact, check_rows, damaged
from monitoring.adapters.statements import quoted
from monitoring.drift import Binnings
from monitoring.outcomes.estimation import SCORE_BINS
from monitoring.statistics.plan import SCORE, bins_of

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


class DuckdbStatistics:
    """Reads the lake's files where they lie. `memory` bounds DuckDB; more rows take more time, not more memory."""

    def __init__(self, lake: Lake, *, threads: int = 2, memory: str = "1GB") -> None:
        self._lake = lake
        self._intact = Intact(lake, threads)
        self._config: dict[str, str | bool | int | float | list[str]] = {"threads": threads, "memory_limit": memory}

    def counts(self, partition: PartitionVersion, binnings: Binnings, *, by: str) -> dict[str, dict[str, NDArray[np.int64]]]:
        asked = Asked.of(binnings)
        rows = self._grouped(partition, asked, [quoted(by)], [by, *binnings])
        check_rows(self._lake.path(partition), partition, sum(row[1] for row in rows))
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
        self._intact.check(partition, read)
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
        self._intact.check(partition, read)
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
        self._intact.check(partition, [by, name])
        with self._connected(partition) as connection:
            stored = source(connection, self._lake.path(partition), [by, name])
            rows = connection.execute(statements.distinct(name, by, stored)).fetchall()
        return {str(group): int(number) for group, number in rows}

    def sample(
        self, partition: PartitionVersion, names: Sequence[str], rows: int, *, key: str, where: tuple[str, str] | None = None
    ) -> Columns:
        read = [*names, key, *(where[:1] if where else ())]
        self._intact.check(partition, read)
        values = [*(where[1:] if where else ()), rows]
        with self._connected(partition) as connection:
            stored = source(connection, self._lake.path(partition), read)
            query = statements.sampled(names, key, where[0] if where else "", stored)
            return {name: _plain(found) for name, found in connection.execute(query, values).fetchnumpy().items()}

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
            raise damaged(self._lake.path(partition), f"DuckDB cannot read it: {error}") from error


def _plain(values: NDArray[Any]) -> NDArray[Any]:
    return values.astype(np.str_) if values.dtype == object else np.asarray(values)
