"""Frozen bins: every value falls into exactly one, unseen codes included. Segments are of inputs only."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.credit_default import USE_CASE
from models.credit_default.contract import CONTRACT
from models.credit_default.policy import POLICY
from models.errors import Misconfigured
from models.policy import Condition, Segment
from models.reference import BINS, STEPS, bins, counts, fine_edges, members, quantile_edges

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


def test_a_segment_holds_who_meets_its_conditions_and_not_all_of_the_exceptions() -> None:
    columns = {"status_0": np.array([-2, -2, 0, 1]), "bill_0": np.array([0.0, 5.0, 0.0, 0.0]), "payment_0": np.zeros(4)}
    inside = {name: members(CONTRACT, segment, columns).tolist() for name, segment in POLICY.monitoring.segments.items()}
    assert inside == {
        "current": [False, True, True, False],
        "already behind": [False, False, False, True],
        "inactive": [True, False, False, False],
    }


def test_the_policys_segments_are_the_use_cases_populations() -> None:
    rng = np.random.default_rng(0)
    columns = {name: rng.integers(-2, 3, 500).astype(float) for name in CONTRACT.inputs}
    assert list(POLICY.monitoring.segments) == list(USE_CASE.populations)
    for name, member in USE_CASE.populations.items():
        np.testing.assert_array_equal(members(CONTRACT, POLICY.monitoring.segments[name], columns), member(columns))


@pytest.mark.parametrize("column", ["sex", "age", "marriage", "education", "nonsense"])
def test_no_segment_is_made_of_an_audit_column(column: str) -> None:
    segment = Segment(when=(Condition(column=column, comparison="==", value=1),))
    with pytest.raises(Misconfigured, match=column):
        members(CONTRACT, segment, {column: np.array([1])})


def test_fine_bins_are_narrow_and_a_shared_value_has_one_of_its_own() -> None:
    values = np.concatenate([np.zeros(5_000), np.random.default_rng(0).exponential(3_000.0, 5_000)])
    edges = fine_edges(values)
    found = counts({"edges": edges}, values)
    assert edges[:2] == [0.0, np.nextafter(0.0, 1)]
    assert found[1] == 5_000
    assert np.delete(found, 1).max() <= len(values) / STEPS + 1
