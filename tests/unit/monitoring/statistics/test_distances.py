"""Distances from frozen bins hold what they say of themselves: the exact figure lies between the two ends."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import ks_2samp, wasserstein_distance

from models.reference import counts, fine_edges
from monitoring.statistics.distances import Distance, distance, ks_limit


def measured(was: np.ndarray, now: np.ndarray) -> Distance:
    frozen = {"edges": fine_edges(was)}
    found = distance("x", {**frozen, "counts": counts(frozen, was)}, counts(frozen, now), unit="TWD", columns=1)
    assert found
    return found


samples = st.tuples(st.integers(0, 2**32 - 1), st.floats(-1, 1), st.floats(0.5, 2), st.booleans())


@given(samples)
def test_the_exact_gap_lies_between_the_two_ends(drawn: tuple[int, float, float, bool]) -> None:
    was, now = _two(drawn)
    found, exact = measured(was, now), ks_2samp(was, now).statistic
    assert found.ks <= exact + 1e-12
    assert exact <= found.ks_most + 1e-12


@given(samples)
def test_the_exact_way_lies_between_the_two_ends(drawn: tuple[int, float, float, bool]) -> None:
    was, now = _two(drawn)
    found, edges = measured(was, now), fine_edges(was)
    exact = wasserstein_distance(*(np.clip(values, edges[0], edges[-1]) for values in (was, now)))
    assert found.least - 1e-9 <= exact <= found.most + 1e-9
    assert found.least <= found.wasserstein <= found.most


def test_without_ties_a_gap_is_known_to_a_fiftieth_of_the_rows() -> None:
    rng = np.random.default_rng(0)
    found = measured(rng.normal(size=30_000), rng.normal(0.3, 1, size=30_000))
    assert 0 <= found.ks_most - found.ks <= 0.05


def test_a_value_that_many_rows_share_adds_no_doubt() -> None:
    rng = np.random.default_rng(0)
    was, now = (np.where(rng.random(30_000) < share, 0.0, rng.exponential(3_000, 30_000)) for share in (0.3, 0.5))
    found = measured(was, now)
    assert found.ks == pytest.approx(0.2, abs=0.02)
    assert found.ks_most - found.ks < 0.05


def test_everybody_moved_by_the_same_amount_is_moved_by_that_amount() -> None:
    rng = np.random.default_rng(0)
    was = rng.uniform(0, 100_000, 50_000)
    found = measured(was, was + 2_000)
    assert (found.wasserstein, found.unit) == (pytest.approx(2_000, rel=0.1), "TWD")


def test_a_thousand_times_smaller_is_as_far_as_it_gets() -> None:
    was = np.random.default_rng(0).lognormal(10, 0.3, 5_000)
    assert measured(was, was / 1_000).ks == pytest.approx(1, abs=0.021)


def test_chance_alone_passes_the_limit_as_rarely_as_promised() -> None:
    rng, columns = np.random.default_rng(7), 8
    draws = [measured(rng.random(4_000), rng.random(700)) for _ in range(2_000)]
    assert np.mean([draw.ks > ks_limit(700, 4_000, columns) for draw in draws]) <= 2 * 0.01 / columns


def test_of_nothing_there_is_no_distance() -> None:
    frozen = {"edges": [1.0, 2.0], "counts": [5, 5, 5]}
    assert distance("x", frozen, np.zeros(3, dtype=np.int64), unit="", columns=1) is None


def _two(drawn: tuple[int, float, float, bool]) -> tuple[np.ndarray, np.ndarray]:
    seed, shift, scale, tied = drawn
    rng = np.random.default_rng(seed)
    was, now = rng.normal(size=400), rng.normal(shift, scale, size=300)
    return (was.round(), now.round()) if tied else (was, now)
