"""How DuckDB is asked for rows per bin: expressions, their parameters, and the way back from what it answers.

A number's bins come from `histogram`, whose cost hardly grows with the bins. It closes them on the right, so each edge is asked
for as the float just below: x < edge and x <= the float before it are the same. It takes what is no number for the lowest; here
that counts as larger than any, and is moved.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from models.policy import Condition, Segment
from monitoring.adapters.statements import quoted
from monitoring.drift import Binnings
from monitoring.outcomes.estimation import SCORE_BINS

_FIRST = """regexp_extract({}, '"code": *"([^"]*)"', 1)"""
SKETCHED = (
    f"least(floor(probability * {SCORE_BINS}), {SCORE_BINS - 1})::INTEGER",
    "count(*)",
    "fsum(probability)",
    "fsum(probability * (1 - probability))",
)
"""The score's bin, and what `outcomes.estimation.estimated` needs of it."""
_SIGNS = {"==": "=", "<=": "<=", ">=": ">="}


@dataclass(frozen=True)
class Asked:
    """`expressions` with their `values` in one order, and for each column of the binnings how many of them are its own."""

    expressions: Sequence[str]
    values: Sequence[Any]
    widths: Sequence[int]

    @classmethod
    def of(cls, binnings: Binnings) -> Self:
        parts = [_asked(name, binning) for name, binning in binnings.items()]
        flat = [pair for part in parts for pair in part]
        return cls([sql for sql, _ in flat], [value for _, value in flat], [len(part) for part in parts])

    def binned(self, binnings: Binnings, total: int, answers: Sequence[Any]) -> dict[str, NDArray[np.int64]]:
        """Rows per bin of each column, from the answers on a group of `total` rows."""
        ends = list(accumulate(self.widths))
        own = [answers[end - width : end] for end, width in zip(ends, self.widths, strict=True)]
        return {name: _binned(binning, total, part) for (name, binning), part in zip(binnings.items(), own, strict=True)}


def condition(segment: Segment) -> str:
    """Whether a row is in a segment. Numbers are written out: `repr` of a float is read back to the bit."""
    when, unless = (" AND ".join(map(_compared, conditions)) for conditions in (segment.when, segment.unless))
    return f"({when})" if not unless else f"(({when}) AND NOT ({unless}))"


def _compared(one: Condition) -> str:
    return f"{quoted(one.column)} {_SIGNS[one.comparison]} {one.value!r}::DOUBLE"


def _asked(name: str, binning: Mapping[str, Any]) -> list[tuple[str, Any]]:
    # A sum of comparisons is five times as fast as count(*) FILTER, and as exact.
    if "codes" in binning:
        return [(f"sum(({quoted(name)} = ?)::BIGINT)", code) for code in binning["codes"]]
    if "firsts" in binning:
        first = _FIRST.format(quoted(name))
        named = [(f"sum(({first} = ?)::BIGINT)", code) for code in binning["firsts"]]
        return [*named, (f"sum(({first} <> ?)::BIGINT)", "")]
    if not binning["edges"]:
        return []
    number = f"{quoted(name)}::DOUBLE"
    return [(f"histogram({number}, ?::DOUBLE[])", _just_below(binning["edges"])), (f"sum((isnan({number}) = ?)::BIGINT)", True)]


def _binned(binning: Mapping[str, Any], total: int, answers: Sequence[Any]) -> NDArray[np.int64]:
    if "codes" in binning:
        seen = [int(value) for value in answers]
        return np.array([*seen, total - sum(seen)], dtype=np.int64)
    if "firsts" in binning:
        *seen, named = (int(value) for value in answers)
        return np.array([*seen, named - sum(seen)], dtype=np.int64)
    if not answers:
        return np.array([total], dtype=np.int64)
    found, no_numbers = answers
    below = [int(found.get(edge, 0)) for edge in _just_below(binning["edges"])]
    below[0] -= int(no_numbers)
    return np.array([*below, total - sum(below)], dtype=np.int64)


def _just_below(edges: Sequence[float]) -> list[float]:
    return [float(edge) for edge in np.nextafter(np.asarray(edges, dtype=np.float64), -np.inf)]
