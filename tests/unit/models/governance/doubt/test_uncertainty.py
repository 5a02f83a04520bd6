"""Two probabilities for every score, and the review range that follows from them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from models.calibration import sigmoid
from models.errors import Integrity
from models.governance.doubt.uncertainty import Intervals, venn_abers
from tests.bundles import USE_CASE

POLICY = USE_CASE.policy
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


def accounts(count: int, seed: int = 0, slope: float = 1.0) -> tuple[Floats, Bools]:
    """Quantised scores and outcomes; with a slope of 1 the scores are the probabilities."""
    rng = np.random.default_rng(seed)
    odds = rng.normal(-2.0, 1.6, count)
    return POLICY.quantise(sigmoid(odds)), rng.random(count) < sigmoid(slope * odds)


def isotonic(scores: Floats, bad: Bools) -> dict[float, float]:
    """By the definition: pool what violates the order until nothing does."""
    blocks: list[tuple[list[float], float, int]] = []
    for score in np.unique(scores):
        at = scores == score
        blocks.append(([float(score)], float(bad[at].sum()), int(at.sum())))
        while len(blocks) > 1 and blocks[-2][1] / blocks[-2][2] >= blocks[-1][1] / blocks[-1][2]:
            names, bads, rows = blocks.pop()
            before = blocks.pop()
            blocks.append((before[0] + names, before[1] + bads, before[2] + rows))
    return {score: bads / rows for names, bads, rows in blocks for score in names}


def by_definition(scores: Floats, bad: Bools, score: float) -> tuple[float, float]:
    with_each = [isotonic(np.append(scores, score), np.append(bad, label)) for label in (False, True)]
    return with_each[0][score], with_each[1][score]


@given(st.integers(0, 10_000), st.integers(2, 30))
@settings(max_examples=25, deadline=None)
def test_the_steps_are_those_of_two_isotonic_regressions_at_and_between_the_calibration_scores(seed: int, values: int) -> None:
    rng = np.random.default_rng(seed)
    scores = rng.integers(1, values + 1, 300) / (values + 1)
    bad = rng.random(len(scores)) < np.clip(scores + rng.normal(0, 0.3), 0.3, 0.7)
    intervals = venn_abers(scores, bad)

    for score in [0.0, 0.5 / (values + 1), *np.unique(scores), 1.5 / (values + 1), 1.0]:
        p0, p1 = by_definition(scores, bad, float(score))
        lower, upper = intervals.at(float(score))
        assert p0 - 1.001e-4 <= lower <= p0 + 1e-9
        assert p1 - 1e-9 <= upper <= p1 + 1.001e-4


@given(st.integers(0, 1_000))
@settings(max_examples=20, deadline=None)
def test_both_ends_rise_with_the_score_and_never_cross(seed: int) -> None:
    intervals = venn_abers(*accounts(800, seed))
    p0, p1 = intervals.of(np.linspace(0, 1, 2_001))

    assert np.all(np.diff(p0) >= 0)
    assert np.all(np.diff(p1) >= 0)
    assert np.all(p0 < p1)


def test_one_score_is_looked_up_as_many_are() -> None:
    scores, bad = accounts(1_000)
    intervals = venn_abers(scores, bad)
    asked = np.array([0.0, *scores[:100], *(scores[:100] + 1e-9), 1.0])

    assert list(zip(*(ends.tolist() for ends in intervals.of(asked)), strict=True)) == [intervals.at(float(s)) for s in asked]


def test_the_end_that_the_outcome_chooses_is_calibrated_even_if_the_score_is_not() -> None:
    """Vovk & Petej 2014, theorem 1, in the mean over many draws. The score here is far too extreme."""
    chosen, happened = [], []
    for seed in range(60):
        scores, bad = accounts(800, seed, slope=0.4)
        p0, p1 = venn_abers(scores[:400], bad[:400]).of(scores[400:])
        chosen.append(np.where(bad[400:], p1, p0))
        happened.append(bad[400:])
    errors = [float(np.mean(p) - np.mean(y)) for p, y in zip(chosen, happened, strict=True)]

    assert abs(np.mean(errors)) < 3 * np.std(errors) / np.sqrt(len(errors)) + 1e-4
    high = np.concatenate(chosen) > 0.5
    assert np.mean(np.concatenate(happened)[high]) == pytest.approx(np.mean(np.concatenate(chosen)[high]), abs=0.02)


def test_more_accounts_make_narrower_intervals() -> None:
    at = np.linspace(0.05, 0.6, 200)
    few, many = (venn_abers(*accounts(count)).of(at) for count in (600, 20_000))

    assert np.mean(many[1] - many[0]) < np.mean(few[1] - few[0]) / 3


def test_a_decision_stands_only_if_score_and_both_ends_agree() -> None:
    scores, bad = accounts(6_000)
    intervals = venn_abers(scores, bad)
    asked = POLICY.quantise(np.concatenate([np.linspace(0, 1, 20_001)[1:-1], intervals.upper_to, intervals.lower_from]))
    said = [POLICY.cut_offs.actions(each) for each in (asked, *intervals.of(asked))]
    agreed = np.where((said[0] == said[1]) & (said[0] == said[2]), said[0], "review")

    assert intervals.band(POLICY).actions(asked).tolist() == agreed.tolist()


def test_the_review_range_only_grows() -> None:
    for seed in range(10):
        band = venn_abers(*accounts(1_000, seed, slope=1.3)).band(POLICY)
        assert band.review <= POLICY.cut_offs.review
        assert band.reduce >= POLICY.cut_offs.reduce


def test_where_nothing_is_sure_everybody_is_reviewed() -> None:
    rng = np.random.default_rng(0)
    scores, bad = POLICY.quantise(rng.random(2_000)), rng.random(2_000) < 0.2
    band = venn_abers(scores, bad).band(POLICY)

    assert set(band.actions(scores)) == {"review"}


def test_a_handful_of_accounts_says_next_to_nothing() -> None:
    scores, bad = accounts(6, seed=2)
    p0, p1 = venn_abers(scores, bad).of(np.linspace(0, 1, 11))

    assert np.all(p1 - p0 >= 0.2)


def test_steps_survive_the_bundle_and_are_refused_if_they_fall() -> None:
    intervals = venn_abers(*accounts(2_000))
    data = intervals.to_dict()

    assert Intervals.from_dict(data) == intervals
    falling = data | {"upper": data["upper"][::-1]}
    with pytest.raises(Integrity, match="do not rise"):
        Intervals.from_dict(falling)
    crossing = data | {"lower": [value + 0.3 for value in data["lower"]]}
    with pytest.raises(Integrity, match="do not rise"):
        Intervals.from_dict(crossing)


def test_what_is_told_spans_the_probability_and_says_who_decides() -> None:
    scores, bad = accounts(3_000)
    intervals, own = venn_abers(scores, bad), POLICY.cut_offs
    told = [intervals.around(score) for score in scores.tolist()]

    assert all(low <= score <= high for score, (low, high) in zip(scores.tolist(), told, strict=True))
    expected = ["keep" if high < own.review else "reduce" if low >= own.reduce else "review" for low, high in told]
    assert intervals.band(POLICY).actions(scores).tolist() == expected
    assert set(expected) == {"keep", "review", "reduce"}
