"""The cut-offs are those at which the next action becomes the cheapest."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from models.credit_default.policy import COST, POLICY
from models.policy import Action, CutOffs, Policy

PROBABILITY = st.floats(0, 1)


@given(PROBABILITY)
def test_the_action_taken_is_the_cheapest_one(probability: float) -> None:
    costs = COST.expected(np.array([probability]))
    taken = Action(POLICY.cut_offs.actions(np.array([probability]))[0])

    assert costs[taken][0] <= min(cost[0] for cost in costs.values()) + 1e-6


@given(PROBABILITY, PROBABILITY)
def test_a_riskier_account_never_gets_a_milder_action(one: float, other: float) -> None:
    order = list(Action)
    milder, harder = (order.index(Action(a)) for a in POLICY.cut_offs.actions(np.array(sorted([one, other]))))

    assert milder <= harder


def test_an_account_on_the_cut_off_gets_the_severer_action() -> None:
    cut_offs = CutOffs(review=0.1, reduce=0.3)
    just_below = [np.nextafter(0.1, 0), np.nextafter(0.3, 0)]

    assert cut_offs.actions(np.array([0.1, 0.3])).tolist() == ["review", "reduce"]
    assert cut_offs.actions(np.array(just_below)).tolist() == ["keep", "review"]


@given(PROBABILITY)
def test_quantising_twice_is_quantising_once(probability: float) -> None:
    once = POLICY.quantise(np.array([probability]))

    assert POLICY.quantise(once).tolist() == once.tolist()
    assert abs(once[0] - probability) <= POLICY.quantum / 2 * (1 + 1e-6)


def test_cut_offs_in_the_wrong_order_are_refused() -> None:
    with pytest.raises(ValidationError, match="below the reduce cut-off"):
        CutOffs(review=0.4, reduce=0.3)


def test_a_policy_survives_the_bundle_and_takes_no_unknown_field() -> None:
    assert Policy.model_validate_json(POLICY.model_dump_json()) == POLICY
    with pytest.raises(ValidationError, match="leniency"):
        Policy.model_validate(POLICY.model_dump() | {"leniency": 1})
