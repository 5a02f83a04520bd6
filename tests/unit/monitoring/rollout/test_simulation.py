"""Simulated roll-outs: seldom an alarm where nothing is different, and nearly always where something is."""

import numpy as np
import pytest

from models.guardrails import accounts_needed
from monitoring.rollout.simulation import FAILED, GROUPS, KINDS, Arms, Plan, World, first_alarms
from tests.benchmarks.rollouts import (
    BEGIN,
    END,
    EXAMPLE,
    LIMITS,
    NEVER_DIFFERENT,
    changing,
    false_alarms,
    found_after,
    replaced,
)


@pytest.mark.parametrize("arms", [NEVER_DIFFERENT, changing()], ids=["steady", "changing"])
def test_hundreds_of_roll_outs_without_a_difference_alarm_seldom(arms: object) -> None:
    found = false_alarms(arms, 0.2, Plan(rollouts=300, accounts=6_000, every=20, seed=1))  # type: ignore[arg-type]

    assert found.interval[0] <= LIMITS.false_alarms
    assert found.share <= LIMITS.false_alarms


def test_a_drop_is_found_within_the_accounts_that_are_said_to_be_needed() -> None:
    needed = accounts_needed(LIMITS.drop, EXAMPLE.keep, 0.5)

    found = found_after(LIMITS.drop, 0.5, Plan(rollouts=300, accounts=needed // 200 * 200, every=200, seed=2))

    assert np.isfinite(found).mean() >= 0.77  # of 300, where 80 % are promised


def test_a_larger_drop_is_found_sooner() -> None:
    plan = Plan(rollouts=60, accounts=10_000, every=50, seed=3)

    assert np.median(found_after(0.20, 0.5, plan)) < np.median(found_after(0.05, 0.5, plan))


def test_harm_to_one_group_alone_is_found() -> None:
    arms = Arms([(EXAMPLE, EXAMPLE.less_favourable_within(1, 0.20))])

    found = first_alarms(arms, LIMITS, 0.5, Plan(rollouts=60, accounts=15_000, every=100, seed=5))

    assert np.mean(found > 0) >= 0.8


def test_the_same_seed_gives_the_same_roll_outs() -> None:
    plan = Plan(rollouts=20, accounts=2_000, every=50, seed=4)

    np.testing.assert_array_equal(found_after(0.1, 0.5, plan), found_after(0.1, 0.5, plan))


def test_a_world_is_as_it_was_described() -> None:
    kinds = World(keep=0.6, reduce=0.1, failures=0.01).less_favourable(0.02).table()

    group, decided = np.divmod(kinds, KINDS)
    answered = decided[decided != FAILED] // 10
    assert np.mean(decided == FAILED) == 0.01
    np.testing.assert_allclose(np.bincount(group) / len(group), GROUPS, atol=1e-3)
    np.testing.assert_allclose([np.mean(answered == action) for action in range(3)], [0.58, 0.32, 0.1], atol=0.01)


def test_the_table_of_the_page_is_replaced_and_nothing_else() -> None:
    page = f"before\n{BEGIN}\nold\n{END}\nafter"

    assert replaced(page, "new") == f"before\n{BEGIN}\nnew\n{END}\nafter"


@pytest.mark.soak
def test_ten_thousand_roll_outs_without_a_difference_alarm_in_at_most_five_of_a_hundred() -> None:
    for seed, (arms, share) in enumerate(((NEVER_DIFFERENT, 0.2), (changing(), 0.5), (changing(), 0.05))):
        found = false_alarms(arms, share, Plan(rollouts=10_000, accounts=30_000, every=25, seed=seed))

        assert found.share <= LIMITS.false_alarms
