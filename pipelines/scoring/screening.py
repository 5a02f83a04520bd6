"""Which rows keep the contract. The verdict is the request model's, as a request gets it (docs/adr/0042-batch-scoring.md).

Most rows are sound, and asking the model about each costs more than scoring it. So columns are compared first with the ranges,
codes and patterns that the contract has as data: what surely keeps them is not asked about. All else is, row by row.
"""

import re
from collections.abc import Mapping, Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ValidationError

from models.contract import REQUEST_ROLES, Array, Column, Contract
from models.errors import Detail, InputRefused
from pipelines.scoring.parts import Batch, File

Bools = NDArray[np.bool_]
_LONGEST = 80
_TAKEN = {"integer": ("integer",), "number": ("number", "integer"), "text": ("text",)}


class Screen:
    """Of one contract."""

    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        self._columns = contract.only(*REQUEST_ROLES).columns

    @cached_property
    def _model(self) -> type[BaseModel]:
        return self._contract.request_model()

    def refused(self, batch: Batch) -> dict[int, str]:
        """Why rows may not be scored, by their place in the batch."""
        doubtful = np.flatnonzero(~self.sure(batch)).tolist()
        return {row: why for row in doubtful if (why := self.why_not(batch.record(row)))}

    def sure(self, batch: Batch) -> Bools:
        """Rows that the request model takes for sure, shape (n,)."""
        kept = np.ones(len(batch), dtype=np.bool_)
        for column in self._columns:
            kept &= _keeps(column, batch.columns[column.name])
            if column.name in batch.missing:
                kept &= ~batch.missing[column.name]
        return kept

    def why_not(self, record: Mapping[str, object]) -> str:
        """The first broken rule as a request's refusal names it, and how many more there are; "" if the record is sound.

        An account's id is in no message.
        """
        try:
            self._model.model_validate(record)
        except ValidationError as error:
            broken = error.errors(include_url=False, include_context=False)
            name = str(broken[0]["loc"][0])
            shown = "" if name == self._contract.key else f"{str(record[name])[:_LONGEST]} is refused: "
            more = f", and {len(broken) - 1} more" if len(broken) > 1 else ""
            return f"{name}: {shown}{self._contract[name].rule()}{more}"
        return ""


def check_columns(contract: Contract, files: Sequence[File]) -> None:
    """Raises `InputRefused` for a column that is missing, too many, prohibited, or would have to be converted."""
    wanted = {column.name: column for column in contract.only(*REQUEST_ROLES).columns}
    for file in files:
        where = file.name or "the file"
        for name in file.kinds.keys() - wanted.keys():
            known = name in contract.names
            rule = "prohibited: this column may not reach a model; leave it out" if known else f"not one of {', '.join(wanted)}"
            raise _refused(where, name, rule)
        for name, column in wanted.items():
            if name not in file.kinds:
                raise _refused(where, name, f"missing; {column.rule()}")
            if file.kinds[name] not in _TAKEN[column.kind]:
                raise _refused(where, name, f"another type; {column.rule()}; nothing is converted")


def _refused(where: str, name: str, rule: str) -> InputRefused:
    return InputRefused(
        f"{where}, {name}: {rule}", [Detail(0, name, "", rule)], hint="nothing was decided; write the input again"
    )


def _keeps(column: Column, values: Array) -> Bools:
    if column.codes:
        return np.isin(values, list(column.codes))
    if column.kind == "text":
        return _matches(column.pattern or "", values.tolist())
    return np.asarray((values >= column.minimum) & (values <= column.maximum))  # no NaN does


def _matches(pattern: str, texts: Sequence[str]) -> Bools:
    """A pattern's $ is the end of the text, as in the request model; Python's would allow a line end behind it."""
    match = re.compile(re.sub(r"\$$", r"\\Z", pattern)).search
    known = {text: match(text) is not None for text in set(texts)}
    return np.fromiter((known[text] for text in texts), dtype=np.bool_, count=len(texts))
