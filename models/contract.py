"""One contract per use case, written once as a pydantic record and read by everybody.

Its readers: the request body and its errors (`request_model`), the Great Expectations suite
(`pipelines/adapters/expectations.py`), the Arrow schema of what is stored (`models/adapters/arrow.py`), Evidently's
data definition (`monitoring/adapters/evidently_reports.py`), and the documentation table (`markdown`).

A contract is plain data (`to_dict`, `from_dict`): it travels inside the bundle, so serving needs no use-case code.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from functools import cached_property
from typing import Annotated, Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, GetCoreSchemaHandler, GetJsonSchemaHandler, create_model
from pydantic.fields import FieldInfo
from pydantic_core import core_schema

from models.errors import Integrity

Array = NDArray[Any]
Columns = Mapping[str, Array]
"""A table as the pure code sees it: equally long NumPy arrays by column name."""

Kind = Literal["integer", "number", "text"]
_PYTHON: dict[Kind, type] = {"integer": int, "number": float, "text": str}
_KIND: dict[Any, Kind] = {python: kind for kind, python in _PYTHON.items()}
_MARK = "steward"


class Role(StrEnum):
    KEY = "key"
    TIME = "time"
    INPUT = "input"
    AUDIT = "audit"
    OUTCOME = "outcome"


REQUEST_ROLES = frozenset({Role.KEY, Role.TIME, Role.INPUT})


@dataclass(frozen=True)
class Column:
    """One column: who may see it (`role`), what it may hold, and what it means."""

    name: str
    role: Role
    kind: Kind
    meaning: str
    example: Any
    unit: str = ""
    minimum: float | None = None
    maximum: float | None = None
    pattern: str | None = None
    codes: Mapping[int, str] = field(default_factory=dict)
    step: float = 1.0  # the smallest change of a number that means anything, in its unit

    @property
    def dtype(self) -> type[np.generic]:
        return {"integer": np.int64, "number": np.float64, "text": np.str_}[self.kind]

    def rule(self) -> str:
        """The allowed values in words, for errors and documentation."""
        if self.codes:
            return "one of " + ", ".join(str(code) for code in self.codes)
        if self.pattern:
            return f"text matching {self.pattern}"
        return f"{self.kind} from {self.minimum:,.0f} to {self.maximum:,.0f}"


def column(
    role: Role,
    meaning: str,
    *,
    example: Any,
    unit: str = "",
    ge: float | None = None,
    le: float | None = None,
    pattern: str | None = None,
    codes: Mapping[int, str] | None = None,
    step: float = 1.0,
) -> Any:
    """A field of a contract record. Every column is bounded: by a range, by codes or by a pattern."""
    if not (codes or pattern or (ge is not None and le is not None)):
        raise TypeError(f"the column that means {meaning!r} is unbounded; give ge and le, codes or a pattern")
    if codes:
        ge, le = min(codes), max(codes)
    mark: dict[str, Any] = {"role": role, "unit": unit, "codes": dict(codes or {}), "step": step}
    return Field(description=meaning, examples=[example], ge=ge, le=le, pattern=pattern, json_schema_extra={_MARK: mark})


class Record(BaseModel):
    """Base of every contract record."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


@dataclass(frozen=True)
class Contract:
    """The columns of a use case, in order."""

    name: str
    version: int
    columns: tuple[Column, ...]

    @classmethod
    def of(cls, record: type[Record], *, name: str, version: int) -> Self:
        return cls(name, version, tuple(_column(key, info) for key, info in record.model_fields.items()))

    def __getitem__(self, name: str) -> Column:
        return next(column for column in self.columns if column.name == name)

    def named(self, *roles: Role) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns if column.role in roles)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    @cached_property
    def inputs(self) -> tuple[str, ...]:
        """What the model may see, in the order in which the graph takes it."""
        return self.named(Role.INPUT)

    @cached_property
    def key(self) -> str:
        return self.named(Role.KEY)[0]

    @cached_property
    def time(self) -> str:
        return self.named(Role.TIME)[0]

    def only(self, *roles: Role) -> "Contract":
        return replace(self, columns=tuple(column for column in self.columns if column.role in roles))

    def matrix(self, columns: Columns) -> NDArray[np.float64]:
        """The graph's packed input: shape (rows, inputs), float64. An audit column cannot get in: only inputs are read."""
        return np.column_stack([np.asarray(columns[name], dtype=np.float64) for name in self.inputs])

    def request_model(self) -> type[BaseModel]:
        """The pydantic model of one record of a request: key, time and inputs; anything else is refused."""
        fields: dict[str, Any] = {
            column.name: (_annotation(column), _field(column)) for column in self.columns if column.role in REQUEST_ROLES
        }
        title = "".join(part.title() for part in self.name.split("_")) + "Record"
        return create_model(title, __config__=ConfigDict(extra="forbid", strict=True, frozen=True), **fields)

    def to_dict(self) -> dict[str, Any]:
        rows = [asdict(column) | {"codes": {str(code): text for code, text in column.codes.items()}} for column in self.columns]
        return {"name": self.name, "version": self.version, "columns": rows}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        columns = tuple(
            Column(**row | {"role": Role(row["role"]), "codes": dict(sorted((int(c), text) for c, text in row["codes"].items()))})
            for row in data["columns"]
        )
        return cls(data["name"], data["version"], columns)

    def markdown(self) -> str:
        """The documentation table."""
        lines = ["| column | role | meaning | unit | allowed |", "|---|---|---|---|---|"]
        lines += [f"| `{c.name}` | {c.role} | {c.meaning} | {c.unit} | {c.rule()} |" for c in self.columns]
        return "\n".join(lines) + "\n"


