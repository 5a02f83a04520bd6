"""NumPy columns to Arrow and back, and the Arrow schema that a contract gives to what is stored."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from models.contract import Array, Column, Columns, Contract, Kind, Role
from models.lake import AUDIT, BAD, OUTCOMES, SNAPSHOTS

_TYPES: dict[Kind, pa.DataType] = {"integer": pa.int64(), "number": pa.float64(), "text": pa.string()}
_AT_A_TIME = 65_536  # texts
_WIDEST = {"i": pa.int64(), "u": pa.int64(), "f": pa.float64()}


def schema(contract: Contract, *roles: Role) -> pa.Schema:
    """The contract's columns of these roles, none of them nullable; each field carries its meaning, unit and rule."""
    return pa.schema([_field(column) for column in contract.only(*roles).columns])


def lake_schemas(contract: Contract) -> dict[str, pa.Schema]:
    """What the lake may hold, by table: no audit column can be stored there."""
    bad = pa.field(BAD, pa.bool_(), nullable=False, metadata={"meaning": "the outcome under the definition in force"})
    return {
        SNAPSHOTS: schema(contract, Role.KEY, Role.TIME, Role.INPUT),
        OUTCOMES: schema(contract, Role.KEY, Role.OUTCOME).append(bad),
    }


def restricted_schemas(contract: Contract) -> dict[str, pa.Schema]:
    """What the restricted lake may hold, by table."""
    return {AUDIT: schema(contract, Role.KEY, Role.AUDIT)}


def table(columns: Columns) -> pa.Table:
    """Equally long columns to an Arrow table. Untyped columns, as only a broken batch has them, become text if they must."""
    return pa.table({name: _array(values) for name, values in columns.items()})


def columns(stored: pa.Table) -> dict[str, Array]:
    """An Arrow table without nulls to NumPy columns."""
    return {name: _values(stored.column(name)) for name in stored.column_names}


def kind(stored: pa.DataType) -> str:
    """What `ColumnDigest` calls a type. Raises `ArrowTypeError` for one that is never stored here."""
    if pa.types.is_boolean(stored):
        return "boolean"
    if pa.types.is_integer(stored):
        return "integer"
    if pa.types.is_floating(stored):
        return "number"
    if pa.types.is_string(stored):
        return "text"
    raise pa.ArrowTypeError(f"no column is stored as {stored}")


def bytes_of(values: pa.Array, form: str) -> bytes | memoryview:
    """Values without nulls as one form of `ColumnDigest.passes`."""
    if values.null_count:
        raise pa.ArrowInvalid("a stored column has nulls")
    if form == "lengths":
        return bytes(pc.utf8_length(values).to_numpy().astype("<i8").tobytes())
    if form == "text":
        first, last = (np.frombuffer(values.buffers()[1], "<i4")[values.offset + at] for at in (0, len(values)))
        return memoryview(values.buffers()[2] or b"")[int(first) : int(last)]
    return np.ascontiguousarray(values.to_numpy(zero_copy_only=False), dtype=form).tobytes()


def metadata(stored: pa.Schema) -> Mapping[str, str]:
    """A schema's key-value metadata as text."""
    return {key.decode(): value.decode() for key, value in (stored.metadata or {}).items()}


def _field(column: Column) -> pa.Field:
    notes = {"meaning": column.meaning, "unit": column.unit, "allowed": column.rule()}
    return pa.field(column.name, _TYPES[column.kind], nullable=False, metadata=notes)


def _array(values: Array) -> pa.Array:
    values = np.asarray(values)
    if values.dtype.kind != "O":
        return pa.array(values, type=_WIDEST.get(values.dtype.kind))
    try:
        return pa.array(values.tolist())
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        return pa.array([None if value is None else str(value) for value in values.tolist()])


def _values(column: pa.ChunkedArray) -> Array:
    if pa.types.is_string(column.type):
        return _texts(column)
    values: np.ndarray[Any, Any] = column.to_numpy()
    return values


def _texts(column: pa.ChunkedArray) -> Array:
    """Chunk by chunk, so that no text is held twice."""
    texts = column.fill_null("None")  # as NumPy spells it; only a damaged file has one
    found = np.empty(len(texts), dtype=f"U{max(1, pc.max(pc.utf8_length(texts)).as_py() or 0)}")
    start = 0
    for batch in pa.table({"": texts}).to_batches(_AT_A_TIME):
        found[start : start + len(batch)] = batch.column(0).to_numpy(zero_copy_only=False)
        start += len(batch)
    return found
