"""What a batch refuses is what a request with that record is refused for, and nothing else."""

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.credit_default import USE_CASE
from models.errors import InputRefused
from pipelines.scoring.parts import Batch
from pipelines.scoring.screening import Screen
from serving.answers.checking import Checker
from tests.bundles import record

CONTRACT = USE_CASE.contract
SCREEN, CHECKER = Screen(CONTRACT), Checker(CONTRACT, 1_000)
NAMES = list(CONTRACT.request_model().model_fields)

TEXTS = st.one_of(
    st.from_regex(r"[A-Za-z0-9_-]{1,64}", fullmatch=True),
    st.sampled_from(["", "A1\n", "\nA1", "A 1", "Ä1", "A" * 65, "2005-07", "2005-07\n", "2004-12", "2005-13", "٢٠٠٥-07"]),
    st.text(max_size=5),
)
NUMBERS = st.one_of(
    st.sampled_from([0.0, -0.0, 0.5, 1.0, np.nextafter(1.0, 0), 5e6, np.nextafter(5e6, 9e9), -5e6, 1e7, 1e308]),
    st.floats(allow_nan=False, allow_infinity=False),
)
INTEGERS = st.one_of(st.integers(-3, 10), st.integers(-(2**63), 2**63 - 1))
VALUES = {name: {"text": TEXTS, "number": NUMBERS, "integer": INTEGERS}[CONTRACT[name].kind] for name in NAMES}


def batch(records: list[dict[str, Any]]) -> Batch:
    kinds = {"text": object, "number": np.float64, "integer": np.int64}
    columns = {name: np.array([each[name] for each in records], dtype=kinds[CONTRACT[name].kind]) for name in NAMES}
    return Batch(columns, {}, np.arange(len(records)))


def refusal(sent: dict[str, Any]) -> str:
    """Of the service; "" if it takes the record."""
    try:
        CHECKER.records(json.dumps(sent).encode())
    except InputRefused as refused:
        return refused.details[0].field
    return ""


@given(
    st.lists(
        st.fixed_dictionaries({name: st.one_of(st.just(record()[name]), values) for name, values in VALUES.items()}),
        min_size=1,
        max_size=8,
    )
)
def test_a_batch_refuses_what_the_service_refuses_and_for_the_same_field(records: list[dict[str, Any]]) -> None:
    refused = SCREEN.refused(batch(records))

    for row, sent in enumerate(records):
        assert refused.get(row, "").partition(":")[0] == refusal(sent), sent


@given(st.sampled_from(NAMES), st.data())
def test_what_is_surely_sound_is_sound_to_the_service(name: str, data: st.DataObject) -> None:
    sent = record() | {name: data.draw(VALUES[name])}

    assert bool(SCREEN.sure(batch([sent]))[0]) == (refusal(sent) == "")


def test_a_missing_value_is_never_sound() -> None:
    rows = batch([record(), record()])
    holes = Batch(rows.columns, {"bill_0": np.array([False, True])}, rows.numbers)

    assert SCREEN.sure(holes).tolist() == [True, False]
    assert SCREEN.refused(holes) == {1: f"bill_0: None is refused: {CONTRACT['bill_0'].rule()}"}


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_what_is_no_number_is_refused(value: float) -> None:
    assert SCREEN.refused(batch([record(bill_0=value)]))


def test_an_account_is_in_no_reason() -> None:
    (why,) = SCREEN.refused(batch([record(account_id="Ann Lin")])).values()

    assert "Ann" not in why
