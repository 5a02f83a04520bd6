"""The Open Inference Protocol: what tensors become, and what is refused before anything is read out of them."""

import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import InputRefused
from serving.answers.checking import Checker
from serving.protocols.tensors import Wanted, returned, translated
from tests.bundles import USE_CASE, record, records
from tests.tensors import HEAD, binary, outputs, packed, tensors

CONTRACT = USE_CASE.contract
CHECKER = Checker(CONTRACT, 100)
TWO = records({"status_0": 2, "bill_0": -1.5}, {"bill_0": 0.1})

Tensors = list[dict[str, Any]]


def read(body: bytes, head: int | None = None) -> list[Any]:
    return list(map(dict, CHECKER.records(translated(body, head, CONTRACT, 100).body)))


def refused(body: bytes, head: int | None = None) -> str:
    with pytest.raises(InputRefused) as caught:
        read(body, head)
    return str(caught.value)


def of(inputs: Tensors, **beside: Any) -> bytes:
    return json.dumps({"inputs": inputs} | beside).encode()


def changed(change: Callable[[Tensors], object]) -> bytes:
    inputs = tensors(TWO)
    change(inputs)
    return of(inputs)


def named(inputs: Tensors, name: str) -> dict[str, Any]:
    return next(tensor for tensor in inputs if tensor["name"] == name)


def test_tensors_become_the_records_that_they_are() -> None:
    assert read(of(tensors(TWO))) == TWO
    body, headers = binary(TWO)
    assert read(body, int(headers[HEAD])) == TWO


def test_a_tensor_may_have_a_second_dimension_of_one() -> None:
    def nested(inputs: Tensors) -> None:
        for tensor in inputs:
            tensor |= {"shape": [2, 1], "data": [[value] for value in tensor["data"]]}

    def flat(inputs: Tensors) -> None:
        for tensor in inputs:
            tensor["shape"] = [2, 1]

    assert read(changed(nested)) == read(changed(flat)) == TWO


@pytest.mark.parametrize(
    ("name", "datatype"),
    [
        *(("bill_0", wrong) for wrong in ("FP32", "INT64", "BYTES")),
        *(("status_0", wrong) for wrong in ("FP64", "FP32", "INT32", "UINT64")),
        *(("account_id", wrong) for wrong in ("INT64", 7, None)),
    ],
)
def test_a_datatype_that_would_have_to_be_converted_is_refused(name: str, datatype: Any) -> None:
    def retyped(inputs: Tensors) -> None:
        named(inputs, name)["datatype"] = datatype

    said = refused(changed(retyped))
    assert f"{name} is of datatype {datatype}" in said
    assert "nothing is converted" in said


@pytest.mark.parametrize(
    ("name", "values"), [("status_0", [1.0, 0]), ("status_0", [True, 0]), ("status_0", ["1", 0]), ("bill_0", ["1", 0])]
)
def test_a_value_of_another_kind_is_refused_by_the_contract(name: str, values: list[Any]) -> None:
    def other(inputs: Tensors) -> None:
        named(inputs, name)["data"] = values

    assert f"record 0, {name}" in refused(changed(other))


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1e300])
def test_a_number_that_is_none_is_refused_in_bytes_as_in_json(value: float) -> None:
    body, headers = binary(records({}, {"bill_0": value}))
    assert "record 1, bill_0" in refused(body, int(headers[HEAD]))


def test_an_audit_column_is_refused_whatever_it_is_made_of() -> None:
    for extra in ({"data": [1, 2], "datatype": "INT8"}, {"data": "anything", "datatype": "none"}):
        said = refused(changed(lambda inputs, extra=extra: inputs.append({"name": "sex", "shape": [2]} | extra)))
        assert "record 0, sex: prohibited" in said


def test_a_column_that_is_missing_is_named() -> None:
    assert "record 0, bill_0: missing" in refused(changed(lambda inputs: inputs.remove(named(inputs, "bill_0"))))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"shape": [2, 2]}, "needs the shape"),
        ({"shape": []}, "needs the shape"),
        ({"shape": "2"}, "needs the shape"),
        ({"shape": [2.0]}, "needs the shape"),
        ({"shape": [True]}, "needs the shape"),
        ({"shape": [-1]}, "1 to 100 are taken"),
        ({"shape": [0], "data": []}, "1 to 100 are taken"),
        ({"shape": [10**15]}, "1 to 100 are taken"),
        ({"shape": [3]}, "3 values"),
        ({"shape": [1], "data": [0.0]}, "not equally long"),
        ({"data": 7}, "2 values"),
        ({"data": None}, "2 values"),
        ({"name": ["x"]}, "not a text"),
        ({"parameters": {"shared_memory_region": "x"}}, "no parameter is known"),
        ({"parameters": {"binary_data_size": 8}}, "binary_data_size"),
        ({"surplus": 1}, "a tensor is an object"),
    ],
)
def test_a_tensor_of_another_form_is_refused(change: dict[str, Any], said: str) -> None:
    assert said in refused(changed(lambda inputs: named(inputs, "bill_0").update(change)))


