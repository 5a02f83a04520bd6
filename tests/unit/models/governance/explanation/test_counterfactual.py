"""Help: the smallest change of what a customer can change, in the allowed direction, proved by scoring it."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from models.errors import Integrity, Misconfigured
from models.governance.explanation.counterfactual import MOST_CHANGED, Change, Counsel, Counterfactual
from models.policy import Action, Mutable
from tests.bundles import USE_CASE, reasons
from tests.fakes.scorer import FakeScorer
from tests.toy import Formula, contract, part, policy

Floats = NDArray[np.float64]
DOWN_A, UP_B, DOWN_C = (
    Mutable(column="a", direction=-1, until=0),
    Mutable(column="b", direction=1, until=40),
    Mutable(column="c", direction=-1, until="d"),
)
KNOTS = np.arange(-10.0, 31.0).tolist()  # 41 quantiles: one account in forty between two whole numbers


def counsel(formula: Any, *mutable: Mutable) -> Counsel:
    scales = {each.column: KNOTS for each in mutable}
    return Counsel(contract(4), policy(4, mutable=mutable), part([0.0] * 4, scales=scales), Formula(formula))


def test_the_nearest_step_that_flips_the_decision_is_told() -> None:
    found = counsel(lambda x: x[:, 0] - 4.5, DOWN_A).better(np.array([10.0, 0, 0, 0]))
    assert found is not None
    assert found.changes == (Change("a", 10.0, 4.0),)
    assert found.action == Action.REVIEW
    assert found.way == pytest.approx(6 / 41)


def test_help_for_an_account_that_a_person_decides_leads_to_keep_and_no_less() -> None:
    """Review from log-odds -1.39 on, reduce from 0 on."""
    made = counsel(lambda x: x[:, 0] - 4.5, DOWN_A)
    found = made.better(np.array([4.0, 0, 0, 0]), than=Action.REVIEW)
    assert found is not None
    assert (found.changes, found.action) == ((Change("a", 4.0, 3.0),), Action.KEEP)
    assert counsel(lambda x: np.maximum(x[:, 0] - 4.5, -1.0), DOWN_A).better(np.array([4.0, 0, 0, 0]), than=Action.REVIEW) is None


def test_one_change_is_preferred_to_two_however_long_its_way() -> None:
    found = counsel(lambda x: x[:, 0] - x[:, 1] - 0.5, DOWN_A, UP_B).better(np.array([20.0, 0, 0, 0]))
    assert found is not None
    assert [change.column for change in found.changes] == ["a"]


def test_of_two_single_changes_the_shorter_way_is_told() -> None:
    found = counsel(lambda x: x[:, 0] - 4 * x[:, 1] - 0.5, DOWN_A, UP_B).better(np.array([20.0, 0, 0, 0]))
    assert found is not None
    assert found.changes == (Change("b", 0.0, 5.0),)


def test_two_changes_are_told_where_one_is_not_enough() -> None:
    """a can only give 20 and b 30 by the last quantile and 40 by its bound: 45 needs both."""
    found = counsel(lambda x: x[:, 0] - x[:, 1] + 24.5, DOWN_A, UP_B).better(np.array([20.0, 0, 0, 0]))
    assert found is not None
    assert [change.column for change in found.changes] == ["a", "b"]
    gained = sum(abs(change.after - change.before) for change in found.changes)
    assert gained >= 45


def test_a_change_is_drawn_back_again_when_another_one_made_room() -> None:
    """Good is b of two or more with an a no smaller. The grid finds (6, 6); only with b drawn back to 2 can a come back to 2."""
    both = tuple(Mutable(column=name, direction=1, until=40) for name in "ab")
    part_of_two = part([0.0] * 4, scales={"a": [0.0, 6.0, 40.0], "b": [0.0, 6.0, 40.0]})
    good = Formula(lambda x: np.where((x[:, 1] >= 2) & (x[:, 0] >= x[:, 1]), -0.5, 0.5))
    judged = Formula(lambda x: np.where((x == 0).all(axis=1), -0.02, good.log_odds(x)))  # who is compared with must be near
    found = Counsel(contract(4), policy(4, mutable=both), part_of_two, judged).better(np.array([0.0, 0.0, 1.0, 0.0]))
    assert found is not None
    assert found.changes == (Change("a", 0.0, 2.0), Change("b", 0.0, 2.0))


def test_the_bound_itself_is_a_step_also_where_no_account_ever_was() -> None:
    found = counsel(lambda x: 39.5 - x[:, 1], UP_B).better(np.array([0.0, 0, 0, 0]))
    assert found is not None
    assert found.changes == (Change("b", 0.0, 40.0),)


def test_no_change_leaves_the_range_of_the_contract() -> None:
    """The policy would allow 500, the contract ends at 100."""
    found = counsel(lambda x: 99.5 - x[:, 1], UP_B.model_copy(update={"until": 500.0})).better(np.array([0.0, 0, 0, 0]))
    assert found is not None
    assert found.changes == (Change("b", 0.0, 100.0),)


def test_the_bound_may_be_another_input_of_the_same_account() -> None:
    row = np.array([0.0, 0.0, 20.0, 15.0])
    made = counsel(lambda x: x[:, 2] - 14.5, DOWN_C)
    assert made.better(row) is None
    row[3] = 14.0
    found = made.better(row)
    assert found is not None
    assert found.changes == (Change("c", 20.0, 14.0),)


@pytest.mark.parametrize("row", [[-3.0, 0, 0, 0], [20.0, 40.0, 0, 0]])
def test_where_no_allowed_change_helps_there_is_none(row: list[float]) -> None:
    """a would have to fall below its bound, or b to rise above it, or c to change, which a customer cannot."""
    assert counsel(lambda x: 50 - x[:, 1] + x[:, 2], DOWN_A, UP_B).better(np.array(row)) is None


@st.composite
def cases(draw: st.DrawFn) -> tuple[Any, Floats]:
    number = st.floats(-3, 3)
    linear, bent = draw(arrays(float, 4, elements=number)), draw(arrays(float, (4, 4), elements=number))
    row = draw(arrays(float, 4, elements=st.integers(-10, 30).map(float)))
    return lambda x: x @ linear + np.einsum("ni,ij,nj->n", x, bent, x) / 20 + 1.0, row


@given(cases())
def test_help_moves_mutable_inputs_only_in_their_direction_and_within_bounds(case: tuple[Any, Floats]) -> None:
    formula, row = case
    made = counsel(formula, DOWN_A, UP_B, DOWN_C)
    found = made.better(row)
    if found is None:
        return
    after = row.copy()
    for change in found.changes:
        place = "abcd".index(change.column)
        assert change.before == row[place]
        after[place] = change.after
    assert after[3] == row[3]
    assert after[0] == row[0] or 0 <= after[0] < row[0]
    assert after[1] == row[1] or row[1] < after[1] <= 40
    assert after[2] == row[2] or row[3] <= after[2] < row[2]
    assert 1 <= len(found.changes) <= MOST_CHANGED
    judge = policy(4)
    probability = judge.quantise(Formula(formula).probabilities(np.stack([row, after])))
    severity = [list(Action).index(Action(action)) for action in judge.cut_offs.actions(probability)]
    assert severity[1] < severity[0]
    assert found.probability == probability[1]


@given(cases())
def test_if_a_single_step_of_the_grid_helps_only_one_input_is_changed(case: tuple[Any, Floats]) -> None:
    formula, row = case
    made, judge = counsel(formula, DOWN_A, UP_B), policy(4)
    ladders = {0: [v for v in KNOTS if 0 <= v < row[0]], 1: [v for v in [*KNOTS, 40.0] if row[1] < v <= 40]}
    tried = [(place, value) for place, values in ladders.items() for value in values]
    rows = np.repeat(row[None], len(tried) + 1, axis=0)
    for number, (place, value) in enumerate(tried):
        rows[number, place] = value
    actions = judge.cut_offs.actions(judge.quantise(Formula(formula).probabilities(rows)))
    severity = np.array([list(Action).index(Action(action)) for action in actions])
    found = made.better(row)
    if (severity[:-1] < severity[-1]).any():
        assert found is not None
        assert len(found.changes) == 1
    else:
        assert found is None or len(found.changes) == 2


def helps(formula: Any, row: Floats, after: Floats) -> bool:
    judge = policy(4)
    actions = judge.cut_offs.actions(judge.quantise(Formula(formula).probabilities(np.stack([row, after]))))
    severity = [list(Action).index(Action(action)) for action in actions]
    return severity[1] < severity[0]


def moved(row: Floats, found: Counterfactual, back: str = "", step: float = 1.0) -> Floats:
    """The account after the changes, or with one of them a step nearer to what it was."""
    after = row.copy()
    for change in found.changes:
        nearer = step * np.sign(change.before - change.after) if change.column == back else 0.0
        after["abcd".index(change.column)] = change.after + nearer
    return after


@pytest.mark.parametrize(
    ("step", "before", "needed", "after"),
    [
        (1.0, 20.0, 12.4, 12.0),
        (1.0, 19.5, 19.2, 19.0),
        (1.0, 20.0, 20.0 - 1e-7, 19.0),
        (0.25, 20.0, 12.4, 12.25),
        (0.01, 0.29, 0.205, 0.2),
        (5.0, 20.0, 12.4, 10.0),
        (7.0, 20.0, 0.5, 0.0),
    ],
)
def test_the_change_is_the_smallest_in_steps_of_the_contract_between_the_quantiles_too(
    step: float, before: float, needed: float, after: float
) -> None:
    """Quantiles lie ten apart; the bound counts although it is no whole step."""
    of = contract(4)
    of = replace(of, columns=tuple(replace(column, step=step) for column in of.columns))
    formula = lambda x: (x[:, 0] - needed) * 9 + 1e-9  # noqa: E731
    scales = {"a": [-10.0, 0.0, 10.0, 20.0, 30.0]}
    made = Counsel(of, policy(4, mutable=(DOWN_A,)), part([0.0] * 4, scales=scales), Formula(formula))
    row = np.array([before, 0, 0, 0])
    found = made.better(row)
    assert found is not None
    assert found.changes == (Change("a", before, after),)
    assert helps(formula, row, moved(row, found))
    assert not helps(formula, row, moved(row, found, "a", step)) or after + step > before


def test_the_smallest_change_is_found_in_a_range_of_millions() -> None:
    of = contract(4)
    of = replace(of, columns=tuple(replace(column, minimum=-1e7, maximum=1e7) for column in of.columns))
    formula = Formula(lambda x: 7_654_321.5 - x[:, 1])
    far = UP_B.model_copy(update={"until": 1e7})
    found = Counsel(of, policy(4, mutable=(far,)), part([0.0] * 4, scales={"b": KNOTS}), formula).better(np.zeros(4))
    assert found is not None
    assert found.changes == (Change("b", 0.0, 7_654_322.0),)
    assert formula.largest <= 4_096


def test_a_model_that_goes_to_and_fro_between_two_quantiles_is_seen_through() -> None:
    """Only 15 and what lies below 5 help; the grid of quantiles knows of neither 15 nor 4."""
    formula = lambda x: np.where((x[:, 0] == 15) | (x[:, 0] < 5), -1.0, 1.0)  # noqa: E731
    made = Counsel(contract(4), policy(4, mutable=(DOWN_A,)), part([0.0] * 4, scales={"a": [0.0, 10.0, 20.0]}), Formula(formula))
    found = made.better(np.array([20.0, 0, 0, 0]))
    assert found is not None
    assert found.changes == (Change("a", 20.0, 15.0),)


@given(cases())
def test_one_step_less_of_any_changed_input_and_the_decision_would_be_what_it_was(case: tuple[Any, Floats]) -> None:
    formula, row = case
    found = counsel(formula, DOWN_A, UP_B, DOWN_C).better(row)
    if found is None:
        return
    assert helps(formula, row, moved(row, found))
    for change in found.changes:
        nearer = moved(row, found, change.column)
        assert nearer["abcd".index(change.column)] == change.before or not helps(formula, row, nearer)


def test_codes_move_to_codes_and_the_account_that_catches_up_is_kept() -> None:
    scorer = FakeScorer(b"0.05")
    made = Counsel(USE_CASE.contract, USE_CASE.policy, reasons(USE_CASE.contract, scorer), scorer)
    found = made.better(np.array([50_000, 4, 0, 28_314, 49_291, 1_100, 1_200], dtype=np.float64))
    assert found is not None
    assert found.changes == (Change("status_0", 4.0, 2.0),)
    assert (found.action, found.probability) == (Action.REVIEW, 0.25)


def test_a_change_that_does_not_hold_when_scored_alone_is_not_told() -> None:
    """A graph that scores a batch otherwise than a row."""
    made = counsel(lambda x: x[:, 0] - 4.5 if len(x) == 1 else x[:, 0] - 8.5, DOWN_A)
    with pytest.raises(Integrity, match="was said to lead to review"):
        made.better(np.array([10.0, 0, 0, 0]))


def test_an_audit_column_can_never_be_the_help() -> None:
    with pytest.raises(Misconfigured, match="speak of sex"):
        counsel(lambda x: x[:, 0], Mutable(column="sex", direction=1, until=2))


def test_the_search_is_bounded_and_repeats_itself() -> None:
    formula = Formula(lambda x: x[:, 0] - x[:, 1] + x[:, 2] + 200)
    made = Counsel(
        contract(4),
        policy(4, mutable=(DOWN_A, UP_B, DOWN_C)),
        part([0.0] * 4, scales=dict.fromkeys("abc", KNOTS)),
        formula,
    )
    row = np.array([30.0, -10.0, 30.0, 0.0])
    assert made.better(row) is None
    assert formula.largest <= 4_096
    milder = counsel(lambda x: x[:, 0] * x[:, 2] / 50 - x[:, 1] + 8, DOWN_A, UP_B, DOWN_C)
    assert milder.better(row) == milder.better(row)
