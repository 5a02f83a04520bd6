"""Whatever is counted once on all edges together gives each binning what counting it alone would give."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.credit_default import USE_CASE
from models.reference import counts
from monitoring.statistics.plan import allowed, folded

edges = st.lists(st.floats(-1e6, 1e6, allow_nan=False), min_size=1, max_size=8, unique=True).map(sorted)
values = st.lists(st.floats(-2e6, 2e6) | st.just(float("nan")) | st.just(float("inf")), max_size=60).map(np.array)


@given(edges, edges, values)
def test_edges_that_are_counted_together_are_told_apart_again(one: list[float], other: list[float], rows: np.ndarray) -> None:
    rows = np.concatenate([rows, one, other])  # exactly on an edge
    union = {"edges": sorted({*one, *other})}
    counted = counts(union, rows)
    for wanted in ({"edges": one}, {"edges": other}, {"edges": []}):
        np.testing.assert_array_equal(folded(union, counted, wanted), counts(wanted, rows))


@given(st.lists(st.integers(-3, 9), max_size=60).map(lambda rows: np.array(rows, dtype=np.int64)))
def test_a_code_that_only_another_reference_knows_was_never_seen_here(rows: np.ndarray) -> None:
    union, own = {"codes": [-2, 0, 1, 7]}, {"codes": [0, 1]}
    np.testing.assert_array_equal(folded(union, counts(union, rows), own), counts(own, rows))


@pytest.mark.parametrize(
    ("value", "place"), [(-0.01, 0), (0.0, 1), (5_000_000.0, 1), (5_000_000.001, 2), (float("nan"), 3), (float("inf"), 3)]
)
def test_both_ends_of_what_a_contract_allows_are_allowed(value: float, place: int) -> None:
    found = counts({"edges": allowed(USE_CASE.contract)["payment_0"].edges}, np.array([value]))
    assert found.tolist() == [int(at == place) for at in range(4)]
