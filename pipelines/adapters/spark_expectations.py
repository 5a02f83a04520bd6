"""The same rules, checked by Great Expectations' own Spark engine: a month is staged as a file, and executors read it.

They meet pseudonyms and inputs only: accounts are hidden before, and audit columns stay in this process. So does a column
that has not the contract's type, which no Parquet file holds as it came. What Spark finds broken is looked at once more by
this process, which has the rows: so the finding, its words and its examples are the same.
"""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any
from uuid import uuid4

import pyarrow as pa
import pyarrow.parquet as pq

from models.adapters.places import SUFFIX
from models.adapters.private import private_folder
from models.adapters.spark_session import Spark
from models.clock import Clock
from models.contract import Role
from models.errors import Unavailable
from pipelines.adapters.expectations import GreatExpectations, Words, rules
from pipelines.batches import Batch

_SPARK = Words({"integer": "LongType", "number": "DoubleType", "text": "StringType"}, r"\z")  # Java's \Z allows a line end
_ROWS = 131_072
"""Rows of a group: what one executor reads at a time."""


class SparkExpectations(GreatExpectations):
    """What is staged lies in `staging` while it is checked; executors must see it."""

    def __init__(self, folder: Path, clock: Clock, spark: Spark, staging: Path) -> None:
        super().__init__(folder, clock)
        self._spark, self._staging = spark, staging

    def _by_contract(self, name: str, batch: Batch) -> Any:
        if batch.contract.named(Role.AUDIT) or not all(map(batch.typed, batch.contract.names)):
            return super()._by_contract(name, batch)
        found = self._by_executors(name, batch)
        return found if found.success else super()._by_contract(name, batch)

    def _by_executors(self, name: str, batch: Batch) -> Any:
        with self._staged(batch) as path, self._spark.told(str(path)):
            frame = self._spark.rows(str(path), batch.contract.names)
            try:
                found = self._asked(self._cluster, name, frame, list(rules(batch, _SPARK)), None)
            finally:
                frame.unpersist()  # the tool lets Spark hold the rows for its many questions
        if failed := [result for result in found.results if _failed(result.exception_info)]:
            raise Unavailable(
                f"Spark could not check {batch.table} of {batch.month}: {failed[0].expectation_config.type}",
                hint="its log says more; the same command goes on",
            )
        return found

    @cached_property
    def _cluster(self) -> Any:
        """Of the session that has begun: the tool would begin one of its own."""
        return self._context.data_sources.add_or_update_spark("cluster")

    @contextmanager
    def _staged(self, batch: Batch) -> Iterator[Path]:
        """A missing number is no number in pandas, and null in Spark. What a killed process left is taken away."""
        folder = private_folder(self._staging)
        for left in folder.glob(f"*{SUFFIX}"):
            _take_away(left)
        path = folder / f"{uuid4().hex}{SUFFIX}"
        with path.open("wb") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            try:
                columns = {name: pa.array(batch.columns[name], from_pandas=True) for name in batch.contract.names}
                pq.write_table(pa.table(columns), file, row_group_size=_ROWS)
                file.flush()
                yield path
            finally:
                path.unlink(missing_ok=True)


def _take_away(left: Path) -> None:
    """Unless the process that staged it is alive: it has it locked."""
    with left.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        left.unlink(missing_ok=True)


def _failed(info: dict[str, Any]) -> bool:
    """The tool says it of a rule, or of each figure that the rule needs."""
    told = [info] if "raised_exception" in info else info.values()
    return any(each["raised_exception"] for each in told)
