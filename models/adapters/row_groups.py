"""Parquet files at a path by their row groups: pieces that several processes can read, on a disk or in a bucket."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.parquet as pq

from models.adapters.places import Place

_BATCH = 65_536  # rows that are in memory at a time


@dataclass(frozen=True)
class RowGroup:
    """`file` is a file's path below the place."""

    file: str
    number: int


def row_groups(source: str) -> list[RowGroup]:
    """In the order of the rows. Raises `NotFound`, `Unavailable`, `Integrity`."""
    place, found = Place.at(source), []
    for stored in place.files():
        with place.opened(stored.name) as handle, pq.ParquetFile(handle) as file:
            found += [RowGroup(stored.name, number) for number in range(file.num_row_groups)]
    return found


def schema(source: str, names: Sequence[str]) -> pa.Schema:
    """Of these columns, as the first file has them. Raises as `row_groups`, and `KeyError` for one that it does not have."""
    place = Place.at(source)
    with place.opened(place.files()[0].name) as handle:
        stored = pq.read_schema(handle)
    return pa.schema([stored.field(name) for name in names])


def batches(source: str, group: RowGroup, names: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """Its rows, some at a time. Raises as `row_groups`."""
    place = Place.at(source)
    with place.opened(group.file) as handle, pq.ParquetFile(handle) as file:
        yield from file.iter_batches(_BATCH, row_groups=[group.number], columns=list(dict.fromkeys(names)))
