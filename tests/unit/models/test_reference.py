"""Frozen bins: every value falls into exactly one, unseen codes included."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from models.credit_default.contract import CONTRACT
from models.reference import BINS, bins, counts, quantile_edges

MONEY = st.floats(-5e6, 5e6, allow_nan=False)


@given(st.lists(MONEY, min_size=1, max_size=200), st.lists(MONEY, max_size=200))
def test_no_value_is_lost_and_none_is_counted_twice(reference: list[float], later: list[float]) -> None:
    binning = bins(CONTRACT["bill_0"], np.array(reference))

    assert counts(binning, np.array(later)).sum() == len(later)
    assert len(counts(binning, np.array(later))) == len(binning["edges"]) + 1 <= BINS


@given(st.lists(st.integers(-20, 20), max_size=100))
def test_each_code_has_its_bin_and_codes_never_seen_share_the_last(codes: list[int]) -> None:
    binning = bins(CONTRACT["status_0"], np.array([0]))
    known = sorted(CONTRACT["status_0"].codes)

    found = counts(binning, np.array(codes, dtype=np.int64)).tolist()

    assert found == [*(codes.count(code) for code in known), sum(code not in known for code in codes)]


def test_without_ties_the_bins_are_equally_full() -> None:
    values = np.random.default_rng(0).permutation(1_000).astype(float)

    assert counts({"edges": quantile_edges(values)}, values).tolist() == [100] * BINS


def test_a_bin_is_closed_on_its_left() -> None:
    assert counts({"edges": [1.0, 2.0]}, np.array([0.9, 1.0, 1.9, 2.0])).tolist() == [1, 2, 1]


def test_one_single_value_makes_one_edge() -> None:
    assert quantile_edges(np.zeros(50)) == [0.0]
