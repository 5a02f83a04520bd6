"""What a batch is made of, and what an engine does with it: the ports between the rules and whatever moves the rows."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any, Literal, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from models.bundle import canonical, sha256
from models.contract import Columns

Kind = Literal["integer", "number", "text", "boolean"]


@dataclass(frozen=True)
class File:
    """`kinds` are those of its columns, "" for a type that no contract knows; `identity` changes when the file does."""

    name: str
    rows: int
    identity: str
    kinds: Mapping[str, Kind | Literal[""]]


@dataclass(frozen=True)
class Part:
    """Rows of one file, the unit that is decided, recorded and gone on from. `number` counts through all files, and `offset`
    is the number of its first row among all rows."""

    number: int
    file: str
    first: int
    rows: int
    offset: int

    def without(self, others: Iterable["Part"]) -> Iterator["Part"]:
        """What of its rows is in none of the others."""
        at, end = self.first, self.first + self.rows
        for other in sorted((each for each in others if each.file == self.file), key=lambda each: each.first):
            if at < min(other.first, end):
                yield self._from(at, min(other.first, end))
            at = max(at, other.first + other.rows)
        if at < end:
            yield self._from(at, end)

    def _from(self, first: int, end: int) -> "Part":
        return replace(self, first=first, rows=end - first, offset=self.offset + first - self.first)


@dataclass(frozen=True)
class Plan:
    """`run` names the run: the same input for the same model goes on with it."""

    run: str
    model: str
    source: str
    output: str
    parts: tuple[Part, ...]

    @classmethod
    def of(cls, model: str, source: str, output: str, files: Sequence[File], rows: int, label: str) -> Self:
        """Parts of at most `rows` rows. A `label` makes another run of the same input."""
        what = {"model": model, "files": [[file.name, file.rows, file.identity] for file in files], "label": label}
        parts: list[Part] = []
        offset = 0
        for file in files:
            for first in range(0, file.rows, rows):
                parts.append(Part(len(parts), file.name, first, min(rows, file.rows - first), offset + first))
            offset += file.rows
        return cls(sha256(canonical(what))[:32], model, source, output, tuple(parts))

    def after(self, begun: Sequence[Part]) -> Self:
        """The same run in which these parts were begun: they stay as they were cut, and the rest is cut as it is now.

        So whoever has less memory than a killed run took may go on with smaller parts.
        """
        numbers = count(1 + max((part.number for part in begun), default=-1))
        left = [replace(each, number=next(numbers)) for part in self.parts for each in part.without(begun)]
        return replace(self, parts=(*begun, *left))

    @property
    def rows(self) -> int:
        return sum(part.rows for part in self.parts)

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        return cls(**{**data, "parts": tuple(Part(**part) for part in data["parts"])})

    def decision_id(self, row: int) -> str:
        """The same however often the run begins again."""
        return f"{self.run}-{row}"


@dataclass(frozen=True)
class Batch:
    """Rows as an engine hands them over: columns without nulls, where the nulls were, and each row's number among all rows.

    Text columns are arrays of objects: one long text must not widen all of them.
    """

    columns: Columns
    missing: Mapping[str, NDArray[np.bool_]]
    numbers: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.numbers)

    def record(self, row: int) -> dict[str, Any]:
        """One row as it would stand in a request."""
        return {name: None if self.is_missing(name, row) else _plain(values[row]) for name, values in self.columns.items()}

    def is_missing(self, name: str, row: int) -> bool:
        return name in self.missing and bool(self.missing[name][row])


Mapped = Callable[[Batch], Columns]


class Work(Protocol):
    """What is done with rows: it can be pickled, and is opened where the rows are."""

    @property
    def kinds(self) -> Mapping[str, Kind]:
        """The columns that come out. One of them is `row`, the number of the row that each is about."""
        ...

    def opened(self) -> Mapped:
        """Safe for several threads."""
        ...


class Engine(Protocol):
    """Moves rows past the work. Every engine gives the same results, for each row of the input."""

    def mapped(
        self, work: Work, source: str, parts: Sequence[Part], names: Sequence[str], into: Callable[[Part], Path]
    ) -> Iterator[Part]:
        """The parts as they become ready, each whole in `into(part)`, a Parquet file or a folder of them, or not there at all.

        Memory is bounded by parts that are worked on at a time.
        """
        ...

    def repeated(self, source: str, names: Sequence[str], most: int) -> list[tuple[str, ...]]:
        """Values of these columns that stand together in more than one row; `most` of them, at most."""
        ...


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value
