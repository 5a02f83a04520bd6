"""The scoring protocol of MLflow and SageMaker."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import InputRefused
from serving.answers.checking import Checker
from serving.protocols.invocations import CSV, returned, translated
from tests.bundles import USE_CASE, record

CONTRACT = USE_CASE.contract
CHECKER = Checker(CONTRACT, 100)
JSON = "application/json"
TWO = [record(account_id="A1"), record(account_id="A2", status_0=2, bill_0=-1.5)]
NAMES = list(TWO[0])
SPLIT = {"columns": NAMES, "data": [list(each.values()) for each in TWO]}


def of_json(body: Any) -> list[Any]:
    return list(map(dict, CHECKER.records(translated(json.dumps(body).encode(), JSON, CONTRACT, 100))))


def of_csv(text: str) -> list[Any]:
    return list(map(dict, CHECKER.records(translated(text.encode(), CSV, CONTRACT, 100))))


def refused(body: bytes, media: str = JSON) -> str:
    with pytest.raises(InputRefused) as caught:
        CHECKER.records(translated(body, media, CONTRACT, 100))
    return str(caught.value)


@pytest.mark.parametrize(
    "body",
    [
        {"dataframe_split": SPLIT},
        {"dataframe_split": SPLIT | {"index": [0, 1]}},
        {"dataframe_records": TWO},
        {"instances": TWO},
        {"inputs": TWO},
        {"inputs": {name: [each[name] for each in TWO] for name in NAMES}},
    ],
)
def test_every_form_of_the_protocol_gives_the_same_records(body: dict[str, Any]) -> None:
    assert of_json(body) == TWO


def test_a_csv_file_gives_the_same_records() -> None:
    lines = [",".join(NAMES), *(",".join(str(value) for value in each.values()) for each in TWO)]
    assert of_csv("\r\n".join(lines)) == TWO
    assert of_csv("\ufeff" + "\r\n".join([*lines, ""])) == TWO  # as a spreadsheet writes it


def test_a_cell_is_a_number_only_where_the_contract_has_one_and_json_would_read_it() -> None:
    named = {name: str(value) for name, value in record(account_id="00017").items()}
    line = ",".join(named)
    assert of_csv(f"{line}\n{','.join(named.values())}")[0]["account_id"] == "00017"
    for written in ("", "1,5", " 1", "0x1", "NaN", "1e999", "01", "١"):
        cells = ",".join(f'"{cell}"' for cell in (named | {"bill_0": written}).values())
        assert "bill_0" in refused(f"{line}\n{cells}".encode(), CSV)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\u2028", "\u2029", "\x0b", "\x0c", "\x85", "\x1c"])
def test_a_line_end_within_quotes_joins_no_values(end: str) -> None:
    line, named = ",".join(NAMES), {name: str(value) for name, value in record().items()}
    for name, written in (("account_id", f"A00{end}018"), ("bill_0", f"283{end}14"), ("status_0", f"1{end}")):
        cells = ",".join(f'"{cell}"' for cell in (named | {name: written}).values())
        assert name in refused(f"{line}\n{cells}".encode(), CSV)


def test_a_number_of_thousands_of_digits_is_refused() -> None:
    line, named = ",".join(NAMES), {name: str(value) for name, value in record().items()}
    assert "CSV" in refused(f"{line}\n{','.join((named | {'credit_limit': '9' * 5_000}).values())}".encode(), CSV)


def test_nothing_is_converted_on_the_way() -> None:
    assert 'bill_0: "28" is refused' in refused(json.dumps({"instances": [record(bill_0="28")]}).encode())
    assert "status_0: 0.0 is refused" in refused(json.dumps({"instances": [record(status_0=0.0)]}).encode())
    assert "status_0: true is refused" in refused(json.dumps({"instances": [record(status_0=True)]}).encode())


def test_a_prohibited_column_of_a_frame_is_refused_by_name() -> None:
    frame = {"columns": [*NAMES, "sex"], "data": [[*each.values(), 2] for each in TWO]}
    assert "prohibited" in refused(json.dumps({"dataframe_split": frame}).encode())


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "not JSON"),
        (b"[]", "exactly one of"),
        (b"{}", "there is none of them"),
        (b'{"instances": [], "inputs": []}', "there is inputs, instances"),
        (b'{"instances": [], "params": {}}', "there is instances, params"),
        (b'{"instances": {}}', "instances needs a list of records"),
        (b'{"instances": []}', "1 to 100 records"),
        (b'{"instances": [1]}', "a record is a JSON object"),
        (b'{"dataframe_split": {"columns": ["a"], "data": [[1, 2]]}}', "one value for every column"),
        (b'{"dataframe_split": {"columns": ["a", "a"], "data": [[1, 2]]}}', "every name once"),
        (b'{"dataframe_split": {"columns": [[]], "data": []}}', "a name for every column"),
        (b'{"dataframe_split": {"data": []}}', '"columns" and "data"'),
        (b'{"inputs": {"a": [1], "b": [1, 2]}}', "as many values in every column"),
        (b'{"inputs": {"a": 1}}', "a list of values by column"),
        (b'{"instances": [{"a": 1, "a": 2}]}', "stands twice"),
        (b'{"instances": [{"a": NaN}]}', "NaN is not a number"),
        (b'{"instances": ' + b"[" * 100_000, "not JSON"),
        (b'{"instances": ["\\ud800"]}', "not JSON"),
        (b'{"instances": [{"a": ' + b"9" * 5_000 + b"}]}", "not JSON: a number has more digits than can be read"),
    ],
)
def test_what_cannot_be_read_says_what_is_needed(body: bytes, says: str) -> None:
    assert says in refused(body)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "a line of names"),
        (b"\xff", "not CSV"),
        (b'a\n"b', "not CSV"),
        (b"a,b\n1", "line 1 of the CSV needs 2 values"),
        (b"a,b\n1,2\n\n", "line 2 of the CSV is blank"),
        (b"a,b\r\n\r\n1,2", "line 1 of the CSV is blank"),
        (b"a\n" + b"9" * 5_000, "not CSV: a number has more digits than can be read"),
        (b"a,a\n1,1", "every name once"),
    ],
)
def test_a_csv_file_that_cannot_be_read_says_what_is_needed(body: bytes, says: str) -> None:
    assert says in refused(body, CSV)


@given(
    st.binary(max_size=200)
    | st.recursive(st.none() | st.booleans() | st.floats() | st.text(), st.lists).map(lambda x: json.dumps(x).encode())
)
def test_whatever_is_sent_is_read_or_refused(body: bytes) -> None:
    for media in (JSON, CSV):
        try:
            translated(body, media, CONTRACT, 100)
        except InputRefused:
            continue


def test_an_answer_keeps_everything_but_the_name_of_its_list() -> None:
    assert json.loads(returned(b'{"model":"m","answers":[{"decision":"keep"}]}')) == {
        "model": "m",
        "predictions": [{"decision": "keep"}],
    }


MANY = [record(account_id=f"A{number}") for number in range(101)]


@pytest.mark.parametrize(
    ("body", "media"),
    [
        (json.dumps({"dataframe_split": {"columns": NAMES, "data": [list(each.values()) for each in MANY]}}), JSON),
        (json.dumps({"dataframe_records": MANY}), JSON),
        (json.dumps({"inputs": MANY}), JSON),
        (json.dumps({"inputs": {name: [each[name] for each in MANY] for name in NAMES}}), JSON),
        ("\n".join([",".join(NAMES), *(",".join(map(str, each.values())) for each in MANY)]), CSV),
    ],
)
def test_more_records_than_may_be_are_refused_before_anything_is_made_of_them(body: str, media: str) -> None:
    with pytest.raises(InputRefused, match=r"^there are more than 100 records"):
        translated(body.encode(), media, CONTRACT, 100)
    assert len(json.loads(translated(body.encode(), media, CONTRACT, 101))["records"]) == 101


def test_of_a_csv_file_no_more_lines_are_read_than_may_be() -> None:
    body = b"a\n" * 100 + b'"never closed'
    with pytest.raises(InputRefused, match=r"^there are more than 10 records"):
        translated(body, CSV, CONTRACT, 10)


def test_more_columns_than_anybody_has_are_refused_before_anything_is_made_of_them() -> None:
    names = [str(number) for number in range(1_001)]
    body = {"dataframe_split": {"columns": names, "data": [names]}}
    with pytest.raises(InputRefused, match="at most 1,000 names"):
        translated(json.dumps(body).encode(), JSON, CONTRACT, 100)
    with pytest.raises(InputRefused, match="at most 1,000 names"):
        translated(f"{','.join(names)}\n{','.join(names)}".encode(), CSV, CONTRACT, 100)


def test_the_index_that_a_data_frame_writes_beside_its_columns_is_told_as_what_it_is() -> None:
    line = ",".join(str(value) for value in TWO[0].values())
    assert "to_csv(index=False)" in refused(f",{','.join(NAMES)}\n0,{line}".encode(), CSV)
