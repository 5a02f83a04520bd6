"""One contract, read by everybody: every reader must agree on what is allowed."""

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from models.contract import Column, Contract, Record, Role, breaking_changes, column
from models.credit_default.contract import CONTRACT

REQUEST = CONTRACT.request_model()
EXAMPLE = {c.name: c.example for c in CONTRACT.only(Role.KEY, Role.TIME, Role.INPUT).columns}
INPUTS = [CONTRACT[name] for name in CONTRACT.inputs]


def with_column(changed: Column) -> Contract:
    return replace(CONTRACT, columns=tuple(changed if c.name == changed.name else c for c in CONTRACT.columns))


def without(name: str) -> Contract:
    return replace(CONTRACT, columns=tuple(c for c in CONTRACT.columns if c.name != name))


def allowed(column: Column) -> st.SearchStrategy[Any]:
    if column.codes:
        return st.sampled_from(sorted(column.codes))
    return st.floats(column.minimum, column.maximum, allow_nan=False)


def forbidden(column: Column) -> st.SearchStrategy[Any]:
    if column.codes:
        return st.integers().filter(lambda code: code not in column.codes)
    outside = st.floats(max_value=column.minimum, exclude_max=True) | st.floats(min_value=column.maximum, exclude_min=True)
    return outside | st.just(float("nan"))


records = st.fixed_dictionaries({c.name: allowed(c) for c in INPUTS}).map(lambda inputs: EXAMPLE | inputs)
broken_fields = st.sampled_from(INPUTS).flatmap(lambda c: st.tuples(st.just(c.name), forbidden(c)))


@given(records)
def test_every_allowed_record_is_accepted_as_it_is(record: dict[str, Any]) -> None:
    assert REQUEST.model_validate(record).model_dump() == record


@given(records, broken_fields)
def test_every_value_outside_its_rule_is_refused_and_its_field_named(record: dict[str, Any], fault: tuple[str, Any]) -> None:
    name, value = fault

    with pytest.raises(ValidationError) as refused:
        REQUEST.model_validate(record | {name: value})
    assert {error["loc"][0] for error in refused.value.errors()} == {name}


@pytest.mark.parametrize("name", CONTRACT.named(Role.AUDIT, Role.OUTCOME))
def test_a_request_with_an_audit_or_outcome_column_is_refused(name: str) -> None:
    with pytest.raises(ValidationError, match="Extra inputs are not permitted"):
        REQUEST.model_validate(EXAMPLE | {name: CONTRACT[name].example})


@pytest.mark.parametrize("name", EXAMPLE)
def test_every_request_column_is_required(name: str) -> None:
    with pytest.raises(ValidationError, match=name):
        REQUEST.model_validate({key: value for key, value in EXAMPLE.items() if key != name})


@pytest.mark.parametrize(("name", "value"), [("status_0", "0"), ("status_0", 0.5), ("bill_0", "12"), ("account_id", 17)])
def test_nothing_is_converted_from_another_type(name: str, value: object) -> None:
    with pytest.raises(ValidationError, match=name):
        REQUEST.model_validate(EXAMPLE | {name: value})


@pytest.mark.parametrize(
    ("name", "value"), [("account_id", ""), ("account_id", "A 1"), ("account_id", "A1\n"), ("snapshot_month", "2005-13")]
)
def test_texts_follow_their_pattern_to_the_end(name: str, value: str) -> None:
    with pytest.raises(ValidationError, match=name):
        REQUEST.model_validate(EXAMPLE | {name: value})


def test_every_columns_example_obeys_its_own_rule() -> None:
    REQUEST.model_validate(EXAMPLE)


def test_the_matrix_has_the_inputs_in_order_and_nothing_else() -> None:
    columns = {name: np.array([number, number + 0.5]) for number, name in enumerate(CONTRACT.inputs)}
    audit = {name: np.array([99, 99]) for name in CONTRACT.named(Role.AUDIT)}

    matrix = CONTRACT.matrix({**audit, **columns})

    assert matrix.tolist() == [[*range(7)], [number + 0.5 for number in range(7)]]
    assert matrix.dtype == np.float64


def test_a_contract_travels_as_plain_data() -> None:
    assert Contract.from_dict(json.loads(json.dumps(CONTRACT.to_dict()))) == CONTRACT


def test_the_documentation_has_a_line_for_every_column_with_its_rule() -> None:
    lines = CONTRACT.markdown().splitlines()[2:]

    assert len(lines) == len(CONTRACT.columns)
    for line, described in zip(lines, CONTRACT.columns, strict=True):
        assert all(part in line for part in (described.name, described.role, described.meaning, described.rule()))


def test_an_unbounded_column_cannot_be_declared() -> None:
    with pytest.raises(TypeError, match="unbounded"):
        column(Role.INPUT, "anything at all", example=1.0, ge=0)


def test_a_plain_field_is_not_a_column() -> None:
    class Careless(Record):
        amount: float

    with pytest.raises(TypeError, match="amount is not declared"):
        Contract.of(Careless, name="careless", version=1)


WIDER = replace(CONTRACT["bill_0"], maximum=9e9)
NARROWER = replace(CONTRACT["bill_0"], maximum=1.0)
MORE_CODES = replace(CONTRACT["status_0"], codes={**CONTRACT["status_0"].codes, 10: "ten"}, maximum=10)
FEWER_CODES = replace(CONTRACT["status_0"], codes={0: "fine"}, minimum=0, maximum=0)


@pytest.mark.parametrize("new", [CONTRACT, with_column(WIDER), with_column(MORE_CODES), without("sex"), without("outcome_code")])
def test_a_compatible_change_breaks_nobody(new: Contract) -> None:
    assert breaking_changes(CONTRACT, new) == []


@pytest.mark.parametrize(
    ("new", "why"),
    [
        (without("bill_0"), "bill_0 was removed"),
        (with_column(NARROWER), "bill_0: the range became narrower"),
        (with_column(FEWER_CODES), "status_0: codes [-2, -1, 1, 2, 3, 4, 5, 6, 7, 8, 9] were withdrawn"),
        (with_column(replace(CONTRACT["status_0"], kind="number")), "status_0: kind changed from integer to number"),
        (with_column(replace(CONTRACT["bill_0"], role=Role.AUDIT)), "bill_0 was removed"),
        (
            with_column(replace(CONTRACT["account_id"], pattern="^A")),
            "account_id: pattern changed from ^[A-Za-z0-9_-]{1,64}$ to ^A",
        ),
    ],
)
def test_a_breaking_change_says_what_breaks(new: Contract, why: str) -> None:
    assert [change for change in breaking_changes(CONTRACT, new) if change.startswith(why)]


def test_a_new_required_column_breaks_old_callers() -> None:
    assert breaking_changes(without("bill_0"), CONTRACT) == ["bill_0 is new and required"]


@given(st.floats(-9, 9), st.floats(-9, 9))
def test_a_range_change_is_compatible_exactly_if_every_old_value_is_still_allowed(a: float, b: float) -> None:
    bounded = replace(CONTRACT["bill_0"], minimum=-5.0, maximum=5.0)
    changed = replace(bounded, minimum=min(a, b), maximum=max(a, b))

    compatible = not breaking_changes(with_column(bounded), with_column(changed))

    assert compatible == (min(a, b) <= -5.0 and max(a, b) >= 5.0)
