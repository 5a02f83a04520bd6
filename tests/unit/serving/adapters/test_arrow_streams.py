"""Arrow streams: what they become, and what is refused before it is read."""

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import InputRefused
from serving.adapters.arrow_streams import ArrowStreams
from serving.answers.checking import Checker
from tests.bundles import USE_CASE, record, records

CONTRACT = USE_CASE.contract
CHECKER = Checker(CONTRACT, 100)
MARK = b"\xff" * 4
TWO = records({"status_0": 2, "bill_0": -1.5}, {"bill_0": 0.1})


def stream(table: Any, compression: str | None = None, batch: int | None = None) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema, options=pa.ipc.IpcWriteOptions(compression=compression)) as writer:
        writer.write_table(table, max_chunksize=batch)
    return bytes(sink.getvalue().to_pybytes())


def table(rows: Sequence[Mapping[str, Any]]) -> Any:
    return pa.Table.from_pylist(list(rows))


def read(body: bytes) -> list[Any]:
    return list(map(dict, CHECKER.records(ArrowStreams().read(body, CONTRACT, 100))))


def refused(body: bytes) -> str:
    with pytest.raises(InputRefused) as caught:
        read(body)
    return str(caught.value)


def with_column(name: str, values: Any) -> bytes:
    made = table(TWO)
    return stream(made.set_column(made.schema.get_field_index(name), name, values))


def test_a_stream_becomes_the_records_that_it_holds() -> None:
    assert read(stream(table(TWO))) == TWO
    assert read(stream(table(TWO), batch=1)) == TWO


def test_the_order_of_columns_and_wider_or_narrower_integers_and_texts_do_not_matter() -> None:
    made = table(TWO).select(list(reversed(record())))
    narrow = made.set_column(made.schema.get_field_index("status_0"), "status_0", pa.array([2, 0], pa.int8()))
    large = narrow.set_column(made.schema.get_field_index("account_id"), "account_id", pa.array(["A0", "A1"], pa.large_string()))
    assert repr(sorted(read(stream(large))[0].items())) == repr(sorted(TWO[0].items()))


@pytest.mark.parametrize(
    "values",
    [
        pa.array([1.0, 2.0], pa.float32()),
        pa.array([1.0, 2.0], pa.float16()),
        pa.array([1, 2], pa.decimal128(5, 2)),
        pa.array([1, 2], pa.timestamp("s")),
        pa.array([1, 2], pa.date32()),
        pa.array([[1], [2]]),
        pa.array([{"a": 1}, {"a": 2}]),
        pa.array([b"1", b"2"]),
        pa.array(["1", "2"], pa.string_view()),
        pa.array([None, None], pa.list_(pa.null())),
    ],
)
def test_a_type_that_would_have_to_be_converted_is_refused(values: Any) -> None:
    said = refused(with_column("bill_0", values))
    assert "bill_0: a column of" in said
    assert "nothing is converted" in said


def test_a_dictionary_is_refused_and_says_what_to_do() -> None:
    assert "cast dictionary columns" in refused(with_column("account_id", pa.array(["A", "B"]).dictionary_encode()))


@pytest.mark.parametrize("compression", ["lz4", "zstd"])
def test_compressed_data_are_refused_whatever_they_would_become(compression: str) -> None:
    bomb = pa.table({"account_id": ["A" * 10_000_000], **{name: [0] for name in record() if name != "account_id"}})
    packed = stream(bomb, compression)
    assert len(packed) < 1_000_000
    assert "compressed" in refused(packed)


def test_more_records_than_may_be_are_refused_before_there_is_room_for_one() -> None:
    assert "more than 100 records" in refused(stream(table([record()] * 101)))
    assert "more than 100 records" in refused(stream(table([record()] * 101), batch=10))
    assert "more than 100 records" in refused(stream(pa.table({"account_id": pa.nulls(10**9)})))


def test_no_records_are_refused() -> None:
    assert "1 to 100 records" in refused(stream(table(TWO).slice(0, 0)))
    assert "1 to 100 records" in refused(stream(pa.table({})))


