"""A file of the lake as something that DuckDB's queries read from, on a disk or in a bucket.

DuckDB reads a disk itself. For S3 it would download an extension; Arrow's client reads there, batch by batch, and hands the
columns on that are asked for. No condition is handed back, as the statistics in a Parquet footer would then decide what is read.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow.dataset as ds
import pyarrow.parquet as pq

from models.adapters.places import Place
from models.lake import Location

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_NAME = "stored"


def source(connection: "DuckDBPyConnection", where: Location, names: Sequence[str]) -> str:
    """What stands behind FROM, for one query that reads these columns."""
    if isinstance(where, Path):
        quoted = str(where).replace("'", "''")
        return f"read_parquet('{quoted}')"
    place = Place.at(str(where))
    with place.told():
        stored = ds.dataset(place.root, filesystem=place.system, format="parquet")
        connection.register(_NAME, stored.scanner(columns=list(dict.fromkeys(names))).to_reader())
    return _NAME


def names_in(where: Location) -> list[str]:
    """The columns of a file. Raises `NotFound`, `Unavailable`, `Integrity`."""
    with Place.at(str(where)).opened("") as file:
        names: list[str] = pq.read_schema(file).names
    return names
