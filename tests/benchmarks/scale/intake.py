"""A month taken in: read, accounts hidden, validated, committed to the lake with its digests. One process does it, in memory."""

import shutil
from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow.parquet as pq

from models.adapters import arrow
from models.catalog import find
from models.clock import Month
from models.contract import Role
from models.usecase import Cohort
from pipelines.ingest import ingest_month
from pipelines.settings import PipelineSettings
from pipelines.wiring import Platform
from tests.benchmarks.scale.metering import Figures, measured
from tests.benchmarks.scale.places import FOLDER, MONTH, SEED, source

USE_CASE = "credit_default"


@dataclass(frozen=True)
class Generated:
    """A source whose one month is what was generated; no generator makes audit columns, so they are drawn."""

    rows: int

    def months(self) -> list[Month]:
        return [MONTH]

    def last(self) -> Month:
        return MONTH

    def cohort(self, month: Month, as_of: date) -> Cohort:
        use_case, rng = find(USE_CASE), np.random.default_rng(SEED)
        columns = arrow.columns(pq.read_table(source(self.rows) / "snapshots" / f"month={month}"))
        key = use_case.contract.key
        ends = {column.name: (column.minimum or 0, column.maximum or 1) for column in use_case.contract.only(Role.AUDIT).columns}
        drawn = {name: rng.integers(int(low), int(high) + 1, self.rows) for name, (low, high) in ends.items()}
        return Cohort(month, columns, {key: columns[key], **drawn}, None, next(iter(use_case.as_coded)))


def taken_in(rows: int) -> Figures:
    home = FOLDER / "home"
    shutil.rmtree(home, ignore_errors=True)
    given = Generated(rows)
    parts = Platform(PipelineSettings(home=home, lake="", channel="", database_url=""), source=given)
    with measured() as told:
        found = ingest_month(parts.use_case, given, parts.intake, month=MONTH, as_of=MONTH.last_day, progress=lambda _: None)
    assert [part.rows for part in found.written] == [rows, rows]
    shutil.rmtree(home)
    return told
