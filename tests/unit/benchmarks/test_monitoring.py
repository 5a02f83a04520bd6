from pathlib import Path

import numpy as np
import pytest

from models.adapters.parquet_lake import ParquetLake
from tests.benchmarks import monitoring
from tests.benchmarks.monitoring import drawn, exponent, measured, page, written

LINEAR = [
    {"rows": 10.0**n, "cpu": 10.0 ** (n - 6), "seconds": 1, "count": 1, "before": 0.1, "peak": 0.5, "load": 1} for n in (5, 6, 7)
]


def test_what_is_measured_lies_sealed_in_the_lake_and_is_counted_whole(tmp_path: Path) -> None:
    partition = written(3_000, tmp_path)
    lake = ParquetLake(tmp_path / "3000")
    np.testing.assert_array_equal(
        lake.read([partition], ["amount_7"])["amount_7"], drawn(np.random.default_rng([3, 0]), 3_000)["amount_7"]
    )
    assert written(3_000, tmp_path) == partition
    assert measured(3_000, tmp_path)["rows"] == 3_000


def test_a_cost_that_grows_with_the_rows_has_the_exponent_one() -> None:
    assert exponent(LINEAR, "cpu") == pytest.approx(1)
    assert "from 1,000,000 to 10,000,000 rows" in page(LINEAR).lower()


def test_the_page_has_a_place_for_the_table() -> None:
    text = monitoring.PAGE.read_text()
    assert text.index(monitoring.BEGIN) < text.index(monitoring.END)
