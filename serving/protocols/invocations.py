"""The scoring protocol of MLflow and SageMaker: `POST /invocations`, brought into our own form and out of it.

Only the form is translated. What stands in a record is checked afterwards as everything else is, by the bundle's contract and
without conversion; a cell of a CSV file is a number if the contract's column is one and the cell is spelled as JSON spells it.
https://mlflow.org/docs/latest/ml/deployment/deploy-model-locally (inference server specification)
"""

import csv
import io
import json
import re
from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from typing import Any

from models.contract import REQUEST_ROLES, Contract
from models.errors import InputRefused
from serving.protocols import strict_json

CSV = "text/csv"
TARGET = "x-amzn-sagemaker-target-model"
"""The header that says which model is asked, where several are served."""

_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?")
MOST_COLUMNS = 1_000
_FORMS = "dataframe_split, dataframe_records, instances or inputs"


def translated(body: bytes, media: str, contract: Contract, most: int) -> bytes:
    """A body as `Checker` reads it: `{"records": [...]}`, of `most` records at most. Raises `InputRefused` if its form cannot be
    read."""
    records = _of_csv(body, contract, most) if media == CSV else _of_json(body, most)
    return strict_json.write({"records": records})


def returned(response: bytes) -> bytes:
    """Our answer under the name that the protocol has for it."""
    said = json.loads(response)
    return strict_json.write({"predictions": said.pop("answers")} | said)


def _of_json(body: bytes, most: int) -> list[Any]:
    try:
        asked = strict_json.read(body)
    except ValueError as error:
        raise InputRefused(f"the body is not JSON: {error}", hint=f"send an object with one of {_FORMS}") from None
    named = set(asked) & _READERS.keys() if isinstance(asked, dict) else set()
    others = sorted(set(asked) - named) if isinstance(asked, dict) else []
    if len(named) != 1 or others:
        found = ", ".join([*sorted(named), *others])[:80] or "none of them"
        raise InputRefused(
            f"a body has exactly one of {_FORMS}; there is {found}", hint="nothing was decided; `params` have no use here"
        )
    [form] = named
    return _READERS[form](asked[form], form, most)


def _split(frame: Any, form: str, most: int) -> list[Any]:
    if not isinstance(frame, dict) or not {"columns", "data"} <= frame.keys() <= {"columns", "data", "index"}:
        raise _shape(form, 'an object with "columns" and "data"')
    columns, rows = frame["columns"], frame["data"]
    if (
        not _texts(columns)
        or not isinstance(rows, list)
        or any(not isinstance(row, list) or len(row) != len(columns) for row in rows)
    ):
        raise _shape(form, "one value for every column in every row, and a name for every column")
    return _rows(columns, rows, most)


def _records(found: Any, form: str, most: int) -> list[Any]:
    if not isinstance(found, list):
        raise _shape(form, "a list of records")
    _bounded(len(found), most)
    return found


def _inputs(found: Any, form: str, most: int) -> list[Any]:
    """Records, or one list of values by column."""
    if isinstance(found, list):
        return _records(found, form, most)
    if not isinstance(found, dict) or not all(isinstance(values, list) for values in found.values()):
        raise _shape(form, "a list of records, or a list of values by column")
    if len({len(values) for values in found.values()}) != 1:
        raise _shape(form, "as many values in every column")
    _bounded(len(next(iter(found.values()))), most)
    return _rows(list(found), list(map(list, zip(*found.values(), strict=True))), most)


_READERS: Mapping[str, Callable[[Any, str, int], list[Any]]] = {
    "dataframe_split": _split,
    "dataframe_records": _records,
    "instances": _records,
    "inputs": _inputs,
}


def _of_csv(body: bytes, contract: Contract, most: int) -> list[Any]:
    texts = {column.name for column in contract.only(*REQUEST_ROLES).columns if column.kind == "text"}
    try:
        # Line ends within quotes are part of a value: what splits lines elsewhere must not join values here.
        # A mark of the byte order, which spreadsheets write before the first name, is none of it.
        reader = csv.reader(io.StringIO(body.decode("utf-8-sig"), newline=""), strict=True)
        head, lines = next(reader, []), list(islice(reader, most + 1))
        rows = [[_cell(cell, text=name in texts) for name, cell in zip(head, line, strict=False)] for line in lines]
    except (ValueError, csv.Error) as error:
        why = strict_json.plainly(error) if isinstance(error, ValueError) else error
        raise InputRefused(f"the body is not CSV: {why}", hint="send a line of names, then a line for every record") from None
    if not head:
        raise _shape("the CSV", "a line of names, then a line for every record")
    if blank := [number for number, line in enumerate(lines, start=1) if not line]:
        raise InputRefused(
            f"line {blank[0]} of the CSV is blank", hint="send a line for every record, and no other, also at the end"
        )
    if wrong := [number for number, line in enumerate(lines, start=1) if len(line) != len(head)]:
        raise _shape(f"line {wrong[0]} of the CSV", f"{len(head)} values, as the line of names has")
    return _rows(head, rows, most)


def _cell(written: str, *, text: bool) -> Any:
    return json.loads(written) if not text and _NUMBER.fullmatch(written) else written


def _rows(columns: Sequence[str], rows: Sequence[Sequence[Any]], most: int) -> list[Any]:
    _bounded(len(rows), most)
    if len(columns) > MOST_COLUMNS:
        raise _shape("columns", f"at most {MOST_COLUMNS:,} names")
    if "" in columns:
        raise InputRefused("a column has no name", hint="nothing was decided; leave an index out: frame.to_csv(index=False)")
    if len(set(columns)) != len(columns):
        raise _shape("columns", "every name once")
    return [dict(zip(columns, row, strict=True)) for row in rows]


def _bounded(records: int, most: int) -> None:
    """Before anything is made of them: what is refused afterwards takes room all the same."""
    if records > most:
        raise InputRefused(f"there are more than {most:,} records", hint="nothing was decided; send fewer in one request")


def _texts(columns: Any) -> bool:
    return isinstance(columns, list) and all(isinstance(name, str) for name in columns)


def _shape(what: str, wanted: str) -> InputRefused:
    return InputRefused(f"{what} needs {wanted}", hint="nothing was decided; correct the body and send all of it again")
