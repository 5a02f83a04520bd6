"""Spark: Parquet in, the same work on Arrow batches (`mapInArrow`), Parquet out.

Executors run the code of this environment, so a cluster's nodes need it, too. Parts are the same as on one machine; files go to
Spark some at a time, and what it has committed of them is staged, so a killed run goes on there.
"""

import os
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlparse

import numpy as np
import pyarrow as pa

from models.adapters import durable
from models.adapters.places import Place
from models.errors import Misconfigured, Unavailable
from pipelines.adapters import parquet_tables
from pipelines.scoring.parts import Kind, Part, Work

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

JAVA = 17
ROWS_OF_A_WAVE = 2_000_000
"""Rows, about, that Spark gets in one job: what a kill makes it do again."""
_PART, _FILE, _INDEX = "part", "steward_file", "steward_index"
_SQL: Mapping[Kind, str] = {"integer": "bigint", "number": "double", "text": "string", "boolean": "boolean"}


class SparkEngine:
    """An `Engine`. A session is begun with the first work, and ended by `close` or with the process."""

    def __init__(self, master: str, spill: Path) -> None:
        """Raises `Misconfigured` without Spark or Java."""
        _ensure_there()
        self._master, self._spill = master, spill
        self._begun: SparkSession | None = None

    def mapped(
        self, work: Work, source: str, parts: Sequence[Part], names: Sequence[str], into: Callable[[Part], Path]
    ) -> Iterator[Part]:
        for wave in _waves(parts):
            target = self._spill / f"spark-{wave[0].number:06d}"
            shutil.rmtree(target, ignore_errors=True)
            try:
                rows = self._read(source, [part.file for part in wave]).select(*names, *_origin())
                worked = rows.mapInArrow(_Mapped(work, _places(source, wave), tuple(names)), _ddl(work))
                worked.write.partitionBy(_PART).parquet(f"file://{target.absolute()}")
            except _errors() as error:
                raise _failed(source, error) from error
            for part in wave:
                _move(target / f"{_PART}={part.number}", into(part))
                yield part
            shutil.rmtree(target, ignore_errors=True)

    def repeated(self, source: str, names: Sequence[str], most: int) -> list[tuple[str, ...]]:
        try:
            rows = self._read(source, [stored.name for stored in Place.at(source).files()]).groupBy(*names).count()
            found = rows.where("count > 1").drop("count").orderBy(*names).limit(most).collect()
        except _errors() as error:
            raise _failed(source, error) from error
        return [tuple(row) for row in found]

    def close(self) -> None:
        if self._begun is not None:
            self._begun.stop()
            self._begun = None

    def _read(self, source: str, files: Sequence[str]) -> "DataFrame":
        place = Place.at(source)
        paths = [_uri(place, name) for name in dict.fromkeys(files)]
        return self._session().read.parquet(*paths)

    def _session(self) -> "SparkSession":
        if self._begun is None:
            from pyspark.sql import SparkSession

            os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
            os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
            self._spill.mkdir(parents=True, exist_ok=True)
            builder = SparkSession.builder.master(self._master).appName("steward")
            for name, value in _SETTINGS.items():
                builder = builder.config(name, value)
            self._begun = builder.config("spark.local.dir", str(self._spill.absolute())).getOrCreate()
        return self._begun


_SETTINGS = {
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.log.level": "ERROR",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.shuffle.partitions": "8",
    "spark.sql.execution.arrow.maxRecordsPerBatch": "50000",
    "spark.sql.parquet.compression.codec": "zstd",
    "spark.sql.sources.partitionColumnTypeInference.enabled": "false",  # a month in a path stays a text
}


