"""From the bytes of a request to checked records, by the contract that came with the bundle.

A body is one record, `{"account_id": ...}`, or a batch, `{"records": [{...}, ...]}`. Nothing is converted: "28" is not
a number, true is not 1, NaN is not a number. A name that stands twice in one object is refused: which value was meant?
So is an account that stands twice in one batch for the same month: which decision would count?
"""

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, create_model
from pydantic_core import ErrorDetails

from models.clock import Month
from models.contract import REQUEST_ROLES, Contract
from models.errors import Detail, InputRefused

SHOWN = 100
"""Broken rules named in one refusal, at most; how many there were is always said."""

SPARE = 20_000
"""Names in a body beside twice those that its records have, at most. Each that is no field is told of, and that costs some ten
microseconds and a kilobyte: eight megabytes of them took thirteen seconds and three gigabytes."""

_BATCH = re.compile(rb'\s*\{\s*"records"\s*:')
_LONGEST = 80
_FORM = 'one record, {...}, or a batch, {"records": [{...}, ...]}'

Record = Mapping[str, Any]


class Checker:
    """Built once for a bundle; safe for several threads."""

    def __init__(self, contract: Contract, max_records: int) -> None:
        self.record = contract.request_model()
        self.max_records = max_records
        self._contract = contract
        self._fields = frozenset(self.record.model_fields)
        self._texts = [c.name for c in contract.only(*REQUEST_ROLES).columns if c.kind == "text"]
        self._one = TypeAdapter(self.record)
        self._many: TypeAdapter[Any] = TypeAdapter(
            create_model(
                f"{self.record.__name__}s",
                __config__=ConfigDict(extra="forbid", strict=True, frozen=True),
                records=(list[self.record], Field(min_length=1, max_length=max_records)),  # type: ignore[name-defined]
            )
        )

    def records(self, body: bytes) -> list[Record]:
        """The records in order, their values as the contract types them. Raises `InputRefused`."""
        batch = _BATCH.match(body) is not None
        self._refuse_a_flood(body, batch=batch)
        try:
            found = self._many.validate_json(body).records if batch else [self._one.validate_json(body)]
        except ValidationError as error:
            raise self._refusal(error, batch=batch) from None
        records = [_values(record) for record in found]
        if not self._surely_named_once(body, records, batch=batch):
            _refuse_repeated_names(body)
        _refuse_repeated_accounts(records, self._contract.key, self._contract.time)
        return records

    def _refuse_a_flood(self, body: bytes, *, batch: bool) -> None:
        """Every name has a colon behind it; texts have fewer of them than there are fields, on average."""
        records = min(body.count(b"{"), self.max_records) if batch else 1
        if body.count(b":") > 2 * len(self._fields) * records + SPARE:
            raise InputRefused(
                "the body names far more than records have fields",
                hint=f"nothing was decided; the fields of a record are {', '.join(self.record.model_fields)}",
            )

    def _surely_named_once(self, body: bytes, records: list[Record], *, batch: bool) -> bool:
        """Whether the colons prove it: one after each name, the others in texts. Costs next to nothing; may say no wrongly."""
        named = len(records) * len(self._fields) + batch
        written = sum(record[name].count(":") for name in self._texts for record in records)
        return b"\\" not in body and body.count(b":") == named + written

    def _refusal(self, error: ValidationError, *, batch: bool) -> InputRefused:
        broken = _told(error)
        if broken[0]["type"] == "json_invalid":
            return InputRefused(f"the body is not JSON: {broken[0]['msg'].removeprefix('Invalid JSON: ')}", hint=f"send {_FORM}")
        details = [self._detail(one, batch=batch) for one in broken[:SHOWN]]
        first = details[0]
        where = f"record {first.record}, {first.field}" if first.field else f"record {first.record}"
        more = f", and {len(broken) - 1} more" if len(broken) > 1 else ""
        return InputRefused(
            f"{where}: {f'{first.value} is refused: ' if first.value else ''}{first.rule}{more}",
            details,
            hint="nothing was decided; correct the records and send them all again",
        )

    def _detail(self, broken: ErrorDetails, *, batch: bool) -> Detail:
        place = broken["loc"] if batch else ("records", 0, *broken["loc"])
        if place[0] != "records":
            return Detail(0, _shortened(str(place[0])), "", "not a field; beside `records` nothing may stand")
        if len(place) == 1:
            return Detail(0, "records", "", f"a list of 1 to {self.max_records:,} records")
        record = int(place[1])
        if len(place) == 2:
            return Detail(record, "", _shown(broken["input"]), f"a record is a JSON object; send {_FORM}")
        name = str(place[2])
        if broken["type"] == "extra_forbidden":
            # The value is not repeated: it may be something that nobody here is allowed to see.
            return Detail(record, _shortened(name), "", self._why_not(name))
        rule = self._contract[name].rule()
        if broken["type"] == "missing":
            return Detail(record, name, "", f"missing; {rule}")
        if broken["type"].startswith("int_"):  # 1.0 is one of the codes to whoever reads it
            rule = f"an integer (1, not 1.0): {rule}"
        # Whose record it is says its number: an account id goes into no answer and no log.
        return Detail(record, name, "" if name == self._contract.key else _shown(broken["input"]), rule)

    def _why_not(self, name: str) -> str:
        if name in {column.name for column in self._contract.columns}:
            return "prohibited: this column may not reach a model; leave it out"
        return f"not a field; the fields are {', '.join(self.record.model_fields)}"


