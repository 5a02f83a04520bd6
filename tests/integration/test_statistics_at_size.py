"""A million decisions: exact, and in seconds."""

from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter

import numpy as np
import pytest

from models import reference
from models.adapters.parquet_lake import ParquetLake
from models.clock import Month
from models.credit_default import USE_CASE
from models.reference import bins, quantile_edges
from monitoring.adapters.duckdb_statistics import DuckdbStatistics
from tests import months

pytestmark = pytest.mark.soak

ROWS = 1_000_000


def test_a_million_decisions_are_counted_exactly_within_ten_seconds(tmp_path: Path) -> None:
    columns = months.accounts(Month(2005, 8), rows=ROWS)
    contract, scores = USE_CASE.contract, months.probabilities(columns)
    table = {name: columns[name] for name in contract.inputs} | {"probability": scores, "bundle": np.full(ROWS, "b" * 64)}
    frozen = {name: bins(contract[name], columns[name][:30_000]) for name in contract.inputs}
    frozen["probability"] = {"edges": quantile_edges(scores[:30_000])}
    lake = ParquetLake(tmp_path)
    sealed = lake.write("decisions", Month(2005, 8), table, recorded_at=datetime(2005, 9, 1, tzinfo=UTC))

    began = perf_counter()
    found = DuckdbStatistics(lake).counts(sealed, frozen, by="bundle")["b" * 64]
    seconds = perf_counter() - began

    assert seconds < 10  # .8 measured on two busy cores
    for name, binning in frozen.items():
        np.testing.assert_array_equal(found[name], reference.counts(binning, table[name]), err_msg=name)
