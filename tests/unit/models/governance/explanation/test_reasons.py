"""Reasons: exact values, the rule of the single reset, one to four of them, and when no notice is due."""

from itertools import permutations
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from models.calibration import sigmoid
from models.credit_default import USE_CASE
from models.governance.explanation.reasons import ADDITIVE, BATCH, MOST, Explainer, Reason, holds
from models.policy import Condition, NoNotice, ReasonGroup
from tests.samples import rows as accounts
from tests.toy import GOOD, Formula, contract, part, policy

Floats = NDArray[np.float64]


def explainer(formula: Any, *baseline: list[float], **adverse: Any) -> Explainer:
    count = len(baseline[0])
    return Explainer(contract(count), policy(count, **adverse), part(*baseline), Formula(formula))


def told(formula: Any, x: list[float], *baseline: list[float]) -> Any:
    return explainer(formula, *(baseline or ([0.0] * len(x),))).explain(np.array([x]))[0]


def test_two_groups_share_their_interaction_by_half() -> None:
    """Alone a gives 1 and b 2; together 3 more: 1 + 3/2 and 2 + 3/2, worked out by hand."""
    values = explainer(lambda x: GOOD + x[:, 0] + 2 * x[:, 1] + 3 * x[:, 0] * x[:, 1], [0.0, 0.0]).values(np.ones((1, 2)))
    np.testing.assert_allclose(values.shapley, [[2.5, 3.5]], atol=1e-12)


def test_three_groups_share_their_interaction_by_thirds() -> None:
    def formula(x: Floats) -> Floats:
        return GOOD + x[:, 0] + 2 * x[:, 1] + 4 * x[:, 2] + 6 * x.prod(axis=1) - 2 * x[:, 0] * x[:, 2]

    values = explainer(formula, [0.0, 0.0, 0.0]).values(np.ones((1, 3)))
    np.testing.assert_allclose(values.shapley, [[1 + 2 - 1, 2 + 2, 4 + 2 - 1]], atol=1e-12)


def test_the_months_of_a_group_count_as_one_reason() -> None:
    both = (
        ReasonGroup(code="S", name="status", inputs=("a", "b"), notice="Level of both states"),
        ReasonGroup(code="C", name="c", inputs=("c",), notice="Level of number c"),
    )
    made = explainer(lambda x: GOOD + x[:, 0] * x[:, 1] + x[:, 2], [0.0, 0.0, 0.0], groups=both)
    np.testing.assert_allclose(made.values(np.array([[2.0, 3.0, 1.0]])).shapley, [[6.0, 1.0]], atol=1e-12)


def test_values_against_several_accounts_are_the_mean_of_those_against_each() -> None:
    def formula(x: Floats) -> Floats:
        return GOOD + x[:, 0] + x[:, 1] * x[:, 0] + np.maximum(x[:, 2], x[:, 1])

    x, baseline = np.array([[2.0, 1.0, 3.0]]), ([0.0, 0.0, 0.0], [0.01, 0.0, -1.0], [-0.01, 0.005, 0.002])
    each = [explainer(formula, one).values(x).shapley for one in baseline]
    np.testing.assert_allclose(explainer(formula, *baseline).values(x).shapley, np.mean(each, axis=0), atol=1e-12)


@st.composite
def models(draw: st.DrawFn) -> tuple[Any, int]:
    """Any function of one to six numbers with all interactions, a little below the cut-off at zero."""
    count = draw(st.integers(1, 6))
    number = st.floats(-5, 5, allow_nan=False)
    linear, bent = draw(arrays(float, count, elements=number)), draw(arrays(float, (count, count), elements=number))
    return lambda x: GOOD + x @ linear + np.einsum("ni,ij,nj->n", x, bent, np.maximum(x, 0.0)), count


