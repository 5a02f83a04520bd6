import numpy as np
import pytest

from models.credit_default import USE_CASE
from monitoring.drift import shift
from monitoring.pages import Page, reconcile
from monitoring.recomputed import psi

LIMITS = USE_CASE.policy.monitoring
MOVED = shift("bill_0", {"edges": [1.0], "counts": [5_000, 5_000]}, np.array([1_000, 9_000]), LIMITS, columns=1)


def test_a_figure_that_follows_from_its_sample_and_says_the_same_has_no_note() -> None:
    (row,) = reconcile([MOVED], Page(b"", {"bill_0": 0.6}), {"bill_0": 0.6 + 1e-9})
    assert (row.note, row.exact_drifted, row.sampled_drifted) == ("", True, True)


def test_a_figure_that_does_not_follow_from_its_sample_is_not_to_be_relied_on() -> None:
    (row,) = reconcile([MOVED], Page(b"", {"bill_0": 0.6}), {"bill_0": 0.61})
    assert row.note == "The page's figure does not follow from its sample by its own rule: do not rely on it."


def test_bins_that_miss_what_frozen_ones_see_are_said() -> None:
    (row,) = reconcile([MOVED], Page(b"", {"bill_0": 0.01}), {"bill_0": 0.01})
    assert "uses the frozen bins over all rows" in row.note


@pytest.mark.parametrize(("exact", "sampled"), [("alarm", "warn"), ("alarm", "stable"), ("warn", "stable"), ("stable", "warn")])
def test_whatever_one_calls_otherwise_than_the_other_is_said(exact: str, sampled: str) -> None:
    psi_of = {"stable": MOVED.warn / 2, "warn": (MOVED.warn + MOVED.alarm) / 2, "alarm": MOVED.alarm}
    seen = MOVED.model_copy(update={"psi": psi_of[exact]})

    (row,) = reconcile([seen], Page(b"", {"bill_0": psi_of[sampled]}), {"bill_0": psi_of[sampled]})

    assert row.note.startswith(f"All rows: {exact}, the page: {sampled};")


def test_an_empty_bin_is_a_small_share_and_not_an_infinite_distance() -> None:
    # (.5 - .0001) ln(.5 / .0001) + (.5 - 1) ln(.5 / 1)
    assert psi(np.array([0, 1]), np.array([0, 0]), coded=True) == pytest.approx(0.4999 * np.log(5_000) + 0.5 * np.log(2))
