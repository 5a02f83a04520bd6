"""Spark moves the rows of batches: the same parts and the same work as on one machine, on whichever executor is free.

Executors read a part with Arrow and write what was made of it beside its place. Whoever began the work moves it there: what an
executor writes for a run that was killed meanwhile, and perhaps for another bundle, is never taken for staged.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pyarrow as pa

from models.adapters import durable
from models.adapters.spark_session import Batches, Spark, absolute, numbers
from pipelines.adapters import parquet_tables
from pipelines.adapters.statements import repeated
from pipelines.scoring.parts import Part, Work

ROWS_OF_A_WAVE = 2_000_000
"""Rows, about, that Spark gets in one job: what a kill makes it do again."""


class SparkEngine:
    """An `Engine`."""

    def __init__(self, spark: Spark) -> None:
        self._spark = spark

    def mapped(
        self, work: Work, source: str, parts: Sequence[Part], names: Sequence[str], into: Callable[[Part], Path]
    ) -> Iterator[Part]:
        begun = uuid4().hex
        for wave in _waves(parts):
            made = [_beside(into(part), begun) for part in wave]
            told = _Worked(work, absolute(source), tuple(zip(wave, made, strict=True)), tuple(names))
            with self._spark.told(source):
                self._spark.mapped(told, len(wave), "part bigint").collect()
            for part, path in zip(wave, made, strict=True):
                _moved(path, into(part))
                yield part

    def repeated(self, source: str, names: Sequence[str], most: int) -> list[tuple[str, ...]]:
        found = self._spark.asked(repeated(names, most), (), source, names)
        return [tuple(row.values()) for row in found.to_pylist()]


@dataclass(frozen=True)
class _Worked:
    """What an executor does, pickled with the work."""

    work: Work
    source: str
    parts: Sequence[tuple[Part, Path]]
    names: Sequence[str]

    def __call__(self, batches: Batches) -> Batches:
        done = self.work.opened()
        for number in numbers(batches):
            part, path = self.parts[number]
            parquet_tables.carry_out(done, self.work.kinds, self.source, part, self.names, path)
            yield pa.RecordBatch.from_pydict({"part": [part.number]})


def _beside(target: Path, begun: str) -> Path:
    return target.absolute().with_name(f".{target.name}.{begun}")


def _moved(path: Path, target: Path) -> None:
    """One rename: a part is there whole or not. What others began is forgotten."""
    path.rename(target)
    durable.sync_folder(target.parent)
    for left in target.parent.glob(f".{target.name}.*"):
        left.unlink(missing_ok=True)


def _waves(parts: Sequence[Part]) -> Iterator[list[Part]]:
    wave: list[Part] = []
    for part in parts:
        if wave and sum(each.rows for each in wave) >= ROWS_OF_A_WAVE:
            yield wave
            wave = []
        wave.append(part)
    if wave:
        yield wave