@given(models(), st.data())
def test_the_values_add_up_to_the_way_from_the_baseline(model: tuple[Any, int], data: st.DataObject) -> None:
    formula, count = model
    x = data.draw(arrays(float, (3, count), elements=st.floats(-9, 9)))
    made = explainer(formula, [0.0] * count)
    np.testing.assert_allclose(made.values(x).shapley.sum(axis=1), formula(x) - made.base, atol=ADDITIVE)


@given(models(), st.data())
def test_the_values_are_the_mean_gain_over_every_order_of_arrival(model: tuple[Any, int], data: st.DataObject) -> None:
    """Shapley's own definition, which shares no line with the code."""
    formula, count = model
    if count > 4:
        count = 4
        full = formula
        formula = lambda x: full(np.column_stack([x, np.zeros((len(x), model[1] - 4))]))  # noqa: E731
    x = data.draw(arrays(float, count, elements=st.floats(-9, 9)))
    gains = np.zeros(count)
    orders = list(permutations(range(count)))
    for order in orders:
        row = np.zeros(count)
        for arriving in order:
            before = formula(row[None])[0]
            row[arriving] = x[arriving]
            gains[arriving] += formula(row[None])[0] - before
    np.testing.assert_allclose(explainer(formula, [0.0] * count).values(x[None]).shapley[0], gains / len(orders), atol=1e-7)


@given(models(), st.data())
def test_a_reduced_account_is_told_one_to_four_positive_reasons_the_largest_first(
    model: tuple[Any, int], data: st.DataObject
) -> None:
    formula, count = model
    x = data.draw(arrays(float, count, elements=st.floats(-9, 9)))[None]
    if formula(x)[0] < 1e-6:
        return
    found = explainer(formula, [0.0] * count).explain(x)[0]
    contributions = [reason.contribution for reason in found.reasons]
    assert 1 <= len(found.reasons) <= MOST
    assert contributions == sorted(contributions, reverse=True)
    assert contributions[-1] > 0
    for reason in found.reasons:
        reset = x.copy()
        reset[0, "abcdef".index(reason.group)] = 0.0
        assert reason.confirmed == bool(sigmoid(formula(reset))[0] < sigmoid(formula(x))[0] - 1e-9)


def test_a_group_whose_reset_would_raise_the_probability_is_dropped_and_counted() -> None:
    """a: alone it gives 3; beside b it takes 1 away. Its value is positive, but without it the account stands worse."""

    def formula(x: Floats) -> Floats:
        a, b, c = x.T
        return GOOD + 3 * a + 2 * b - 4 * a * b + 5 * c

    found = told(formula, [1.0, 1.0, 1.0])
    assert [reason.group for reason in found.reasons] == ["c"]
    assert found.dropped == ("a",)


def test_a_reset_counts_over_all_accounts_compared_with_and_not_over_the_first() -> None:
    """Beside the account's b, the first account's a is milder than its own and the second's far worse."""

    def formula(x: Floats) -> Floats:
        alone, beside = np.interp(x[:, 0], [0, 1, 5], [0, 9, 0]), np.interp(x[:, 0], [0, 1, 5], [1.5, 2, 11])
        return GOOD + alone * (1 - x[:, 1]) + beside * x[:, 1]

    assert "a" not in told(formula, [1.0, 1.0], [0.0, 0.0]).dropped
    assert "a" in told(formula, [1.0, 1.0], [0.0, 0.0], [5.0, 0.0]).dropped


def test_if_no_reset_confirms_a_reason_the_largest_is_given_and_says_so() -> None:
    found = told(lambda x: GOOD + 3 * x[:, 0] + 2.5 * x[:, 1] - 4 * x[:, 0] * x[:, 1], [1.0, 1.0])
    assert found.reasons == (Reason("A", "a", "Level of number a", 1.0, confirmed=False),)
    assert found.dropped == ("a", "b")


