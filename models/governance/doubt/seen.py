"""Combinations of codes, and of codes with the signs of amounts, that a model was made from often enough."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from models.governance.doubt.together import Measure
from models.policy import Together

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Combination:
    """Codes, and the signs of amounts, that were often enough together: `seen` holds one code by column, then one sign each."""

    columns: tuple[str, ...]
    seen: tuple[tuple[int, ...], ...]
    signs: tuple[Together, ...] = ()


@dataclass(frozen=True)
class Seen:
    """A combination by places among the packed inputs: looked up of one account, and searched for of many.

    For many, a code or sign is the place of its value among those that were seen of it (`levels`), and a combination one
    number of these places (`keys`, sorted): exact whatever the codes are.
    """

    codes: list[int]
    signs: list[Measure]
    marked: list[int]
    known: frozenset[tuple[int, ...]]
    levels: list[Floats]
    keys: NDArray[np.int64]

    @classmethod
    def of(cls, combination: Combination, inputs: Sequence[str]) -> Self:
        codes = [inputs.index(name) for name in combination.columns]
        signs = [Measure.of(each, inputs) for each in combination.signs]
        marked = list(dict.fromkeys([*codes, *(place for each in signs for place in each.places)]))
        seen = np.array(combination.seen, dtype=np.float64)
        levels = [np.unique(column) for column in seen.T]
        keys, _ = _keys(list(seen.T), levels)
        return cls(codes, signs, marked, frozenset(combination.seen), levels, np.sort(keys))

    def lacks(self, rows: Floats) -> Bools:
        """Which of packed inputs (n, inputs) have a combination that was not seen, shape (n,)."""
        asked, known = _keys([*rows[:, self.codes].T, *(signs_of(each.many(rows)) for each in self.signs)], self.levels)
        near = self.keys[np.minimum(np.searchsorted(self.keys, asked), len(self.keys) - 1)]
        return np.asarray(~known | (near != asked))

    @cached_property
    def lacks_one(self) -> Callable[[Sequence[float]], bool]:
        """The same of one account's packed inputs."""
        codes, totals, known = self.codes, [each.one for each in self.signs], self.known

        def lacks(row: Sequence[float]) -> bool:
            asked = [row[place] for place in codes]
            for total in totals:
                value = total(row)
                asked.append(1 if value > 0 else -1 if value < 0 else 0)
            return tuple(asked) not in known

        return lacks


def signs_of(values: Floats) -> Floats:
    """-1, 0 or 1, and 0 of what is not a number: that is found by its range."""
    return np.asarray((values > 0).astype(np.float64) - (values < 0))


def tuples(codes: Iterable[Iterable[Any]]) -> tuple[tuple[int, ...], ...]:
    return tuple(tuple(int(code) for code in each) for each in codes)


def _keys(columns: Sequence[Floats], levels: Sequence[Floats]) -> tuple[NDArray[np.int64], Bools]:
    """One number for every combination (n,), and whether each of its values is among the levels (n,)."""
    keys, known = np.zeros(len(columns[0]), dtype=np.int64), np.ones(len(columns[0]), dtype=np.bool_)
    for values, own in zip(columns, levels, strict=True):
        place = np.minimum(np.searchsorted(own, values), len(own) - 1)
        known &= own[place] == values
        keys = keys * len(own) + place
    return keys, known
