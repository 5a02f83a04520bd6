"""Two versions on the same accounts: every account is counted once, and costs follow from the policy's matrix."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.credit_default.policy import POLICY
from models.policy import Action
from pipelines.swap_set.compare import EXAMPLES, Scored, cells, change, costs, direction, distinct, realised
from pipelines.swap_set.report import BY_CHALLENGER, BY_CHAMPION, MEAN

ACTIONS = [action.value for action in Action]
SOME = st.lists(st.tuples(st.sampled_from(ACTIONS), st.sampled_from(ACTIONS)), min_size=1, max_size=60)


def scored(actions: list[str], probability: float = 0.2) -> Scored:
    return Scored(np.full(len(actions), probability), np.array(actions))


def both(pairs: list[tuple[str, str]]) -> tuple[Scored, Scored]:
    return scored([was for was, _ in pairs]), scored([now for _, now in pairs])


@given(pairs=SOME)
def test_every_account_stands_in_one_cell(pairs: list[tuple[str, str]]) -> None:
    champion, challenger = both(pairs)
    found = cells(np.array([f"p{number:03d}" for number in range(len(pairs))]), champion, challenger)

    assert sum(cell.accounts for cell in found) == len(pairs)
    for action in Action:
        assert sum(cell.accounts for cell in found if cell.champion is action) == champion.counts()[action]
        assert sum(cell.accounts for cell in found if cell.challenger is action) == challenger.counts()[action]
    assert sum(cell.accounts for cell in found if cell.harsher) == np.sum(direction(champion, challenger) == 1)


def test_some_of_those_who_flip_are_named_and_nobody_else() -> None:
    champion, challenger = both([("keep", "review")] * 9 + [("keep", "keep")] * 9)
    found = cells(np.array([f"p{number:02d}" for number in range(18)][::-1]), champion, challenger)

    named = {(cell.champion, cell.challenger): cell.examples for cell in found if cell.examples}
    assert named == {(Action.KEEP, Action.REVIEW): tuple(f"p{number:02d}" for number in range(9, 9 + EXAMPLES))}


@given(pairs=SOME)
def test_a_version_compared_with_its_equal_costs_the_same(pairs: list[tuple[str, str]]) -> None:
    champion, _ = both(pairs)

    for cost in costs(POLICY.cost, champion, champion, 0.95):
        assert (cost.difference, cost.low, cost.high) == (0, 0, 0)
    assert not np.any(direction(champion, champion))


def test_the_cost_is_that_of_the_policys_matrix() -> None:
    champion, challenger = (
        Scored(np.array([0.1, 0.5]), np.array(["keep", "keep"])),
        Scored(np.array([0.3, 0.7]), np.array(["keep", "reduce"])),
    )
    expected = POLICY.cost.expected(np.array([0.6]))

    found = {cost.reading: cost for cost in costs(POLICY.cost, champion, challenger, 0.95)}

    assert found[MEAN].difference == pytest.approx((expected[Action.REDUCE][0] - expected[Action.KEEP][0]) / 2)
    assert found[BY_CHAMPION].champion < found[BY_CHALLENGER].champion
    assert found[MEAN].low < found[MEAN].difference < found[MEAN].high


def test_what_it_would_have_cost_in_the_end_is_by_the_outcomes() -> None:
    champion, challenger = both([("keep", "reduce"), ("keep", "reduce")])

    all_bad = realised(POLICY.cost, champion, challenger, np.array([True, True]), 0.95)
    all_good = realised(POLICY.cost, champion, challenger, np.array([False, False]), 0.95)

    assert all_bad.difference < 0 < all_good.difference


def test_the_change_of_the_score_has_its_sign() -> None:
    found = change(scored(["keep"] * 4, 0.3), scored(["keep"] * 4, 0.2))

    assert found.mean == pytest.approx(-0.1)
    assert found.mean_absolute == pytest.approx(0.1)


def test_the_inputs_that_tell_who_flips_come_first() -> None:
    flipped = np.array([True, True, False, False])
    inputs = {"same": np.array([1.0, 2.0, 1.0, 2.0]), "other": np.array([9.0, 8.0, 1.0, 2.0]), "constant": np.ones(4)}

    found = distinct(inputs, flipped)

    assert found[0].name == "other"
    assert distinct(inputs, np.zeros(4, bool)) == ()
