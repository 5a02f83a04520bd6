"""The formulas of fairness against numbers worked out by hand, published ones, and SciPy."""

from math import exp, isnan, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from models.governance.fairness import statistics

counts = st.integers(1, 150).flatmap(lambda rows: st.tuples(st.integers(0, rows), st.just(rows)))


def test_an_impact_ratio_and_its_log_interval_worked_out_by_hand() -> None:
    """60 of 100 against 80 of 100: .75; error^2 = 1/60 - 1/100 + 1/80 - 1/100 = .0091667, error .095743, reach .187652."""
    found = statistics.rate_ratio(60, 100, 80, 100, 0.95)
    assert found.value == pytest.approx(0.75)
    assert (found.low, found.high) == (
        pytest.approx(0.75 * exp(-0.187652), abs=1e-6),
        pytest.approx(0.75 * exp(0.187652), abs=1e-6),
    )
    assert (round(found.low, 4), round(found.high, 4)) == (0.6217, 0.9048)


def test_nobody_favoured_is_a_ratio_of_zero_with_an_upper_end() -> None:
    """Half a hit each: ratio (.5/20.5)/(10.5/20.5) = .047619; error^2 = 1/.5 - 1/20.5 + 1/10.5 - 1/20.5 = 1.997677."""
    found = statistics.rate_ratio(0, 20, 10, 20, 0.95)
    assert (found.value, found.low) == (0, 0)
    assert found.high == pytest.approx(0.047619 * exp(1.959964 * sqrt(1.997677)), rel=1e-5)


def test_a_ratio_to_nothing_is_undefined() -> None:
    assert isnan(statistics.rate_ratio(5, 10, 0, 10, 0.95).value)
    assert isnan(statistics.rate_ratio(0, 0, 5, 10, 0.95).value)


def test_fisher_s_lady_tasting_tea() -> None:
    """3 of 4 against 1 of 4: tables with 0, 1, 3 and 4 hits are no likelier: (1 + 16 + 16 + 1) of 70."""
    assert statistics.fisher_exact(3, 4, 1, 4) == pytest.approx(34 / 70)


@given(counts, counts)
def test_fisher_s_p_value_is_scipy_s(ours: tuple[int, int], theirs: tuple[int, int]) -> None:
    table = [[ours[0], ours[1] - ours[0]], [theirs[0], theirs[1] - theirs[0]]]
    assert statistics.fisher_exact(*ours, *theirs) == pytest.approx(stats.fisher_exact(table).pvalue, rel=1e-6)


def test_fisher_s_p_value_of_a_whole_portfolio_is_scipy_s() -> None:
    found = statistics.fisher_exact(8_061, 11_888, 12_350, 18_112)
    assert found == pytest.approx(stats.fisher_exact([[8_061, 3_827], [12_350, 5_762]]).pvalue, rel=1e-6)


def test_wilson_s_interval_as_published() -> None:
    """Newcombe 1998, table I: 81 of 263, without continuity correction."""
    found = statistics.rate(81, 263, 0.95)
    assert (round(found.low, 4), round(found.high, 4)) == (0.2553, 0.3662)


def test_newcombe_s_interval_as_published() -> None:
    """Newcombe 1998, table II, method 10: 56 of 70 against 48 of 80."""
    found = statistics.rate_gap(56, 70, 48, 80, 0.95)
    assert (round(found.value, 4), round(found.low, 4), round(found.high, 4)) == (0.2, 0.0524, 0.3339)


def test_a_standardised_difference_worked_out_by_hand() -> None:
    """Means 2 and 4, both variances 1: d = -2; error^2 = 6/9 + 4/12 = 1."""
    found = statistics.standardised_difference(np.array([1.0, 2.0, 3.0]), np.array([3.0, 4.0, 5.0]), 0.95)
    assert (found.value, found.low, found.high) == pytest.approx((-2, -3.959964, -0.040036), abs=1e-6)


@pytest.mark.parametrize("values", [np.array([1.0]), np.array([2.0, 2.0])])
def test_a_difference_without_spread_is_undefined(values: np.ndarray) -> None:
    assert isnan(statistics.standardised_difference(values, values, 0.95).value)


def test_calibration_is_predicted_over_observed() -> None:
    """.12 predicted, 10 of 100 bad: 1.2; Wilson's ends of .1 are .05523 and .17437."""
    found = statistics.calibration_ratio(np.full(100, 0.12), np.arange(100) < 10, 0.95)
    assert (found.value, found.low, found.high) == pytest.approx((1.2, 0.12 / 0.17437, 0.12 / 0.05523), abs=1e-3)


def test_calibration_without_a_bad_account_is_undefined() -> None:
    assert isnan(statistics.calibration_ratio(np.full(9, 0.1), np.zeros(9, dtype=np.bool_), 0.95).value)


def test_chance_strays_less_the_more_accounts_there_are() -> None:
    """10 against 10: 1.96 sqrt(21 / 1200)."""
    assert statistics.chance_reach(10, 10, 0.95) == pytest.approx(1.959964 * sqrt(21 / 1200))
    assert statistics.chance_reach(1_000, 1_000, 0.95) < 0.03


@given(counts, counts)
def test_every_interval_holds_its_own_value(ours: tuple[int, int], theirs: tuple[int, int]) -> None:
    gap = statistics.rate_gap(*ours, *theirs, 0.95)
    assert -1 <= gap.low <= gap.value + 1e-12
    assert gap.value - 1e-12 <= gap.high <= 1
    ratio = statistics.rate_ratio(*ours, *theirs, 0.95)
    assert isnan(ratio.value) or ratio.low <= ratio.value <= ratio.high