@pytest.mark.parametrize(
    ("beside", "said"),
    [
        ({"inputs": []}, "not a list of tensors"),
        ({"inputs": [1]}, "a tensor is an object"),
        ({"parameters": {"sequence_id": 1}}, "no parameter is known"),
        ({"parameters": {"binary_data_output": 1}}, "true or false"),
        ({"outputs": [{"name": "logits"}]}, "an output is one of"),
        ({"outputs": [{"name": ["x"]}]}, "an output is one of"),
        ({"outputs": [{"name": "action"}, {"name": "action"}]}, "twice"),
        ({"outputs": [{"name": "action", "parameters": {"classification": 3}}]}, "no parameter is known"),
        ({"outputs": [{"name": "action", "parameters": {"binary_data": "yes"}}]}, "true or false"),
        ({"outputs": 7}, "a list"),
        ({"id": "x" * 257}, "plain text"),
        ({"id": "\x00"}, "plain text"),
        ({"surplus": 1}, "a request is an object"),
    ],
)
def test_a_request_of_another_form_is_refused(beside: dict[str, Any], said: str) -> None:
    assert said in refused(of(**{"inputs": tensors(TWO)} | beside))


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"7", b'{"inputs": NaN}', b'{"inputs": [], "inputs": []}', b"[" * 100_000])
def test_a_body_that_is_no_request_is_refused(body: bytes) -> None:
    refused(body)


def test_a_tensor_that_is_there_twice_is_refused() -> None:
    assert "twice" in refused(changed(lambda inputs: inputs.append(inputs[0])))


@pytest.mark.parametrize("head", [0, 10**9, 5])
def test_a_length_of_the_json_that_is_none_is_refused(head: int) -> None:
    refused(of(tensors(TWO)), head)


def test_bytes_that_belong_to_no_tensor_are_refused() -> None:
    body, headers = binary(TWO)
    assert "belong to none" in refused(body + b"\0", int(headers[HEAD]))
    assert "binary_data_size" in refused(body[:-1], int(headers[HEAD]))


@pytest.mark.parametrize(
    "taken",
    [b"\x01\0\0\0A", b"\xff\xff\xff\xff", b"\x02\0\0\0\xff\xfe\x01\0\0\0A", packed("BYTES", ["A", "B", "C"]), b"\0" * 7],
)
def test_texts_that_are_cut_too_many_or_none_are_refused(taken: bytes) -> None:
    head = json.dumps(
        {"inputs": [{"name": "account_id", "shape": [2], "datatype": "BYTES", "parameters": {"binary_data_size": len(taken)}}]}
    )
    assert "account_id" in refused(head.encode() + taken, len(head))


def test_what_is_not_asked_for_by_name_is_not_told_in_detail() -> None:
    asked = translated(of(tensors(TWO)), None, CONTRACT, 100)
    assert asked.wanted == tuple(Wanted(name, binary=False) for name in ("decision_id", "action", "probability", "version"))
    by_name = of(tensors(TWO), outputs=[{"name": "reasons", "parameters": {"binary_data": True}}, {"name": "action"}])
    assert translated(by_name, None, CONTRACT, 100).wanted == (Wanted("reasons", binary=True), Wanted("action", binary=False))


@pytest.mark.parametrize("form", [False, True])
def test_the_version_that_decided_is_told_of_each_record(form: bool) -> None:
    """A canary may have decided some of them."""
    said = {"request_id": "r", "model": "m", "version": 3, "bundle": "b"}
    own = {"decision_id": "d", "decision": "keep", "probability": 0.1, "interval": [0, 1]}
    response = json.dumps(said | {"answers": [own, own | {"version": 4, "bundle": "c"}]}).encode()
    asked = translated(of(tensors(TWO), parameters={"binary_data_output": form}), None, CONTRACT, 100)
    content, head = returned(response, asked)
    assert outputs(content, str(head) if head else None)["version"] == [3, 4]


VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=4),
    st.lists(st.integers(), max_size=1),
)


@given(name=st.sampled_from(list(record())), value=VALUES)
def test_a_value_in_a_json_tensor_is_taken_or_refused_as_in_a_record(name: str, value: Any) -> None:
    changed = record() | {name: value}
    ours, theirs = json.dumps(changed).encode(), of(tensors([changed]))
    assert told(lambda: list(map(dict, CHECKER.records(ours)))) == told(lambda: read(theirs))


def told(read: Callable[[], Any]) -> str:
    """The records, types of their values included, or which fields are refused by which rule."""
    try:
        return repr(read())
    except InputRefused as error:
        return repr([(each.field, each.value, each.rule) for each in error.details])


@given(body=st.binary(max_size=200), head=st.integers(0, 220))
def test_whatever_comes_is_refused_and_breaks_nothing(body: bytes, head: int) -> None:
    refused(body, head)


@given(data=st.data())
def test_a_changed_binary_request_is_read_or_refused_and_breaks_nothing(data: st.DataObject) -> None:
    body, headers = binary(TWO)
    place = data.draw(st.integers(0, len(body) - 1))
    cut = body[:place] + data.draw(st.binary(max_size=4)) + body[place + data.draw(st.integers(0, 4)) :]
    with suppress(InputRefused):
        assert len(read(cut, int(headers[HEAD]))) == 2
