"""What the model has seen: the ranges and combinations of the accounts that it was made from.

Outside of them a score is a guess that looks like any other score, so serving answers `review` and names the inputs. Looked
at are single amounts, pairs of codes, and what the policy declares to mean something together: amounts of one unit (a bill by
the limit), and codes with the signs of amounts (behind on payment with nothing owed). How rare is unfamiliar is not chosen
by hand: it is set so that a stated share of the development accounts themselves would be flagged, by all of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from models.contract import Contract
from models.errors import Integrity
from models.governance.doubt.seen import Combination, Seen, tuples
from models.governance.doubt.together import Measure, Within
from models.policy import RobustnessLimits, Together

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

_FEW = 24  # rows that are looked up one by one: arrays pay only for more


@dataclass(frozen=True)
class Range:
    """A familiar number lies from `low` to `high`, both included."""

    column: str
    low: float
    high: float


@dataclass(frozen=True)
class TogetherRange:
    """The same of amounts taken together."""

    together: Together
    low: float
    high: float


@dataclass(frozen=True)
class Familiar:
    """`rarer` is the share of accounts below which a tail or a combination is unfamiliar; `flagged` is the share of the
    development accounts that this flags. Safe for several threads."""

    inputs: tuple[str, ...]
    ranges: tuple[Range, ...]
    combinations: tuple[Combination, ...]
    rarer: float
    flagged: float
    compared: tuple[TogetherRange, ...] = ()

    def strange(self, rows: Floats) -> Bools:
        """Of packed inputs (n, inputs), which are unfamiliar, same shape.

        What is taken together marks every input of it, unless one of them is odd by itself: no more is named than is odd.
        """
        if len(rows) <= _FEW:
            return np.array([self._strange_of(row) for row in rows.tolist()], dtype=np.bool_).reshape(rows.shape)
        low, high, pairs, together = self._compiled
        found = ~((rows >= low) & (rows <= high))
        for each in pairs:
            found[:, each.marked] |= each.lacks(rows)[:, None]
        alone = found.copy()
        for tie in together:
            found[:, tie.marked] |= (tie.lacks(rows) & ~alone[:, tie.marked].any(axis=1))[:, None]
        return found

    def _strange_of(self, row: list[float]) -> list[bool]:
        """The same of one account, by look-ups: a tenth of the time that arrays take for it."""
        _, _, pairs, together = self._compiled
        found = [not low <= value <= high for value, (low, high) in zip(row, self._ends, strict=True)]
        for each in pairs:
            if each.lacks_one(row):
                for place in each.marked:
                    found[place] = True
        odd = [tie for tie in together if tie.lacks_one(row)]
        if not odd:
            return found
        for places in [tie.marked for tie in odd if not any(found[place] for place in tie.marked)]:
            for place in places:
                found[place] = True
        return found

    @cached_property
    def _ends(self) -> list[tuple[float, float]]:
        low, high, _, _ = self._compiled
        return list(zip(low.tolist(), high.tolist(), strict=True))

    @cached_property
    def _compiled(self) -> tuple[Floats, Floats, list[Seen], list[Seen | Within]]:
        """Ends of the ranges by input, infinite where there is none; pairs of codes; what the policy takes together."""
        low, high = np.full(len(self.inputs), -np.inf), np.full(len(self.inputs), np.inf)
        for each in self.ranges:
            low[self.inputs.index(each.column)], high[self.inputs.index(each.column)] = each.low, each.high
        seen = [(bool(each.signs), Seen.of(each, self.inputs)) for each in self.combinations]
        within = [Within(Measure.of(each.together, self.inputs), each.low, each.high) for each in self.compared]
        return low, high, [each for signed, each in seen if not signed], [*within, *(each for signed, each in seen if signed)]

    def speaks_of(self, limits: RobustnessLimits) -> bool:
        """Whether the amounts taken together are those that a policy declares."""
        signs = {each for combination in self.combinations for each in combination.signs}
        return tuple(each.together for each in self.compared) == limits.compared and signs == set(limits.signs)

    def to_dict(self) -> dict[str, Any]:
        """JSON; what an older release did not know is left out where there is none of it."""
        plain = {name: getattr(self, name) for name in ("inputs", "rarer", "flagged")}
        ranges = [vars(each) for each in self.ranges]
        compared = [vars(each) | {"together": each.together.model_dump()} for each in self.compared]
        joint = [
            {"columns": each.columns, "seen": each.seen}
            | ({"signs": [sign.model_dump() for sign in each.signs]} if each.signs else {})
            for each in self.combinations
        ]
        return plain | {"ranges": ranges, "combinations": joint} | ({"compared": compared} if compared else {})

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], contract: Contract) -> Self:
        """Raises `Integrity` unless every input of the contract is looked at. A bundle of before has nothing taken together."""
        ranges = tuple(Range(**each) for each in data["ranges"])
        seen = tuple(
            Combination(tuple(each["columns"]), tuples(each["seen"]), tuple(map(Together.model_validate, each.get("signs", ()))))
            for each in data["combinations"]
        )
        compared = tuple(
            TogetherRange(Together.model_validate(each["together"]), each["low"], each["high"])
            for each in data.get("compared", ())
        )
        looked_at = {each.column for each in ranges} | {name for each in seen for name in each.columns}
        if looked_at != set(contract.inputs) or tuple(data["inputs"]) != contract.inputs or not all(each.seen for each in seen):
            raise Integrity("what is familiar does not speak of the contract's inputs", hint="seal the bundle again")
        return cls(contract.inputs, ranges, seen, float(data["rarer"]), float(data["flagged"]), compared)
