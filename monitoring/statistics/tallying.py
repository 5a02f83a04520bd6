"""Counting rows that are in memory: what every engine must find. Parts of a month add up to the month.

What is counted comes as totals by group ("" being all rows), by column, and by bin.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from models.contract import Columns
from models.policy import Segment
from models.reference import matching, places, width
from monitoring.drift import Binnings
from monitoring.outcomes.estimation import sketch
from monitoring.statistics.plan import SCORE, bins_of

Totals = Mapping[str, Mapping[str, NDArray[Any]]]
SKETCHED = ("rows", "bad", "spread")


class Counting(Protocol):
    """It can be pickled."""

    @property
    def names(self) -> list[str]:
        """The columns that it looks at."""
        ...

    def of(self, columns: Columns) -> Totals: ...


@dataclass(frozen=True)
class ByGroup:
    """Rows per bin, for each value of the text column `by`."""

    binnings: Binnings
    by: str

    @property
    def names(self) -> list[str]:
        return [self.by, *self.binnings]

    def of(self, columns: Columns) -> Totals:
        groups = columns[self.by]
        return _counted(self.binnings, columns, {str(group): groups == group for group in dict.fromkeys(groups.tolist())})


@dataclass(frozen=True)
class BySegment:
    """Rows per bin, of all rows and of each segment. A binning may have `firsts`: see `drift.Statistics.tally`."""

    binnings: Binnings
    segments: Mapping[str, Segment]

    @property
    def names(self) -> list[str]:
        return [*self.binnings, *_columns_of(self.segments)]

    def of(self, columns: Columns) -> Totals:
        return _counted(self.binnings, columns, _inside(self.segments, columns))


@dataclass(frozen=True)
class Scores:
    """What `outcomes.estimation.sketch` makes of the scores, of all rows and of each segment."""

    segments: Mapping[str, Segment]

    @property
    def names(self) -> list[str]:
        return [SCORE, *_columns_of(self.segments)]

    def of(self, columns: Columns) -> Totals:
        made = {name: sketch(columns[SCORE][chosen]) for name, chosen in _inside(self.segments, columns).items()}
        return {name: dict(zip(SKETCHED, each.T, strict=True)) for name, each in made.items()}


def _columns_of(segments: Mapping[str, Segment]) -> list[str]:
    return sorted({name for segment in segments.values() for name in segment.columns})


def _inside(segments: Mapping[str, Segment], columns: Columns) -> dict[str, NDArray[np.bool_]]:
    every = np.ones(len(next(iter(columns.values()))), dtype=np.bool_)
    return {"": every} | {name: matching(segment, columns) for name, segment in segments.items()}


def _counted(binnings: Binnings, columns: Columns, inside: Mapping[str, NDArray[np.bool_]]) -> Totals:
    found = {name: dict[str, NDArray[Any]]() for name in inside}
    for key, binning in binnings.items():
        bins, last = _places(binning, columns[key]), bins_of(binning)
        for name, chosen in inside.items():
            found[name][key] = np.bincount(bins[chosen], minlength=last)[:last]
    return found


def _places(binning: Mapping[str, Any], values: NDArray[Any]) -> NDArray[np.int64]:
    """Of texts without a first reason it is a bin more than there are."""
    if "firsts" not in binning:
        return places(binning, values.astype(np.str_) if values.dtype == object else values)
    codes = {"codes": binning["firsts"]}
    first = np.array([_first(text) for text in values.tolist()], dtype=np.str_)
    return np.where(first == "", width(codes), places(codes, first))


@lru_cache(maxsize=4_096)
def _first(text: str) -> str:
    """The code that a text of reasons names first."""
    found = json.loads(text) if text else []
    return str(found[0]["code"]) if found else ""
