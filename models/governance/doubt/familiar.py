"""What the model has seen: the ranges and combinations of codes of the accounts that it was made from.

Outside of them a score is a guess that looks like any other score, so serving answers `review` and names the inputs. How
rare is unfamiliar is not chosen by hand: it is set so that a stated share of the development accounts themselves would be
flagged.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from itertools import combinations
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from models.contract import Columns, Contract
from models.errors import Integrity

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

_SPREAD = 2.0**20  # codes lie closer together than this
_FEW = 8  # rows that are looked up one by one: arrays pay only for more


@dataclass(frozen=True)
class Range:
    """A familiar number lies from `low` to `high`, both included."""

    column: str
    low: float
    high: float


@dataclass(frozen=True)
class Combination:
    """Codes that were often enough together: `seen` holds one code by column."""

    columns: tuple[str, ...]
    seen: tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class Familiar:
    """`rarer` is the share of accounts below which a tail or a combination is unfamiliar; `flagged` is the share of the
    development accounts that this flags. Safe for several threads."""

    inputs: tuple[str, ...]
    ranges: tuple[Range, ...]
    combinations: tuple[Combination, ...]
    rarer: float
    flagged: float

    def strange(self, rows: Floats) -> Bools:
        """Of packed inputs (n, inputs), which are unfamiliar, same shape; a combination marks every column of it."""
        if len(rows) <= _FEW:
            return np.array([self._strange_of(row) for row in rows.tolist()], dtype=np.bool_).reshape(rows.shape)
        low, high, joint = self._compiled
        found = ~((rows >= low) & (rows <= high))
        for places, weights, keys in joint:
            asked = _keys(rows[:, places], weights)
            near = keys[np.minimum(np.searchsorted(keys, asked), len(keys) - 1)]
            found[:, places] |= (near != asked)[:, None]
        return found

    def _strange_of(self, row: list[float]) -> list[bool]:
        """The same of one account, by look-ups: a tenth of the time that arrays take for it."""
        ends, joint = self._looked_up
        found = [not low <= value <= high for value, (low, high) in zip(row, ends, strict=True)]
        for places, seen in joint:
            if tuple([row[place] for place in places]) not in seen:
                for place in places:
                    found[place] = True
        return found

    @cached_property
    def _looked_up(self) -> tuple[list[tuple[float, float]], list[tuple[list[int], frozenset[tuple[int, ...]]]]]:
        low, high, joint = self._compiled
        seen = [frozenset(combination.seen) for combination in self.combinations]
        return list(zip(low.tolist(), high.tolist(), strict=True)), [
            (places, codes) for (places, _, _), codes in zip(joint, seen, strict=True)
        ]

    @cached_property
    def _compiled(self) -> tuple[Floats, Floats, list[tuple[list[int], Floats, Floats]]]:
        """Ends of the ranges by input, infinite where there is none; of each combination places, weights and sorted keys."""
        low, high = np.full(len(self.inputs), -np.inf), np.full(len(self.inputs), np.inf)
        for each in self.ranges:
            low[self.inputs.index(each.column)], high[self.inputs.index(each.column)] = each.low, each.high
        joint = []
        for combination in self.combinations:
            places = [self.inputs.index(name) for name in combination.columns]
            weights = np.array([_SPREAD**place for place in range(len(places))])
            joint.append((places, weights, np.sort(_keys(np.array(combination.seen, dtype=np.float64), weights))))
        return low, high, joint

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], contract: Contract) -> Self:
        """Raises `Integrity` unless every input of the contract is looked at."""
        ranges = tuple(Range(**each) for each in data["ranges"])
        seen = tuple(Combination(tuple(each["columns"]), _tuples(each["seen"])) for each in data["combinations"])
        looked_at = {each.column for each in ranges} | {name for each in seen for name in each.columns}
        if looked_at != set(contract.inputs) or tuple(data["inputs"]) != contract.inputs or not all(each.seen for each in seen):
            raise Integrity("what is familiar does not speak of the contract's inputs", hint="seal the bundle again")
        return cls(contract.inputs, ranges, seen, float(data["rarer"]), float(data["flagged"]))


def learned(contract: Contract, development: Columns, share: float) -> Familiar:
    """From the inputs of the accounts that the model was made from, shape (n,): flags at most `share` of them.

    A number is as rare as the accounts that lie at least as far out on its side are few; a combination of codes, as those
    that have it are. An account is as rare as its rarest input, and the rarest accounts, up to the share, are flagged.
    """
    coded = [name for name in contract.inputs if contract[name].codes]
    numbers = {name: np.sort(development[name]) for name in contract.inputs if name not in coded}
    joint = [_counted(names, development) for names in combinations(coded, min(2, len(coded))) if names]
    rows = len(development[contract.inputs[0]])
    few = [_fewer(values, development[name]) for name, values in numbers.items()]
    rarity = np.min([*few, *(counts[place] for _, _, counts, place in joint)], axis=0)
    least = int(np.sort(rarity)[int(share * rows)])
    ranges = tuple(Range(name, float(values[least - 1]), float(values[rows - least])) for name, values in numbers.items())
    often = tuple(Combination(names, _tuples(codes[counts >= least])) for names, codes, counts, _ in joint)
    return Familiar(contract.inputs, ranges, often, least / rows, float(np.mean(rarity < least)))


def _fewer(ordered: NDArray[Any], values: NDArray[Any]) -> NDArray[np.int64]:
    """How many accounts lie at least as far out, on the side where they are fewer, by account (n,)."""
    below = np.searchsorted(ordered, values, side="right")
    above = len(ordered) - np.searchsorted(ordered, values, side="left")
    return np.asarray(np.minimum(below, above))


def _counted(
    names: tuple[str, ...], development: Columns
) -> tuple[tuple[str, ...], NDArray[Any], NDArray[np.int64], NDArray[np.intp]]:
    """Distinct combinations of codes, how often each occurs, and which one each account has."""
    rows = np.column_stack([development[name] for name in names])
    codes, place, counts = np.unique(rows, axis=0, return_inverse=True, return_counts=True)
    return names, codes, counts, place


def _tuples(codes: Iterable[Iterable[Any]]) -> tuple[tuple[int, ...], ...]:
    return tuple(tuple(int(code) for code in each) for each in codes)


def _keys(codes: Floats, weights: Floats) -> Floats:
    """One number for every combination of codes, shape (n, columns) to (n,)."""
    return np.asarray((codes * weights).sum(axis=1))
