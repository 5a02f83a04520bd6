"""From columns to records, in the form that `Checker` reads."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from serving.protocols import strict_json


def as_records(columns: Mapping[str, Sequence[Any]], count: int, strangers: Iterable[str] = ()) -> bytes:
    """`strangers`: names that are no inputs. Their values are not read, and one place is enough for the contract to refuse them:
    there may be many names, and many records."""
    rows = zip(*columns.values(), strict=True) if columns else ((),) * count
    records = [dict(zip(columns, row, strict=True)) for row in rows]
    if records:
        records[0] |= dict.fromkeys(strangers)
    return strict_json.write({"records": records})
