"""Spark, for whatever moves or counts many rows: work on Arrow batches (`mapInArrow`), and queries over files.

Files are read by Arrow where the work is done, so a path may be a folder or an S3 bucket as for one machine. Executors run the
code of this environment, so a cluster's nodes need it, too. They are told where the store is and which file has its keys.
"""

import os
import re
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlparse

import pyarrow as pa

from models.adapters import row_groups
from models.adapters.arrow import kind
from models.adapters.row_groups import RowGroup
from models.errors import Misconfigured, Unavailable

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

JAVA = 17
STORED = "stored"
"""What a query reads from."""
Batches = Iterator[pa.RecordBatch]
_TASKS = 4  # for each core: a slow one holds the others up less
_TYPES = {
    "integer": ("bigint", pa.int64()),
    "number": ("double", pa.float64()),
    "text": ("string", pa.string()),
    "boolean": ("boolean", pa.bool_()),
}
_SETTINGS = {
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.log.level": "ERROR",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.shuffle.partitions": "8",
    "spark.sql.ansi.doubleQuotedIdentifiers": "true",  # names are quoted as in every other SQL here
}
_KEYS = "AWS_SHARED_CREDENTIALS_FILE"
_STORE = ("AWS_ENDPOINT_URL", "AWS_REGION", "AWS_PROFILE", _KEYS)
_ERROR = re.compile(r"^(?:[A-Za-z_]\w*\.)*[A-Z]\w*: ")


class Spark:
    """A session, begun with the first work, and ended by `close` or with the process."""

    def __init__(self, master: str, spill: Path) -> None:
        """Raises `Misconfigured` without Spark or Java."""
        _ensure_there()
        self._master, self._spill = master, spill
        self._begun: SparkSession | None = None

    def mapped(self, work: Callable[[Batches], Batches], count: int, columns: str) -> "DataFrame":
        """`work` is told numbers below `count`, shared out among tasks; what it yields has `columns`."""
        session = self._session()
        tasks = max(1, min(count, _TASKS * session.sparkContext.defaultParallelism))
        return session.range(0, count, numPartitions=tasks).mapInArrow(work, columns)

    def rows(self, source: str, names: Sequence[str]) -> "DataFrame":
        """These columns of the Parquet files at a path."""
        source = absolute(source)
        kinds = {field.name: _kind(field.type) for field in row_groups.schema(source, names)}
        groups = tuple(row_groups.row_groups(source))
        ddl = ", ".join(f'"{name}" {_TYPES[each][0]}' for name, each in kinds.items())
        return self.mapped(_Read(source, groups, kinds), len(groups), ddl)

    def asked(self, query: str, values: Sequence[Any], source: str, names: Sequence[str]) -> pa.Table:
        """What a query answers, with `values` in the place of its question marks; it reads from `STORED`."""
        with self.told(source):
            self.rows(source, names).createOrReplaceTempView(STORED)
            return self._session().sql(query, args=list(values)).toArrow()

    @contextmanager
    def told(self, source: str) -> Iterator[None]:
        """What Spark says of its work on `source`, in the platform's errors."""
        try:
            yield
        except _errors() as error:
            raise _failed(source, error) from error

    def close(self) -> None:
        if self._begun is not None:
            self._begun.stop()
            self._begun = None

    def _session(self) -> "SparkSession":
        if self._begun is None:
            from pyspark.sql import SparkSession

            os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
            self._spill.mkdir(parents=True, exist_ok=True)
            builder = SparkSession.builder.master(self._master).appName("steward")
            for name, value in {**_SETTINGS, **_address(self._master), **_store()}.items():
                builder = builder.config(name, value)
            try:
                self._begun = builder.config("spark.local.dir", str(self._spill.absolute())).getOrCreate()
            except _errors() as error:
                raise Unavailable(
                    f"Spark did not begin at {self._master}",
                    hint="is the cluster up, and STEWARD_PIPELINES_SPARK_MASTER right? Spark's own words stand above",
                ) from error
        return self._begun


@dataclass(frozen=True)
class _Read:
    """The rows of row groups, by number."""

    source: str
    groups: Sequence[RowGroup]
    kinds: Mapping[str, str]

    def __call__(self, batches: Batches) -> Batches:
        wanted = pa.schema([(name, _TYPES[each][1]) for name, each in self.kinds.items()])
        for number in numbers(batches):
            for batch in row_groups.batches(self.source, self.groups[number], wanted.names):
                yield batch.select(wanted.names).cast(wanted)


def absolute(source: str) -> str:
    """A path as an executor finds it, which runs in another folder."""
    return source if "://" in source else str(Path(source).absolute())


def numbers(batches: Batches) -> Iterator[int]:
    """What a task of `Spark.mapped` is told."""
    for batch in batches:
        yield from batch.column(0).to_pylist()


def _kind(stored: pa.DataType) -> str:
    return "text" if pa.types.is_large_string(stored) else kind(stored)


def _address(master: str) -> dict[str, str]:
    """A driver whose executors are all on this machine listens to nobody else."""
    if not master.startswith("local") and urlparse(master).hostname not in ("127.0.0.1", "localhost"):
        return {}
    os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
    return {"spark.driver.bindAddress": "127.0.0.1", "spark.driver.host": "127.0.0.1"}


def _store() -> dict[str, str]:
    """What executors are told of the S3 store. Spark shows its settings to many: no key is among them."""
    known = {name: os.environ[name] for name in _STORE if os.environ.get(name)}
    return {f"spark.executorEnv.{name}": absolute(value) if name == _KEYS else value for name, value in known.items()}


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
    lines = str(error).splitlines()
    told = next((line for line in reversed(lines) if _ERROR.match(line)), next(iter(lines), type(error).__name__))
    return Unavailable(f"Spark could not work on {source}: {told.strip()}", hint="its log says more; the same command goes on")