def _told(error: ValidationError) -> list[ErrorDetails]:
    """Without the value of a list that is too long: it would be made once more, whole, and is shown to nobody."""
    if error.error_count() == 1:
        told = error.errors(include_url=False, include_context=False, include_input=False)
        if told[0]["type"] == "too_long":
            return told
    return error.errors(include_url=False, include_context=False)


def _values(record: BaseModel) -> Record:
    return vars(record)


def _shown(value: object) -> str:
    """The value as it would stand in JSON, so that text and number can be told apart."""
    return _shortened(json.dumps(value, ensure_ascii=False, default=str))


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _refuse_repeated_names(body: bytes) -> None:
    """Read the body once more, with the names of every object as they stand in it."""
    repeated = [Detail(record, name, "", "named more than once") for record, name in _repeated(body)]
    if repeated:
        first = repeated[0]
        raise InputRefused(
            f"record {first.record}, {first.field}: named more than once",
            repeated[:SHOWN],
            hint="nothing was decided; name every field once",
        )


def _refuse_repeated_accounts(records: Sequence[Record], key: str, time: str) -> None:
    """Each repetition names the record that came first. One look-up a record, however many there are."""
    seen: dict[tuple[str, str], int] = {}
    repeated = []
    for number, record in enumerate(records):
        first = seen.setdefault((record[key], record[time]), number)
        if first != number:
            rule = f"the same account and month as record {first}; an account is decided once a month in a request"
            repeated.append(Detail(number, key, "", rule))
    if repeated:
        told, more = repeated[0], f", and {len(repeated) - 1} more" if len(repeated) > 1 else ""
        raise InputRefused(
            f"record {told.record}, {key}: {told.rule}{more}",
            repeated[:SHOWN],
            hint="nothing was decided; send every account once for a month",
        )


def refuse_the_future(records: Sequence[Record], time: str, this_month: Month) -> None:
    """Raises `InputRefused`: what is to come cannot have been observed, and would hide the months that were."""
    latest = str(this_month)
    late = [number for number, record in enumerate(records) if record[time] > latest]
    if late:
        rule = f"a month up to {latest}, the current one"
        raise InputRefused(
            f"record {late[0]}, {time}: {records[late[0]][time]} is refused: {rule}",
            [Detail(number, time, records[number][time], rule) for number in late[:SHOWN]],
            hint="nothing was decided; correct the records and send them all again",
        )


def _repeated(body: bytes) -> Iterator[tuple[int, str]]:
    pairs: list[tuple[str, Any]] = json.loads(body, object_pairs_hook=list)
    batches = [value for name, value in pairs if name == "records"]
    if len(batches) > 1:
        yield 0, "records"
    for number, record in enumerate(batches[0] if batches else [pairs]):
        yield from ((number, name) for name, count in Counter(name for name, _ in record).items() if count > 1)