def test_a_column_that_is_prohibited_or_missing_is_named() -> None:
    assert "sex: prohibited" in refused(stream(table(TWO).append_column("sex", pa.array([1, 2]))))
    assert "record 0, bill_0: missing" in refused(stream(table(TWO).drop_columns(["bill_0"])))
    assert "there twice" in refused(stream(table(TWO).append_column("bill_0", pa.array([1.0, 2.0]))))


def test_many_strange_columns_take_no_room_for_every_record() -> None:
    strange = {f"c{number}": pa.nulls(100) for number in range(3_000)}
    body = ArrowStreams().read(stream(pa.table(strange)), CONTRACT, 100)
    assert len(body) < 100_000


@pytest.mark.parametrize("body", [b"", b"{}", b"ARROW1\0\0", MARK * 2, MARK + b"\0" * 4, MARK + b"\x10\0\0\0" + b"\0" * 64])
def test_what_is_no_stream_is_refused(body: bytes) -> None:
    refused(body)


def test_a_stream_that_is_cut_or_goes_on_is_refused() -> None:
    whole = stream(table(TWO))
    for cut in range(len(whole) - 8):
        refused(whole[:cut])
    refused(whole + b"\0")
    refused(whole + whole)


def test_an_offset_that_points_elsewhere_is_refused() -> None:
    """Read without a look at it, a text would be of whatever lies behind the body."""
    sound = stream(pa.table({"account_id": ["A0", "A1"]}))
    offsets = bytes([0, 0, 0, 0, 2, 0, 0, 0, 4, 0, 0, 0])
    assert sound.count(offsets) == 1
    for last in (b"\xff\xff\xff\x7f", b"\xff\xff\xff\xff", b"\x01\0\0\0"):
        assert "cannot be read" in refused(sound.replace(offsets, offsets[:-4] + last))


VALUES: dict[str, st.SearchStrategy[Any]] = {
    "integer": st.one_of(st.none(), st.integers(-3, 12), st.integers(-(2**63), 2**63 - 1)),
    "number": st.one_of(st.none(), st.floats(), st.integers(-(2**53), 2**53).map(float)),
    "text": st.one_of(st.none(), st.sampled_from(["A1", "A2", "2005-07", "2005-13"]), st.text(max_size=5)),
    "boolean": st.one_of(st.none(), st.booleans()),
}


@given(data=st.data(), rows=st.integers(1, 4))
def test_the_columns_are_taken_or_refused_as_the_same_records_in_json_are(data: st.DataObject, rows: int) -> None:
    columns = {name: [each[name] for each in records(*[{}] * rows)] for name in record()}
    for name in data.draw(st.lists(st.sampled_from([*record(), "sex", "surplus"]), max_size=3)):
        kind = data.draw(st.sampled_from(list(VALUES)))
        columns[name] = data.draw(st.lists(VALUES[kind], min_size=rows, max_size=rows))
    for name in data.draw(st.lists(st.sampled_from(list(record())), max_size=1)):
        columns.pop(name)
    in_json = json.dumps({"records": [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]})
    assert told(lambda: read(stream(pa.table(columns)))) == told(lambda: list(map(dict, CHECKER.records(in_json.encode()))))


def told(read: Callable[[], Any]) -> str:
    """The records, types of their values included, or what is refused by which rule: of a strange name, in the first record."""
    try:
        return repr(read())
    except InputRefused as error:
        rules = {(each.record, each.field, each.value, each.rule) for each in error.details}
        strange = {name for name in ("sex", "surplus") if any(rule[1] == name for rule in rules)}
        return repr(sorted({rule for rule in rules if rule[1] not in strange})) + repr(sorted(strange))


@given(data=st.data())
def test_a_changed_stream_is_read_or_refused_and_breaks_nothing(data: st.DataObject) -> None:
    """If the library crashed, this process would."""
    body = bytearray(stream(table(TWO)))
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(body) - 1))
        body[place] = data.draw(st.one_of(st.sampled_from([0, 1, 0x7F, 0x80, 0xFF]), st.integers(0, 255)))
    with suppress(InputRefused):
        assert 0 < len(read(bytes(body))) <= 100
