import numpy as np
import pytest

from monitoring.outcomes.curves import calibration, vintage, wilson

ACCOUNTS = np.array(["A", "B", "C", "D"])


def month(**bad: bool) -> dict[str, np.ndarray]:
    return {"account": np.array(list(bad)), "bad": np.array(list(bad.values()))}


def test_every_band_has_its_rows_what_was_predicted_and_what_happened() -> None:
    score, bad = np.array([0.05, 0.1, 0.15, 0.5]), np.array([False, True, False, True])
    low, middle, high = calibration([0.1, 0.3], ["low", "middle", "high"], score, bad)
    assert (low.label, low.rows, low.actual) == ("low", 1, 0.0)
    assert (middle.rows, middle.predicted, middle.actual) == (2, pytest.approx(0.125), 0.5)
    assert high.low < high.actual <= high.high


def test_a_band_without_accounts_is_left_out() -> None:
    assert len(calibration([0.1, 0.3], ["low", "middle", "high"], np.array([0.9]), np.array([True]))) == 1


def test_the_interval_of_a_share_agrees_with_a_published_example() -> None:
    # Newcombe 1998, table I: 81 of 263 by Wilson's method is .2553 to .3662.
    assert wilson(81 / 263, 263) == (pytest.approx(0.2553, abs=1e-4), pytest.approx(0.3662, abs=1e-4))


def test_who_was_bad_once_counts_from_then_on() -> None:
    found = vintage("2005-07", ACCOUNTS, [month(A=True, B=False, C=False, D=False), month(A=False, B=True, C=False, D=False)])
    assert found
    assert (found.shares, found.followed) == ((0.25, 0.5), (4, 4))


def test_who_left_in_between_counts_until_then_only() -> None:
    found = vintage("2005-07", ACCOUNTS, [month(A=True, B=False, C=False, D=False), month(B=True, C=False, D=False)])
    assert found
    assert (found.shares, found.followed) == ((0.25, 1 / 3), (4, 3))


def test_a_curve_ends_with_what_is_known() -> None:
    assert vintage("2005-07", ACCOUNTS, []) is None
    assert vintage("2005-07", ACCOUNTS, [month(Z=True)]) is None
