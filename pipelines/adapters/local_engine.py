"""One machine: parts are read with Arrow, worked on by threads, and counted with DuckDB.

Threads suffice: graph, Arrow and NumPy let go of the interpreter's lock. As many parts are in memory as there are threads.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from models.adapters import durable
from models.adapters.places import Place
from models.errors import Unavailable
from pipelines.adapters import parquet_tables
from pipelines.scoring.parts import Mapped, Part, Work


class LocalEngine:
    """An `Engine`. `memory` bounds what DuckDB holds; beyond it, it goes on with files in `spill`."""

    def __init__(self, threads: int, spill: Path, memory: str = "1GB") -> None:
        self._threads, self._spill, self._memory = threads, spill, memory

    def mapped(
        self, work: Work, source: str, parts: Sequence[Part], names: Sequence[str], into: Callable[[Part], Path]
    ) -> Iterator[Part]:
        done, left = work.opened(), iter(parts)
        pool = ThreadPoolExecutor(self._threads)

        def begin(part: Part) -> Future[Part]:
            return pool.submit(_one, done, work, source, part, names, into(part))

        try:
            running = {begin(part) for part in islice(left, self._threads)}
            while running:
                ready, running = wait(running, return_when=FIRST_COMPLETED)
                running |= {begin(part) for part in islice(left, len(ready))}
                yield from sorted((future.result() for future in ready), key=lambda part: part.number)
        finally:
            pool.shutdown(cancel_futures=True)

    def repeated(self, source: str, names: Sequence[str], most: int) -> list[tuple[str, ...]]:
        import duckdb  # only when it is asked for: see duckdb_statistics

        place = Place.at(source)
        paths = [place.path(stored.name) for stored in place.files()]
        rows = ds.dataset(paths, filesystem=place.system, format="parquet").scanner(columns=list(names)).to_reader()
        columns = ", ".join(f'"{name}"' for name in names)
        query = f"SELECT {columns} FROM rows GROUP BY ALL HAVING count(*) > 1 ORDER BY ALL LIMIT {most}"  # noqa: S608, of a contract
        self._spill.mkdir(parents=True, exist_ok=True)
        config: dict[str, Any] = {"memory_limit": self._memory, "temp_directory": str(self._spill), "threads": self._threads}
        try:
            with duckdb.connect(config=config) as connection:
                connection.register("rows", rows)
                found: list[tuple[str, ...]] = connection.execute(query).fetchall()
                return found
        except (duckdb.Error, pa.ArrowException, OSError) as error:
            raise Unavailable(f"{source} cannot be counted: {error}", hint="check the files and the free disk") from error


def _one(done: Mapped, work: Work, source: str, part: Part, names: Sequence[str], path: Path) -> Part:
    rows = parquet_tables.read(source, part, names)
    found = done(parquet_tables.batch(rows, np.arange(part.offset, part.offset + part.rows)))
    sink = pa.BufferOutputStream()
    pq.write_table(parquet_tables.table(found, work.kinds), sink, compression="zstd")
    durable.replace(path, sink.getvalue().to_pybytes())
    return part
