"""Amounts taken together, computed alike for one account and for many: the same sums in the same order, so the same bits."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, reduce
from math import nan
from operator import itemgetter
from typing import Self

import numpy as np
from numpy.typing import NDArray

from models.contract import Contract
from models.errors import Misconfigured
from models.policy import Together

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Measure:
    """One `Together` by places among the packed inputs. Where `over` is not above zero, it is not a number."""

    plus: tuple[int, ...]
    minus: tuple[int, ...]
    over: int | None

    @classmethod
    def of(cls, together: Together, inputs: Sequence[str]) -> Self:
        plus, minus = (tuple(inputs.index(name) for name in names) for names in (together.plus, together.minus))
        return cls(plus, minus, inputs.index(together.over) if together.over else None)

    @property
    def places(self) -> list[int]:
        return [*self.plus, *self.minus, *([] if self.over is None else [self.over])]

    def many(self, rows: Floats) -> Floats:
        """Of packed inputs (n, inputs), shape (n,)."""
        total = np.zeros(len(rows))
        with np.errstate(invalid="ignore", over="ignore"):  # infinity less infinity is not a number, which nobody finds familiar
            for place in self.plus:
                total += rows[:, place]
            for place in self.minus:
                total -= rows[:, place]
            if self.over is None:
                return total
            by = rows[:, self.over]
            return np.asarray(np.divide(total, by, out=np.full(len(rows), nan), where=by > 0))

    @cached_property
    def one(self) -> Callable[[Sequence[float]], float]:
        """Of one account's packed inputs (inputs,)."""
        total, over = _total(self.plus, self.minus), self.over
        if over is None:
            return total
        return lambda row: total(row) / row[over] if row[over] > 0 else nan


def _total(plus: Sequence[int], minus: Sequence[int]) -> Callable[[Sequence[float]], float]:
    """The sum by places, term by term in their order; up to three terms without a loop, which takes half as long."""
    if (len(plus), len(minus)) == (1, 0):
        return itemgetter(plus[0])
    if (len(plus), len(minus)) == (1, 1):
        (a,), (b,) = plus, minus
        return lambda row: row[a] - row[b]
    if (len(plus), len(minus)) == (2, 1):
        (a, b), (c,) = plus, minus
        return lambda row: row[a] + row[b] - row[c]
    return lambda row: reduce(lambda total, place: total - row[place], minus, reduce(lambda t, p: t + row[p], plus, 0.0))


@dataclass(frozen=True)
class Within:
    """A measure with its familiar range, both ends included."""

    measure: Measure
    low: float
    high: float

    @property
    def marked(self) -> list[int]:
        return self.measure.places

    def lacks(self, rows: Floats) -> Bools:
        """Which of packed inputs (n, inputs) lie outside, shape (n,)."""
        worth = self.measure.many(rows)
        return np.asarray(~((worth >= self.low) & (worth <= self.high)))

    @cached_property
    def lacks_one(self) -> Callable[[Sequence[float]], bool]:
        """The same of one account's packed inputs."""
        worth, low, high = self.measure.one, self.low, self.high
        return lambda row: not low <= worth(row) <= high


def check(contract: Contract, compared: Sequence[Together], signs: Sequence[Together]) -> None:
    """Raises `Misconfigured` unless all are numbers among the contract's inputs, of one unit, divided by what is above zero."""
    for each in (*compared, *signs):
        if foreign := [name for name in each.inputs if name not in contract.inputs or contract[name].codes]:
            raise Misconfigured(
                f"{each} takes {', '.join(foreign)}, no amount of {contract.name}", hint="take numbers among its inputs"
            )
        if len(units := sorted({contract[name].unit for name in each.inputs})) > 1:
            raise Misconfigured(f"{each} mixes the units {', '.join(units)}", hint="take amounts of one unit together")
        if each.over and not (contract[each.over].minimum or 0) > 0:
            raise Misconfigured(f"{each} divides by what may be zero", hint="divide by an input whose range lies above zero")
    if divided := [str(each) for each in signs if each.over]:
        raise Misconfigured(f"the sign of {divided[0]} is that of its sum", hint="leave out what it is divided by")