@dataclass(frozen=True)
class _Mapped:
    """What an executor does, pickled with the work. `places` are the parts of each file: first row, rows, number, offset."""

    work: Work
    places: Mapping[str, Sequence[tuple[int, int, int, int]]]
    names: tuple[str, ...]

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        done = self.work.opened()
        for one in batches:
            rows = pa.Table.from_batches([one])
            for number, numbers, chosen in self._sorted(rows):
                found = done(parquet_tables.batch(chosen.select(list(self.names)), numbers))
                told = parquet_tables.table(found, self.work.kinds)
                yield from told.append_column(_PART, pa.array([str(number)] * told.num_rows)).to_batches()

    def _sorted(self, rows: pa.Table) -> Iterator[tuple[int, np.ndarray[Any, Any], pa.Table]]:
        """The rows of each part that is asked for, with their numbers."""
        index, files = rows.column(_INDEX).to_numpy(), np.array(rows.column(_FILE).to_pylist(), dtype=object)
        for file in dict.fromkeys(files.tolist()):
            for first, count, number, offset in self.places[_plain(file)]:
                inside = (files == file) & (index >= first) & (index < first + count)
                if inside.any():
                    yield number, index[inside] - first + offset, rows.filter(pa.array(inside))


def _waves(parts: Sequence[Part]) -> Iterator[list[Part]]:
    """Whole files together, until there are enough rows."""
    wave: list[Part] = []
    for part in parts:
        if wave and part.file != wave[-1].file and sum(each.rows for each in wave) >= ROWS_OF_A_WAVE:
            yield wave
            wave = []
        wave.append(part)
    if wave:
        yield wave


def _places(source: str, parts: Sequence[Part]) -> dict[str, list[tuple[int, int, int, int]]]:
    place = Place.at(source)
    found: dict[str, list[tuple[int, int, int, int]]] = {}
    for part in parts:
        found.setdefault(place.path(part.file), []).append((part.first, part.rows, part.number, part.offset))
    return found


def _origin() -> list[Any]:
    from pyspark.sql.functions import col

    return [col("_metadata.file_path").alias(_FILE), col("_metadata.row_index").alias(_INDEX)]


def _ddl(work: Work) -> str:
    columns = ", ".join(f"`{name}` {_SQL[kind]}" for name, kind in work.kinds.items())
    return f"{columns}, `{_PART}` string"


def _uri(place: Place, name: str) -> str:
    path = place.path(name)
    return f"file://{path}" if place.local else f"s3a://{path}"


def _plain(uri: str) -> str:
    """The path that an address of Spark's is about, which comes encoded."""
    found = urlparse(uri)
    return f"{found.netloc}{unquote(found.path)}"


def _move(made: Path, target: Path) -> None:
    """One rename: a part is there whole or not."""
    target.parent.mkdir(parents=True, exist_ok=True)
    for extra in (*made.glob(".*.crc"), *made.glob("_*")):
        extra.unlink()
    for path in made.iterdir():
        with path.open("rb") as file:
            os.fsync(file.fileno())
    durable.sync_folder(made)
    made.rename(target)
    durable.sync_folder(target.parent)


def _ensure_there() -> None:
    try:
        import pyspark  # noqa: F401, only whether it is there
    except ImportError as error:
        raise Misconfigured("STEWARD_ENGINE is spark, and Spark is not installed", hint="run make spark-setup") from error
    home = os.environ.get("JAVA_HOME")
    if not (shutil.which("java") or (home and Path(home, "bin", "java").exists())):
        raise Misconfigured(
            f"Spark needs Java {JAVA} or newer, and there is none",
            hint="on Debian and Ubuntu: apt-get install openjdk-17-jre-headless; or unset STEWARD_ENGINE: one machine needs none",
        )


def _errors() -> tuple[type[Exception], ...]:
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException

    return PySparkException, Py4JError


def _failed(source: str, error: Exception) -> Unavailable:
    told = next((line for line in reversed(str(error).splitlines()) if "Error" in line), str(error).partition("\n")[0])
    return Unavailable(f"Spark could not work on {source}: {told.strip()}", hint="its log says more; the same command goes on")