def breaking_changes(old: Contract, new: Contract) -> list[str]:
    """Why a caller of `old` would break under `new`; empty when the change is compatible.

    Compatible: a wider range, a further code, a removed audit or outcome column. Breaking: a request column added,
    removed, retyped or given another role, a narrower range, a code withdrawn.
    """
    before = {c.name: c for c in old.only(*REQUEST_ROLES).columns}
    after = {c.name: c for c in new.only(*REQUEST_ROLES).columns}
    found = [f"{name} was removed" for name in before.keys() - after.keys()]
    found += [f"{name} is new and required" for name in after.keys() - before.keys()]
    for name in before.keys() & after.keys():
        found += _narrowed(before[name], after[name])
    return sorted(found)


def check_callers(old: Contract, new: Contract) -> None:
    """Raises `Integrity` if whoever sends what `old` allows would be refused by `new`, and its version does not say so."""
    if new.version <= old.version and (broken := breaking_changes(old, new)):
        raise Integrity(
            f"the contract breaks the callers of {old.name}: {'; '.join(broken)}",
            hint=f"let callers know, and raise the contract's version above {old.version}: its approval then says that they do",
        )


def _narrowed(old: Column, new: Column) -> list[str]:
    found = [
        f"{old.name}: {what} changed from {was} to {now}"
        for what, was, now in (
            ("kind", old.kind, new.kind),
            ("role", old.role, new.role),
            ("pattern", old.pattern, new.pattern),
        )
        if was != now
    ]
    if withdrawn := old.codes.keys() - new.codes.keys():
        found.append(f"{old.name}: codes {sorted(withdrawn)} were withdrawn")
    if (new.minimum or 0) > (old.minimum or 0) or (new.maximum or 0) < (old.maximum or 0):
        found.append(f"{old.name}: the range became narrower")
    return found


def _column(name: str, info: FieldInfo) -> Column:
    extra: Any = info.json_schema_extra
    if not isinstance(extra, dict) or _MARK not in extra:
        raise TypeError(f"{name} is not declared with column(...)")
    mark = extra[_MARK]
    limits = {key: getattr(item, key) for item in info.metadata for key in ("ge", "le", "pattern") if hasattr(item, key)}
    return Column(
        name=name,
        role=mark["role"],
        kind=_KIND[info.annotation],
        meaning=info.description or "",
        example=(info.examples or [None])[0],
        unit=mark["unit"],
        minimum=limits.get("ge"),
        maximum=limits.get("le"),
        pattern=limits.get("pattern"),
        codes=mark["codes"],
        step=mark["step"],
    )


@dataclass(frozen=True)
class _OneOf:
    """A whole number out of a list. `Literal` would take true for 1 and 0.0 for 0."""

    codes: tuple[int, ...]

    def __get_pydantic_core_schema__(self, _source: Any, _handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.chain_schema([core_schema.int_schema(strict=True), core_schema.literal_schema(list(self.codes))])

    def __get_pydantic_json_schema__(self, _schema: Any, _handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"type": "integer", "enum": list(self.codes)}


def _annotation(column: Column) -> Any:
    return Annotated[int, _OneOf(tuple(column.codes))] if column.codes else _PYTHON[column.kind]


def _field(column: Column) -> Any:
    bounded = not column.codes
    return Field(
        description=column.meaning,
        examples=[column.example],
        ge=column.minimum if bounded else None,
        le=column.maximum if bounded else None,
        pattern=column.pattern,
        allow_inf_nan=False if column.kind == "number" else None,
    )
