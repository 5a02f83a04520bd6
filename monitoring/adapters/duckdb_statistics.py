"""Statistics over sealed decisions with DuckDB: exact, over all rows of a Parquet file, in one pass."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice, pairwise
from typing import Any

import duckdb
import numpy as np
from numpy.typing import NDArray

from models.contract import Columns
from models.errors import Unavailable
from models.lake import Lake, PartitionVersion


class DuckdbStatistics:
    """Reads the lake's files where they lie. `memory` bounds DuckDB; more rows take more time, not more memory."""

    def __init__(self, lake: Lake, *, threads: int = 2, memory: str = "1GB") -> None:
        self._lake = lake
        self._config: dict[str, str | bool | int | float | list[str]] = {"threads": threads, "memory_limit": memory}

    def counts(
        self, partition: PartitionVersion, binnings: Mapping[str, Mapping[str, Any]], *, by: str
    ) -> dict[str, dict[str, NDArray[np.int64]]]:
        # A sum of comparisons is five times as fast as count(*) FILTER, and as exact.
        tests = [test for name, binning in binnings.items() for test in _tests(name, binning)]
        sums = [f"sum(({test})::BIGINT)" for test, _ in tests]
        query = f"SELECT {_quoted(by)}, {', '.join(['count(*)', *sums])} FROM read_parquet(?) GROUP BY 1 ORDER BY 1"  # noqa: S608
        with self._connected(partition) as connection:
            values = [value for _, value in tests]
            rows = connection.execute(query, [*values, str(self._lake.path(partition))]).fetchall()
        return {str(group): _binned(binnings, total, iter(sums)) for group, total, *sums in rows}

    def sample(
        self, partition: PartitionVersion, names: Sequence[str], rows: int, *, key: str, where: tuple[str, str] | None = None
    ) -> Columns:
        chosen = ", ".join(map(_quoted, names))
        condition = f"WHERE {_quoted(where[0])} = ?" if where else ""
        query = f"SELECT {chosen} FROM read_parquet(?) {condition} ORDER BY hash({_quoted(key)}), {_quoted(key)} LIMIT ?"  # noqa: S608
        values = [str(self._lake.path(partition)), *(where[1:] if where else ()), rows]
        with self._connected(partition) as connection:
            return {name: _plain(found) for name, found in connection.execute(query, values).fetchnumpy().items()}

    @contextmanager
    def _connected(self, partition: PartitionVersion) -> Iterator[duckdb.DuckDBPyConnection]:
        try:
            with duckdb.connect(config=self._config) as connection:
                yield connection
        except duckdb.Error as error:
            raise Unavailable(
                f"{partition.table} {partition.month} version {partition.version} cannot be counted: {error}",
                hint="check the file in the lake and the free memory, then run the monitoring again",
            ) from error


def _tests(name: str, binning: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """A comparison for each inner edge, or for each code, with its parameter."""
    if "codes" in binning:
        yield from ((f"{_quoted(name)} = ?", code) for code in binning["codes"])
    else:
        yield from ((f"{_quoted(name)} >= ?::DOUBLE", edge) for edge in binning["edges"])


def _binned(binnings: Mapping[str, Mapping[str, Any]], total: int, sums: Iterator[Any]) -> dict[str, NDArray[np.int64]]:
    """Sums in the order of `_tests` back to rows per bin."""
    found = {}
    for name, binning in binnings.items():
        if "codes" in binning:
            seen = [int(value) for value in islice(sums, len(binning["codes"]))]
            found[name] = np.array([*seen, total - sum(seen)], dtype=np.int64)
        else:
            above = [total, *(int(value) for value in islice(sums, len(binning["edges"]))), 0]
            found[name] = np.array([a - b for a, b in pairwise(above)], dtype=np.int64)
    return found


def _plain(values: NDArray[Any]) -> NDArray[Any]:
    return values.astype(np.str_) if values.dtype == object else np.asarray(values)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
