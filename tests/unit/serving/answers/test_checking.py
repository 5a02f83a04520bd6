"""What a request may hold, and how it is told what is wrong."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.contract import Contract, Record, Role, column
from models.credit_default.contract import CONTRACT
from models.errors import Detail, InputRefused
from serving.answers.checking import SHOWN, Checker
from tests.bundles import record

CHECKER = Checker(CONTRACT, max_records=5)


def body(*records: Any) -> bytes:
    return json.dumps({"records": list(records)}).encode()


def refusal(content: bytes, checker: Checker = CHECKER) -> InputRefused:
    with pytest.raises(InputRefused) as caught:
        checker.records(content)
    return caught.value


def test_one_record_and_a_batch_are_accepted() -> None:
    assert CHECKER.records(json.dumps(record()).encode()) == [record()]
    assert CHECKER.records(b" \n" + body(record(), record(account_id="A2"))) == [record(), record(account_id="A2")]


def test_a_whole_number_is_fine_for_a_number_and_becomes_one() -> None:
    (found,) = CHECKER.records(body(record(bill_0=28)))
    assert type(found["bill_0"]) is float
    assert type(found["status_0"]) is int


@pytest.mark.parametrize(
    ("field", "written", "shown"),
    [
        ("bill_0", '"28"', '"28"'),
        ("bill_0", "true", "true"),
        ("bill_0", "null", "null"),
        ("bill_0", "NaN", "NaN"),
        ("bill_0", "Infinity", "Infinity"),
        ("bill_0", "-Infinity", "-Infinity"),
        ("bill_0", "1e999", "Infinity"),
        ("bill_0", "[1]", "[1]"),
        ("bill_0", "{}", "{}"),
        ("bill_0", "5000000.01", "5000000.01"),
        ("bill_0", "9" * 30, "9" * 30),
        ("bill_0", "9" * 4_300, "9" * 79 + "…"),
        ("status_0", "true", "true"),
        ("status_0", "false", "false"),
        ("status_0", "0.0", "0.0"),
        ("status_0", '"0"', '"0"'),
        ("status_0", "10", "10"),
        ("snapshot_month", '"2005-13"', '"2005-13"'),
        ("snapshot_month", '"2004-12"', '"2004-12"'),
        ("snapshot_month", '"1066-12"', '"1066-12"'),
    ],
)
def test_a_value_that_breaks_the_contract_is_named_with_its_rule(field: str, written: str, shown: str) -> None:
    content = body(record(), record(**{field: "@"})).replace(b'"@"', written.encode())
    refused = refusal(content)
    no_integer = field == "status_0" and shown != "10"
    rule = ("an integer (1, not 1.0): " if no_integer else "") + CONTRACT[field].rule()
    assert refused.details == (Detail(1, field, shown, rule),)
    assert refused.problem == f"record 1, {field}: {shown} is refused: {rule}"


@pytest.mark.parametrize("written", ["31337", '"A 31337"', '"A31337\\n"'])
def test_an_account_id_that_breaks_the_contract_is_not_repeated(written: str) -> None:
    refused = refusal(body(record(), record(account_id="@")).replace(b'"@"', written.encode()))
    assert refused.details == (Detail(1, "account_id", "", CONTRACT["account_id"].rule()),)
    assert "31337" not in str(refused)


def test_an_account_that_stands_twice_is_told_by_record_and_not_by_id() -> None:
    refused = refusal(body(record(account_id="A31337"), record(account_id="A31337")))
    assert [(detail.record, detail.value) for detail in refused.details] == [(1, "")]
    assert "31337" not in str(refused)


def test_every_broken_rule_is_named_and_the_first_one_is_the_sentence() -> None:
    refused = refusal(body(record(bill_0="x"), record(), record(status_1=77, payment_0=-1)))
    assert [(detail.record, detail.field) for detail in refused.details] == [(0, "bill_0"), (2, "status_1"), (2, "payment_0")]
    assert "and 2 more" in refused.problem
    assert "nothing was decided" in refused.hint


def test_a_missing_field_is_named_with_what_belongs_there() -> None:
    content = record()
    del content["payment_1"]
    (detail,) = refusal(json.dumps(content).encode()).details
    assert detail == Detail(0, "payment_1", "", "missing; number from 0 to 5,000,000")


@pytest.mark.parametrize("name", ["sex", "age", "marriage", "education", "outcome_code"])
def test_an_audit_column_is_refused_by_name_and_its_value_is_not_repeated(name: str) -> None:
    refused = refusal(body(record(**{name: 31337})))
    assert refused.details == (Detail(0, name, "", "prohibited: this column may not reach a model; leave it out"),)
    assert "31337" not in str(refused)


def test_an_unknown_field_is_refused_and_the_known_ones_are_told() -> None:
    (detail,) = refusal(body(record(Sex=31337))).details
    assert detail.field == "Sex"
    assert "not a field; the fields are account_id, snapshot_month, credit_limit" in detail.rule
    assert "31337" not in str(detail)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "not JSON"),
        (b"hello", "not JSON"),
        (b'{"records": [', "not JSON"),
        (b"\xff\xfe{}", "not JSON"),
        (b'{"records":' + b"[" * 500, "recursion limit"),
        (json.dumps(record(bill_0="@")).replace('"@"', "9" * 5_000).encode(), "not JSON: number out of range"),
        (b"[]", "record 0: \\[\\] is refused: a record is a JSON object; send one record"),
        (b"3", "a record is a JSON object"),
        (b'{"records": []}', "record 0, records: a list of 1 to 5 records"),
        (b'{"records": {}}', "a list of 1 to 5 records"),
        (b'{"records": null}', "a list of 1 to 5 records"),
        (b'{"records": [7]}', "record 0: 7 is refused: a record is a JSON object"),
        (body(*[record()] * 6), "a list of 1 to 5 records"),
        (b'{"records": [%s], "model": "x"}' % json.dumps(record()).encode(), "model: not a field; beside `records` nothing"),
    ],
)
def test_a_body_of_another_form_is_refused_in_words(content: bytes, problem: str) -> None:
    with pytest.raises(InputRefused, match=problem):
        CHECKER.records(content)


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (body(record()).replace(b'"bill_0"', b'"bill_0": 1, "bill_0"'), (0, "bill_0")),
        (body(record(), record(account_id="A2")).replace(b'"status_0"', b'"status\\u005f0": 1, "status_0"', 2), (0, "status_0")),
        (json.dumps(record()).encode().replace(b'"bill_1"', b'"bill_1": 1, "bill_1"'), (0, "bill_1")),
        (b'{"records": [], "records": [%s]}' % json.dumps(record()).encode(), (0, "records")),
    ],
)
def test_a_name_that_stands_twice_is_refused(content: bytes, found: tuple[int, str]) -> None:
    detail = refusal(content).details[0]
    assert (detail.record, detail.field) == found
    assert "named more than once" in detail.rule


def test_a_name_written_with_escapes_once_is_fine() -> None:
    assert CHECKER.records(body(record()).replace(b'"bill_0"', b'"bill\\u005f0"')) == [record()]


def test_a_colon_in_a_text_is_no_second_name() -> None:
    class Noted(Record):
        account_id: str = column(Role.KEY, "account", example="A:1", pattern="^[A-Z:0-9]+$")
        month: str = column(Role.TIME, "month", example="2005-07", pattern=r"^\d{4}-\d\d$")
        bill: float = column(Role.INPUT, "bill", example=1.0, ge=0, le=9)

    checker = Checker(Contract.of(Noted, name="noted", version=1), max_records=2)
    one = {"account_id": "A::1", "month": "2005-07", "bill": 1.0}
    assert checker.records(json.dumps(one).encode()) == [one]
    twice = json.dumps(one).encode().replace(b'"A::1"', b'"A1", "account_id": "A1"')
    assert "more than once" in refusal(twice, checker).problem


ONE = record()
NAMES = [f"A{number}" for number in range(4)]
TWELVE = Checker(CONTRACT, max_records=12)


@given(st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(["2005-06", "2005-07"])), min_size=1, max_size=12))
def test_an_account_stands_once_for_a_month_and_every_repetition_names_both_records(named: list[tuple[str, str]]) -> None:
    content = body(*[ONE | {"account_id": account, "snapshot_month": month} for account, month in named])
    expected = [(number, named.index(each)) for number, each in enumerate(named) if named.index(each) != number]
    if not expected:
        assert len(TWELVE.records(content)) == len(named)
        return
    refused = refusal(content, TWELVE)
    first = [int(detail.rule.split("record ")[1].split(";")[0]) for detail in refused.details]
    assert list(zip([detail.record for detail in refused.details], first, strict=True)) == expected
    assert {detail.field for detail in refused.details} == {"account_id"}
    assert f"record {expected[0][0]}, account_id" in refused.problem
    assert f"as record {expected[0][1]}" in refused.problem


def test_the_largest_batch_of_one_account_alone_is_refused_with_a_bounded_answer() -> None:
    """10,000 records: a comparison of each with each would take minutes."""
    many = Checker(CONTRACT, max_records=10_000)
    refused = refusal(body(*[ONE] * 10_000), many)
    assert len(refused.details) == SHOWN
    assert "and 9998 more" in refused.problem
    assert len(many.records(body(*[ONE | {"account_id": f"A{number}"} for number in range(10_000)]))) == 10_000


@pytest.mark.parametrize(
    "content",
    [
        json.dumps({str(number): 1 for number in range(25_000)}),
        json.dumps({"records": [{str(number): 1 for number in range(5_000)}] * 5}),
    ],
)
def test_a_flood_of_names_is_refused_in_one_sentence(content: str) -> None:
    found = refusal(content.encode())
    assert found.problem == "the body names far more than records have fields"
    assert "account_id" in found.hint
    assert found.details == ()


def test_texts_full_of_colons_are_no_flood() -> None:
    class Stamped(Record):
        account_id: str = column(Role.KEY, "account", example="A1", pattern="^[a-z0-9:]{1,64}$")
        month: str = column(Role.TIME, "month", example="2005-01", pattern="^[0-9:-]{1,64}$")
        bill: float = column(Role.INPUT, "bill", example=1.0, ge=0, le=10)

    checker = Checker(Contract.of(Stamped, name="stamped", version=1), max_records=10_000)
    records = [{"account_id": f"{number}:a:b", "month": "2005-01", "bill": 1.0} for number in range(10_000)]
    assert checker.records(body(*records)) == records


def test_a_batch_that_is_wrong_everywhere_gets_a_bounded_answer() -> None:
    many = Checker(CONTRACT, max_records=1_000)
    refused = refusal(body(*[record(bill_0="x" * 1_000, status_0=77)] * 1_000), many)
    assert len(refused.details) == SHOWN
    assert "and 1999 more" in refused.problem
    assert all(len(detail.value) <= 80 for detail in refused.details)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8), lambda inner: st.lists(inner, max_size=3)
)


@given(st.dictionaries(st.sampled_from([*record(), "sex", "extra"]), json_values, max_size=3), st.booleans())
def test_whatever_is_accepted_holds_to_the_contract_and_whatever_is_not_is_refused_in_words(
    changes: dict[str, Any], single: bool
) -> None:
    asked = record() | changes
    content = json.dumps(asked if single else {"records": [asked]}).encode()
    found, refused_fields = outcome(content)
    assert refused_fields <= changes.keys()
    for accepted in found:
        assert accepted == asked
        assert accepted.keys() == record().keys()
        for name in CONTRACT.inputs:
            assert type(accepted[name]) is {"integer": int, "number": float}[CONTRACT[name].kind]
            assert CONTRACT[name].codes == {} or accepted[name] in CONTRACT[name].codes


@given(st.data())
def test_whatever_bytes_arrive_the_answer_is_records_or_a_refusal(data: st.DataObject) -> None:
    content = bytearray(data.draw(st.sampled_from([body(record()), json.dumps(record()).encode()])))
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(content)))
        end = data.draw(st.integers(start, min(len(content), start + 8)))
        pieces = st.sampled_from(
            [b'"', b"{", b"}", b"[", b",", b":", b"\\u0000", b"null", b"1e400", b"-", b"\xff", b'"records":']
        )
        content[start:end] = data.draw(pieces | st.binary(max_size=4))
    found, refused_fields = outcome(bytes(content))
    assert found or refused_fields


def outcome(content: bytes) -> tuple[list[Any], set[str]]:
    """The records accepted, or the fields that were refused."""
    try:
        return list(CHECKER.records(content)), set()
    except InputRefused as refused:
        return [], {detail.field for detail in refused.details} or {"the body"}
