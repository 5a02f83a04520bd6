"""Arrow's columns as NumPy has them."""

import numpy as np
import pyarrow as pa
import pytest

from models.adapters import arrow


@pytest.mark.parametrize(
    "texts", [["A1", "\u00c4-22", "", "\U0001f600 longer"], [""], [], [f"A{number}" for number in range(140_000)]]
)
def test_texts_come_back_as_they_were_and_as_wide(texts: list[str]) -> None:
    half = len(texts) // 2
    stored = pa.table({"key": pa.chunked_array([texts[:half], texts[half:]], type=pa.string())})

    found = arrow.columns(stored)["key"]

    np.testing.assert_array_equal(found, np.array(texts, dtype=np.str_))
    assert found.dtype == np.array(texts, dtype=np.str_).dtype


def test_a_missing_text_is_spelled_as_numpy_spells_it() -> None:
    found = arrow.columns(pa.table({"key": ["A", None]}))["key"]

    assert found.tolist() == np.array(["A", None], dtype=np.str_).tolist()
