"""What is counted of a month: one set of bins for each column, from which every binning that is asked for can be put together.

Two references (the champion's, the first approved one's), narrow bins for distances and the ends of what the contract allows are
edges of the same columns. They are counted once, on the union of all edges; each binning then adds its own bins up, exactly.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.contract import Column, Contract
from models.reference import width
from monitoring.drift import binnings

Counts = NDArray[np.int64]
Tally = Mapping[str, Counts]
REASONS = "reasons"
SCORE = "probability"


@dataclass(frozen=True)
class Allowed:
    """The ends of what a number may be, both included."""

    low: float
    high: float

    @property
    def edges(self) -> list[float]:
        """Below the first is too low; from the second on too high; from the last on, no number at all."""
        return [self.low, float(np.nextafter(self.high, np.inf)), np.inf]


def allowed(contract: Contract) -> dict[str, Allowed]:
    """Of every number in the log: the inputs that are not coded, and the score."""
    numbers = [contract[name] for name in contract.inputs if not contract[name].codes]
    return {column.name: _allowed(column) for column in numbers} | {SCORE: Allowed(0.0, 1.0)}


def planned(contract: Contract, references: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """The bins to count by column. `references` are reference.json's, the deciding bundle's first: its narrow bins count, too."""
    own = references[0]
    known = [own.get("fine", {}), *map(binnings, references)]
    found: dict[str, dict[str, Any]] = {}
    for name, binning in binnings(own).items():
        same = [frozen[name] for frozen in known if name in frozen]
        if "codes" in binning:
            found[name] = {"codes": sorted({code for each in same for code in each.get("codes", [])})}
        else:
            edges = {edge for each in same for edge in each.get("edges", [])}
            found[name] = {"edges": sorted(edges | set(allowed(contract)[name].edges))}
    if codes := own.get("first_reasons"):
        found[REASONS] = {"firsts": sorted(codes)}
    return found


def folded(counted: Mapping[str, Any], counts: Counts, wanted: Mapping[str, Any]) -> Counts:
    """Rows per bin of `wanted`, whose edges or codes are among those counted; what it does not name comes last."""
    if "edges" in counted:
        ends = np.searchsorted(counted["edges"], wanted["edges"]) + 1
        return np.diff(np.concatenate([[0], np.cumsum(counts)])[[0, *ends, len(counts)]])
    kind = "codes" if "codes" in counted else "firsts"
    known = counts[[counted[kind].index(code) for code in wanted["codes"]]]
    return np.append(known, counts.sum() - known.sum())


def bins_of(binning: Mapping[str, Any]) -> int:
    """How many there are."""
    return len(binning["firsts"]) + 1 if "firsts" in binning else width(binning)


def _allowed(column: Column) -> Allowed:
    low, high = column.minimum, column.maximum
    return Allowed(-np.finfo(np.float64).max if low is None else low, np.finfo(np.float64).max if high is None else high)
