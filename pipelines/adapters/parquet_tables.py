"""Parquet files at a path as batch scoring reads them: what they hold, and the rows of a part as columns."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from models.adapters import durable
from models.adapters.places import Place
from models.contract import Array, Columns
from pipelines.scoring.parts import Batch, File, Kind, Mapped, Part

_STORED: Mapping[str, pa.DataType] = {
    "integer": pa.int64(),
    "number": pa.float64(),
    "text": pa.string(),
    "boolean": pa.bool_(),
}
_EMPTY = {"integer": 0, "number": np.nan, "text": "", "boolean": False}


def files(source: str) -> list[File]:
    """By name, from their footers. Raises `NotFound`, `Unavailable`, `Integrity`."""
    place, found = Place.at(source), []
    for stored in place.files():
        with place.opened(stored.name) as handle, pq.ParquetFile(handle) as file:
            kinds = {field.name: kind(field.type) for field in file.schema_arrow}
            found.append(File(stored.name, file.metadata.num_rows, f"{stored.size}-{stored.written}", kinds))
    return found


def read(source: str, part: Part, names: Sequence[str]) -> pa.Table:
    """The rows of a part. Only the row groups that hold some of them are read."""
    place = Place.at(source)
    with place.opened(part.file) as handle, pq.ParquetFile(handle) as file:
        wanted, before, skipped = [], 0, 0
        for group in range(file.num_row_groups):
            rows = file.metadata.row_group(group).num_rows
            if before + rows <= part.first:
                skipped += rows
            elif before < part.first + part.rows:
                wanted.append(group)
            before += rows
        return file.read_row_groups(wanted, columns=list(names)).slice(part.first - skipped, part.rows)


def carry_out(done: Mapped, kinds: Mapping[str, Kind], source: str, part: Part, names: Sequence[str], path: Path) -> Part:
    """Work on a part, from its source to a file of its own, which is there whole or not."""
    rows = read(source, part, names)
    found = done(batch(rows, np.arange(part.offset, part.offset + part.rows)))
    sink = pa.BufferOutputStream()
    pq.write_table(table(found, kinds), sink, compression="zstd")
    durable.replace(path, sink.getvalue().to_pybytes())
    return part


def batch(table: pa.Table, numbers: Array) -> Batch:
    """Arrow columns to NumPy, nulls told apart."""
    missing = {name: pc.is_null(table.column(name)).to_numpy() for name in table.column_names if table.column(name).null_count}
    columns = {name: _values(table.column(name)) for name in table.column_names}
    return Batch(columns, missing, numbers)


def schema(kinds: Mapping[str, Kind]) -> pa.Schema:
    """None of the columns is nullable."""
    return pa.schema([pa.field(name, _STORED[each], nullable=False) for name, each in kinds.items()])


def table(columns: Columns, kinds: Mapping[str, Kind]) -> pa.Table:
    """What work gives, as it is stored."""
    arrays = [pa.array(columns[name], type=_STORED[each]) for name, each in kinds.items()]
    return pa.Table.from_arrays(arrays, schema=schema(kinds))


def columns(stored: pa.Table) -> Columns:
    """The way back. Texts are objects."""
    return {name: _values(stored.column(name)) for name in stored.column_names}


def kind(stored: pa.DataType) -> Any:
    """A column's kind, "" for a type that no contract knows: float32 is another number than it shows."""
    tests = {
        "integer": pa.types.is_integer,
        "number": pa.types.is_float64,
        "text": lambda one: pa.types.is_string(one) or pa.types.is_large_string(one),
        "boolean": pa.types.is_boolean,
    }
    return next((name for name, fits in tests.items() if fits(stored)), "")


def _values(column: pa.ChunkedArray) -> Array:
    found = kind(column.type)
    if column.null_count:
        column = column.fill_null(pa.scalar(_EMPTY[found], type=column.type))
    if found == "text":
        return np.array(column.to_pylist(), dtype=object)
    values: Array = column.to_numpy()
    return values
