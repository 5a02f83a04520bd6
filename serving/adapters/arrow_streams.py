"""Records in and answers out as Arrow streams. Needs the extra `arrow`, which is loaded with the first stream that comes.

The bytes are a stranger's. Their frame is checked first (`arrow_messages`), then only columns of plain types are taken, and all
of them are validated in full before a value is read: an offset that points elsewhere would be read, too.
"""

from collections import Counter
from typing import Any

from models.contract import REQUEST_ROLES, Contract
from models.errors import Detail, InputRefused
from serving.door.bodies import NotJson
from serving.protocols import strict_json
from serving.protocols.arrow_messages import check_frame, refused
from serving.protocols.columns import as_records


class ArrowStreams:
    """`Frames` of Arrow streams."""

    def read(self, body: bytes, contract: Contract, most: int) -> bytes:
        arrow = _library()
        check_frame(body, most)
        try:
            with arrow.ipc.open_stream(arrow.py_buffer(body)) as reader:
                _check_columns(arrow, reader.schema)
                table = reader.read_all()
            table.validate(full=True)
            names = {column.name for column in contract.only(*REQUEST_ROLES).columns}
            columns = {name: table.column(name).to_pylist() for name in table.column_names if name in names}
        except (arrow.ArrowException, OSError, UnicodeDecodeError) as error:
            raise refused(f"the Arrow stream cannot be read: {type(error).__name__}", "send it as Arrow's writers do") from None
        return as_records(columns, table.num_rows, set(table.column_names) - columns.keys())

    def written(self, response: bytes) -> bytes:
        arrow = _library()
        said = strict_json.read(response)
        told = {name: str(said[name]) for name in ("request_id", "model", "version", "bundle", "fallback") if name in said}
        schema = _answers(arrow).with_metadata(told)
        rows = [_row(answer, said) for answer in said["answers"]]
        sink = arrow.BufferOutputStream()
        with arrow.ipc.new_stream(sink, schema) as writer:
            writer.write_table(arrow.Table.from_pylist(rows, schema=schema))
        content: bytes = sink.getvalue().to_pybytes()
        return content


def _library() -> Any:
    try:
        import pyarrow
        import pyarrow.ipc  # it is not loaded with the rest
    except ImportError as error:
        raise NotJson(
            "this service does not read Arrow streams",
            hint="send JSON; or let whoever runs the service install steward[arrow]",
        ) from error
    return pyarrow


def _check_columns(arrow: Any, schema: Any) -> None:
    """Raises `InputRefused` for what would have to be converted, or is not one value for a record."""
    if twice := [name for name, count in Counter(schema.names).items() if count > 1]:
        raise _column(twice[0], "the column is there twice", "name every column once")
    types = arrow.types
    taken = (types.is_integer, types.is_float64, types.is_string, types.is_large_string, types.is_boolean, types.is_null)
    for field in schema:
        if not any(fits(field.type) for fits in taken):
            kind = str(field.type)[:60]
            raise _column(
                field.name, f"a column of {kind} is not taken: nothing is converted", "send integers, float64 and strings"
            )


def _answers(arrow: Any) -> Any:
    text, number, flag = arrow.string(), arrow.float64(), arrow.bool_()
    reason = {"code": text, "group": text, "text": text, "contribution": number, "confirmed": flag}
    return arrow.schema(
        {
            "decision_id": text,
            "action": text,
            "probability": number,
            "interval_low": number,
            "interval_high": number,
            "out_of_distribution": arrow.list_(text),
            "reasons": arrow.list_(arrow.struct(reason)),
            "no_notice": flag,
            "no_notice_basis": text,
            "version": arrow.int64(),
            "bundle": text,
        }
    )


def _row(answer: dict[str, Any], head: dict[str, Any]) -> dict[str, Any]:
    """What names no version of its own was decided by that of the head."""
    low, high = answer["interval"]
    lists = {name: answer.get(name, []) for name in ("out_of_distribution", "reasons")}
    return (
        {name: head[name] for name in ("version", "bundle")}
        | answer
        | lists
        | {"action": answer["decision"], "interval_low": low, "interval_high": high}
    )


def _column(name: str, why: str, instead: str) -> InputRefused:
    shown = name[:60]
    return InputRefused(f"{shown}: {why}", [Detail(0, shown, "", why)], hint=f"nothing was decided; {instead}")