def test_of_six_reasons_the_four_largest_are_told_in_their_order() -> None:
    found = told(lambda x: GOOD + x @ np.array([3.0, 6.0, 1.0, 5.0, 2.0, 4.0]), [1.0] * 6)
    assert [(reason.code, reason.contribution) for reason in found.reasons] == [("B", 6.0), ("D", 5.0), ("F", 4.0), ("A", 3.0)]
    assert found.dropped == ()


def test_what_lowers_the_probability_is_no_reason() -> None:
    assert [reason.group for reason in told(lambda x: GOOD + x[:, 0] - x[:, 1], [3.0, 1.0]).reasons] == ["a"]


def test_many_accounts_are_explained_in_bounded_batches_and_each_as_if_alone() -> None:
    formula = Formula(lambda x: GOOD + x @ np.arange(1.0, 7.0) + x[:, 0] * x[:, 5])
    made = Explainer(contract(6), policy(6), part([0.0] * 6, [0.001, 0.0, 0.0, 0.0, 0.0, 0.0]), formula)
    x = np.random.default_rng(1).uniform(0, 9, (300, 6))
    together = made.explain(x)
    assert formula.largest <= BATCH
    assert together == [made.explain(row[None])[0] for row in x]
    assert made.explain(x[:0]) == []


@pytest.mark.parametrize(
    ("status", "bill", "payment", "basis"),
    [
        (1, 5_000.0, 0.0, "delinquency"),
        (2, 5_000.0, 900.0, "delinquency"),
        (0, 5_000.0, 0.0, ""),
        (-1, 5_000.0, 5_000.0, ""),
        (-2, 0.0, 0.0, "inactivity"),
        (-2, 10.0, 0.0, ""),
        (-2, 0.0, 10.0, ""),
    ],
)
def test_no_notice_is_due_on_a_current_delinquency_or_on_inactivity(status: int, bill: float, payment: float, basis: str) -> None:
    """A delinquency of the month before does not count: 12 CFR part 1002, comment 2(c)(2)(ii)-2."""
    adverse, inputs = USE_CASE.policy.adverse, USE_CASE.contract.inputs
    assert adverse is not None
    row = [50_000, status, 2, bill, 1_000, payment, 0]
    [found] = [rule.basis for rule in adverse.no_notice if holds(rule, inputs, row)] or [""]
    assert found.endswith(basis if basis == "" else f"{basis} as to the account" if basis == "delinquency" else "of the account")
    assert basis in found


def test_the_rules_of_no_notice_mark_the_accounts_that_the_use_case_calls_behind_and_inactive() -> None:
    adverse, columns = USE_CASE.policy.adverse, accounts(2_000)
    assert adverse is not None
    inputs, matrix = USE_CASE.contract.inputs, USE_CASE.contract.matrix(columns)
    rules = {rule.name: [holds(rule, inputs, row) for row in matrix.tolist()] for rule in adverse.no_notice}
    np.testing.assert_array_equal(rules["delinquent"], USE_CASE.populations["already behind"](columns))
    np.testing.assert_array_equal(rules["inactive"], USE_CASE.populations["inactive"](columns))


def test_every_condition_of_a_rule_must_hold_and_the_first_rule_is_cited() -> None:
    rules = (
        NoNotice(name="both", basis="first", when=tuple(Condition(column=c, comparison=">=", value=1) for c in "ab")),
        NoNotice(name="one", basis="second", when=(Condition(column="b", comparison="==", value=2),)),
        NoNotice(name="low", basis="third", when=(Condition(column="a", comparison="<=", value=-1),)),
    )
    made = explainer(lambda x: GOOD + x[:, 0], [0.0, 0.0], no_notice=rules)
    x = np.array([[1.0, 2.0], [0.0, 2.0], [1.0, 0.0], [-1.0, 0.0]])
    assert made.no_notice(x) == ["first", "second", "", "third"]


def test_a_reason_is_stored_and_read_back() -> None:
    reason = Reason("A", "a", "Level of number a", 0.25, confirmed=False)
    assert Reason.from_dict(reason.to_dict()) == reason
