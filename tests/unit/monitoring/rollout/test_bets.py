"""Bets on the arm are fair as long as the arms are alike, and win when they are not."""

from math import exp

import numpy as np
from hypothesis import assume, given
from hypothesis import strategies as st

from models.guardrails import Guardrails
from monitoring.rollout.bets import CANARY, CONTROL, UNSEEN, Bets, on_drop, on_more, on_other
from monitoring.rollout.family import family

SHARES = st.floats(0.01, 0.99)
RATES = st.floats(0.05, 0.95)
COUNTS = st.lists(st.integers(0, 500), min_size=4, max_size=4)
LIMITS = Guardrails(favourable_rate=0.6, score_edges=(0.05, 0.1, 0.2, 0.4))


def expected(bets: Bets, at: int, theta: float) -> np.ndarray:
    """By bet: what multiplies its capital on an account of a class whose arm is the canary with this probability."""
    factors = np.exp(bets.factors[:, at])
    return (1 - theta) * factors[:, CONTROL] + theta * factors[:, CANARY]


@given(share=SHARES, rate=RATES, tolerance=st.floats(1, 2))
def test_on_every_class_every_bet_is_fair_when_the_arms_are_alike(share: float, rate: float, tolerance: float) -> None:
    limits = Guardrails(favourable_rate=rate, tolerance=1.0, score_edges=(0.1, 0.3))
    for test in family(limits, share):
        for at in range(test.bets.classes):
            np.testing.assert_allclose(expected(test.bets, at, share), 1, rtol=1e-9)


@given(share=SHARES, tolerance=st.floats(1, 3), inside=st.floats(-1, 1))
def test_no_bet_wins_on_a_difference_within_the_tolerance(share: float, tolerance: float, inside: float) -> None:
    ratio = tolerance**inside
    theta = share * ratio / (share * ratio + 1 - share)
    bets = on_other(3, share, [1.2 * tolerance, 4 * tolerance], tolerance)

    for at in range(3):
        assert (expected(bets, at, theta) <= 1 + 1e-9).all()


@given(share=SHARES, ratio=st.floats(1.3, 20))
def test_a_bet_wins_when_it_is_right(share: float, ratio: float) -> None:
    theta = share * ratio / (share * ratio + 1 - share)
    bets = on_more(1, [0], share, [ratio])

    growth = theta * bets.factors[0, 0, CANARY] + (1 - theta) * bets.factors[0, 0, CONTROL]
    assert growth > 0


@given(share=SHARES, counts=COUNTS, seed=st.integers(0, 99))
def test_the_order_of_the_accounts_does_not_matter_for_where_it_ends(share: float, counts: list[int], seed: int) -> None:
    assume(sum(counts))
    bets = on_drop(0.02, 0.6, share, {1.0: 3.0, 4.0: 1.0})
    classes, arms = (np.repeat(values, counts) for values in ([0, 0, 1, 1], [0, 1, 0, 1]))
    order = np.random.default_rng(seed).permutation(len(classes))

    ends = bets.path(classes[order], arms[order])[-1]

    np.testing.assert_allclose(ends, bets.evidence(np.array(counts).reshape(2, 2)), atol=1e-8)


@given(counts=COUNTS, share=SHARES)
def test_more_favoured_in_the_canary_never_speaks_for_a_drop(counts: list[int], share: float) -> None:
    bets = on_drop(0.02, 0.6, share, {1.0: 1.0, 2.0: 1.0})
    before = np.array(counts).reshape(2, 2)
    favoured, refused = before.copy(), before.copy()
    favoured[0, CANARY] += 1
    refused[1, CANARY] += 1

    assert bets.evidence(favoured) <= bets.evidence(before) + 1e-9
    assert bets.evidence(refused) >= bets.evidence(before) - 1e-9


@given(counts=st.lists(st.integers(0, 2000), min_size=3, max_size=3), control=st.integers(1, 9))
def test_arms_in_exact_proportion_are_no_evidence(counts: list[int], control: int) -> None:
    """One in the canary for so many in the control, in every class alike: nobody wins by telling them apart."""
    share = 1 / (1 + control)
    exact = np.array([[count * control, count] for count in counts])

    assert on_other(3, share, [1.5, 3], 1.25).evidence(exact) <= 1e-9
    assert on_more(3, [1], share, [1.5, 3]).evidence(exact) <= 1e-9
    assert on_drop(0.02, 0.6, share, {1.0: 1.0}).evidence(exact[:2]) <= 1e-9


def test_what_a_test_does_not_look_at_changes_nothing() -> None:
    bets = on_other(2, 0.3, [2.0])
    classes, arms = np.array([0, UNSEEN, 1]), np.array([CANARY, CANARY, CONTROL])

    path = bets.path(classes, arms)

    assert path[1] == path[0] != path[2]


def test_long_paths_are_worked_through_in_parts() -> None:
    generator = np.random.default_rng(3)
    classes, arms = generator.integers(0, 2, 150_000), generator.integers(0, 2, 150_000)
    bets = on_drop(0.02, 0.5, 0.5, {1.0: 1.0, 2.0: 1.0})
    counts = np.bincount(classes * 2 + arms, minlength=4).reshape(2, 2)

    assert abs(bets.path(classes, arms)[-1] - bets.evidence(counts)) < 1e-6


@given(share=st.floats(0.05, 0.95))
def test_the_weights_of_the_family_are_one_capital(share: float) -> None:
    tests = family(LIMITS, share)

    assert abs(sum(test.weight for test in tests) - 1) < 1e-12
    assert abs(sum(1 / test.limit for test in tests) - LIMITS.false_alarms) < 1e-12
    assert all(abs(exp(float(test.bets.evidence(np.zeros((test.bets.classes, 2), int)))) - 1) < 1e-12 for test in tests)
