"""Generated months as a lake of their own: `<place>/snapshots/month=2005-07/part-00000.parquet`, and `outcomes` beside them.

Several processes, a part each: memory is bounded by processes times one part. A part that is there is not made again, so a
killed run goes on where it was. `recipe.json` says from the first moment what is being made, `_made.json` that all of it is.
"""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from multiprocessing import get_context

import pyarrow as pa
import pyarrow.parquet as pq

from models.adapters import arrow
from models.adapters.places import Place
from models.bundle import canonical, sha256
from models.errors import Conflict
from pipelines.generation.panel import Panel, Part, Recipe, generated

RECIPE, MADE = "recipe.json", "_made.json"
_AHEAD = 2  # parts asked for, by process


@dataclass(frozen=True)
class Written:
    """`made` of the parts were written now, the others were there."""

    rows: int
    parts: int
    made: int


def write(panel: Panel, recipe: Recipe, place: str, processes: int, progress: Callable[[int, int], None]) -> Written:
    """Raises `Conflict` if something else is at the place. `progress` hears how many rows are there, of how many."""
    target, asked = Place.at(place), canonical(recipe.to_dict())
    _claim(target, asked)
    every = list(recipe.parts())
    missing = [part for part in every if not all(target.has(_name(table, part)) for table in arrow.lake_schemas(panel.contract))]
    rows = recipe.rows - sum(part.rows for part in missing)
    progress(rows, recipe.rows)
    for part in _each(panel, recipe, place, processes, missing):
        rows += part.rows
        progress(rows, recipe.rows)
    target.put(MADE, canonical({"recipe": sha256(asked), "parts": len(every), "rows": recipe.rows}))
    return Written(recipe.rows, len(every), len(missing))


def _claim(target: Place, asked: bytes) -> None:
    if not target.has(RECIPE):
        target.put(RECIPE, asked)
        return
    with target.opened(RECIPE) as file:
        found = file.read()
    if found != asked:
        raise Conflict(
            f"{target.text} holds other rows: {json.loads(found)}", hint="generate into another place, or take that one away"
        )


def _each(panel: Panel, recipe: Recipe, place: str, processes: int, parts: list[Part]) -> Iterator[Part]:
    """The parts as they become ready; in this process if there is to be one only."""
    if processes == 1:
        for part in parts:
            yield _Maker(panel, recipe, place).make(part)
        return
    left = iter(parts)
    with _pool(panel, recipe, place, processes) as pool:
        running: set[Future[Part]] = {pool.submit(_make, part) for part in islice(left, processes * _AHEAD)}
        while running:
            done, running = wait(running, return_when=FIRST_COMPLETED)
            running |= {pool.submit(_make, part) for part in islice(left, len(done))}
            yield from (future.result() for future in done)


@contextmanager
def _pool(panel: Panel, recipe: Recipe, place: str, processes: int) -> Iterator[ProcessPoolExecutor]:
    pool = ProcessPoolExecutor(processes, get_context("spawn"), _begin, (panel, recipe, place))
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


class _Maker:
    def __init__(self, panel: Panel, recipe: Recipe, place: str) -> None:
        self._panel, self._recipe, self._place = panel, recipe, Place.at(place)
        self._schemas = arrow.lake_schemas(panel.contract)

    def make(self, part: Part) -> Part:
        for table, columns in generated(self._panel, self._recipe, part).items():
            schema, sink = self._schemas[table], pa.BufferOutputStream()
            pq.write_table(arrow.table(columns).select(schema.names).cast(schema), sink, compression="zstd")
            self._place.put(_name(table, part), sink.getvalue().to_pybytes())
        return part


_maker: _Maker | None = None  # of a worker process


def _begin(panel: Panel, recipe: Recipe, place: str) -> None:
    global _maker
    _maker = _Maker(panel, recipe, place)


def _make(part: Part) -> Part:
    assert _maker is not None
    return _maker.make(part)


def _name(table: str, part: Part) -> str:
    return f"{table}/month={part.month}/part-{part.number:05d}.parquet"
