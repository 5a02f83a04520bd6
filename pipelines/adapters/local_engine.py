"""One machine: parts are read with Arrow, worked on by threads, and counted with DuckDB.

Threads suffice: graph, Arrow and NumPy let go of the interpreter's lock. As many parts are in memory as there are threads.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.dataset as ds

from models.adapters.places import Place
from models.errors import Unavailable
from pipelines.adapters import parquet_tables
from pipelines.adapters.statements import repeated
from pipelines.scoring.parts import Part, Work


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
            return pool.submit(parquet_tables.carry_out, done, work.kinds, source, part, names, into(part))

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
        self._spill.mkdir(parents=True, exist_ok=True)
        config: dict[str, Any] = {"memory_limit": self._memory, "temp_directory": str(self._spill), "threads": self._threads}
        try:
            with duckdb.connect(config=config) as connection:
                connection.register("stored", rows)
                found: list[tuple[str, ...]] = connection.execute(repeated(names, most)).fetchall()
                return found
        except (duckdb.Error, pa.ArrowException, OSError) as error:
            raise Unavailable(f"{source} cannot be counted: {error}", hint="check the files and the free disk") from error
