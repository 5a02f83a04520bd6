import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.credit_default import USE_CASE
from monitoring.drift import chi_squared_quantile, labels, null_limit, psi, shift

LIMITS = USE_CASE.policy.monitoring
counts = st.lists(st.integers(0, 10_000), min_size=4, max_size=4).filter(any).map(np.array)


@given(counts, counts)
def test_psi_is_never_negative_and_the_same_in_both_directions(one: np.ndarray, other: np.ndarray) -> None:
    assert psi(one, other) >= 0
    assert psi(one, other) == pytest.approx(psi(other, one))


def test_equal_shares_have_no_psi_whatever_the_sizes() -> None:
    assert psi(np.array([100_000, 300_000]), np.array([1_000, 3_000])) < 1e-6


def test_psi_agrees_with_a_published_formula_worked_by_hand() -> None:
    # (.4 - .5) ln(.4 / .5) + (.6 - .5) ln(.6 / .5), up to the smoothing
    assert psi(np.array([50_000, 50_000]), np.array([40_000, 60_000])) == pytest.approx(0.040547, abs=1e-5)


def test_a_code_that_appears_from_nothing_is_far_but_not_infinitely_far() -> None:
    assert 0.5 < psi(np.array([30_000, 0]), np.array([26_300, 3_700])) < 2


# Quantiles from the tables of Abramowitz and Stegun, 26.8.
@pytest.mark.parametrize(
    ("level", "degrees", "exact"), [(0.99, 9, 21.666), (0.999, 9, 27.877), (0.99, 2, 9.210), (0.999, 4, 18.467)]
)
def test_the_chi_squared_quantile_is_near_the_table(level: float, degrees: int, exact: float) -> None:
    assert chi_squared_quantile(level, degrees) == pytest.approx(exact, rel=0.02)


def test_chance_alone_passes_the_null_limit_as_rarely_as_promised() -> None:
    rng = np.random.default_rng(7)
    n, reference_n, bins, columns = 700, 6_000, 10, 8
    share = np.full(bins, 1 / bins)
    draws = [psi(rng.multinomial(reference_n, share), rng.multinomial(n, share)) for _ in range(20_000)]

    alarms = np.mean(np.array(draws) >= null_limit(bins, n, reference_n, columns))

    assert alarms < 2 * 0.01 / columns


def test_a_small_month_gets_the_limit_that_chance_needs() -> None:
    reference = {"edges": list(range(9)), "counts": [60] * 10}
    moved = shift("bill_0", reference, np.array([50] * 10), LIMITS, columns=9)

    assert moved.warn == pytest.approx(null_limit(10, 500, 600, 9))
    assert moved.warn > LIMITS.psi_warn
    assert moved.alarm == LIMITS.psi_alarm


@given(st.lists(st.integers(0, 100), min_size=3, max_size=3).map(np.array))
def test_below_the_minimum_there_is_no_answer(current: np.ndarray) -> None:
    reference = {"edges": [1.0, 2.0], "counts": [1_000, 10, 10]}
    assert shift("bill_0", reference, current, LIMITS, columns=1).state == "insufficient"


@pytest.mark.parametrize(("current", "state"), [([5_000, 5_000], "stable"), ([3_300, 6_700], "warn"), ([2_000, 8_000], "alarm")])
def test_the_state_follows_the_policys_limits(current: list[int], state: str) -> None:
    reference = {"edges": [1.0], "counts": [10_000, 10_000]}
    assert shift("bill_0", reference, np.array(current), LIMITS, columns=1).state == state


def test_codes_never_seen_are_counted_and_the_distance_is_the_share_that_moved() -> None:
    reference = {"codes": [0, 1], "counts": [9_000, 1_000, 0]}
    moved = shift("status_0", reference, np.array([8_000, 1_000, 1_000]), LIMITS, columns=1)

    assert (moved.unseen, moved.bins[-1]) == (1_000, "never seen")
    assert moved.distance == pytest.approx(0.1)


def test_every_bin_has_a_label() -> None:
    assert labels({"edges": [0.0, 1_000.0]}) == ["below 0", "0 to 1,000", "1,000 and more"]
    assert labels({"edges": []}) == ["all"]
    assert labels({"codes": [0, 2]}) == ["0", "2", "never seen"]
