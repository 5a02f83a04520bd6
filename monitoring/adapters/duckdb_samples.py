"""A few rows of a sealed month with DuckDB, which stops reading once it has them: no month is too large to look into.

They are shown as they lie in the file. Whether it is as it was sealed is for the monthly statistics and `make verify`.
"""

from collections.abc import Mapping, Sequence

import duckdb

from models.errors import NotFound, Unavailable
from models.lake import Lake, PartitionVersion
from monitoring.adapters.duckdb_files import names_in, source
from monitoring.adapters.statements import quoted
from monitoring.decisions import NO_INPUTS
from monitoring.samples import Bounds

SHOWN = ("decision_id", "account_id", "version", "probability", "action")
COUNTED = ("probability", "action")


class DuckdbSamples:
    def __init__(self, lake: Lake) -> None:
        self._lake = lake

    def some(self, part: PartitionVersion, column: str, within: Bounds, limit: int) -> Sequence[Mapping[str, object]]:
        path = self._lake.path(part)
        there = names_in(path)
        try:
            with duckdb.connect(config={"threads": 1, "memory_limit": "256MB"}) as connection:
                if column not in there or column in set(NO_INPUTS) - set(COUNTED):
                    raise NotFound(f"{column!r} is no column of {part.month}", hint="open it from the list of features")
                names = [*SHOWN, *([] if column in SHOWN else [column])]
                condition, values = _condition(quoted(column), within)
                stored = source(connection, path, names)
                query = f"SELECT {', '.join(map(quoted, names))} FROM {stored} WHERE {condition} LIMIT ?"  # noqa: S608
                rows = connection.execute(query, [*values, limit]).fetchall()
        except duckdb.Error as error:
            raise Unavailable(f"the sealed decisions of {part.month} cannot be read: {error}", hint="make verify") from error
        return [dict(zip(names, row, strict=True)) for row in rows]


def _condition(column: str, within: Bounds) -> tuple[str, list[object]]:
    if within.codes:
        return f"({column} IS NULL OR {column} NOT IN ({', '.join('?' * len(within.codes))}))", [*within.codes]
    if within.code is not None:
        return f"{column} = ?", [within.code]
    asked = [(f"{column} >= ?", within.low), (f"{column} < ?", within.high)]
    given = [(condition, value) for condition, value in asked if value is not None]
    return " AND ".join(condition for condition, _ in given) or "true", [value for _, value in given]
