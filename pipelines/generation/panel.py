"""A smoothed bootstrap of a real panel: account k is one real account in every month, its amounts times a factor of its own.

So whatever holds between columns, between months and with the outcome holds for what is generated: who paid the bill in full
still did, and this month's earlier bill is last month's. Codes and round amounts stay as they are, because people choose those.
The limit is stated: a combination of codes that no real account had is never made.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import ceil

import numpy as np
from numpy.typing import NDArray

from models.clock import Month
from models.contract import Columns, Contract, Role
from models.errors import InputRefused
from models.lake import BAD, OUTCOMES, SNAPSHOTS

CHUNK = 131_072
"""Accounts drawn from one stream of random numbers, and rows of one file. The result depends on it, so it is no setting."""
MOST = 10**9
_DIGITS = 9


@dataclass(frozen=True)
class Panel:
    """Real cohorts by month: one account stands in the same row of each. `moved` are the amounts that get the factor."""

    contract: Contract
    snapshots: Mapping[Month, Columns]
    outcomes: Mapping[Month, NDArray[np.int64]]
    bad: Mapping[Month, NDArray[np.bool_]]  # how those codes are read
    moved: tuple[str, ...]
    round_to: float

    @property
    def accounts(self) -> int:
        return len(next(iter(self.outcomes.values())))


@dataclass(frozen=True)
class Recipe:
    """What is generated. `jitter` is the standard deviation of the factor's logarithm."""

    rows: int
    months: tuple[Month, ...]
    seed: int
    jitter: float

    @classmethod
    def of(cls, panel: Panel, rows: int, months: Sequence[Month], seed: int, jitter: float) -> "Recipe":
        """Raises `InputRefused` for what cannot be generated."""
        known = list(panel.snapshots)
        chosen = tuple(months or known)
        if unknown := [str(month) for month in chosen if month not in known]:
            raise InputRefused(f"the panel has no month {unknown[0]}", hint=f"it has {', '.join(map(str, known))}")
        if not len(chosen) <= rows <= MOST * len(chosen):
            raise InputRefused(f"{rows:,} rows cannot be made of {len(chosen)} months", hint="at least one row a month")
        if not 0 <= jitter <= 1:
            raise InputRefused(f"a jitter of {jitter} is not taken", hint="0 copies real accounts, 1 is the most")
        return cls(rows, chosen, seed, jitter)

    @property
    def accounts(self) -> int:
        """Of the first month; the last one may have fewer, so that the rows are as many as were asked for."""
        return ceil(self.rows / len(self.months))

    def parts(self) -> Iterator["Part"]:
        """In their order: month by month, chunk by chunk."""
        left = self.rows
        for month in self.months:
            here = min(self.accounts, left)
            left -= here
            for number, first in enumerate(range(0, here, CHUNK)):
                yield Part(month, number, min(CHUNK, here - first))

    def to_dict(self) -> dict[str, object]:
        return {"rows": self.rows, "months": [*map(str, self.months)], "seed": self.seed, "jitter": self.jitter, "chunk": CHUNK}


@dataclass(frozen=True)
class Part:
    """One file of one month: the accounts of chunk `number`, the first `rows` of them."""

    month: Month
    number: int
    rows: int


def sources(panel: Panel, recipe: Recipe, number: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Which real account each account of a chunk is, and its factor: the same in every month."""
    dice = np.random.default_rng([recipe.seed, number])
    chosen = dice.integers(0, panel.accounts, CHUNK)
    return chosen, np.exp(recipe.jitter * dice.standard_normal(CHUNK))


def generated(panel: Panel, recipe: Recipe, part: Part) -> dict[str, Columns]:
    """The rows of a part by table of the lake. The same wherever and in whatever order parts are made."""
    chosen, factor = sources(panel, recipe, part.number)
    chosen, factor = chosen[: part.rows], factor[: part.rows]
    real, contract = panel.snapshots[part.month], panel.contract
    names = account_names(part.number * CHUNK, part.rows)
    inputs = {name: real[name][chosen] for name in contract.inputs}
    inputs |= {name: _moved(panel, name, inputs[name], factor) for name in panel.moved}
    (outcome,) = contract.named(Role.OUTCOME)
    codes, bad = panel.outcomes[part.month][chosen], panel.bad[part.month][chosen]
    return {
        SNAPSHOTS: {contract.key: names, contract.time: np.full(part.rows, str(part.month)), **inputs},
        OUTCOMES: {contract.key: names, outcome: codes, BAD: bad},
    }


def account_names(first: int, count: int) -> NDArray[np.str_]:
    """`G000000000` and on: a letter that no real account has, and so many digits."""
    numbers = np.arange(first, first + count)
    letters = np.full((count, 1 + _DIGITS), ord("G"), dtype="<u4")
    letters[:, 1:] = numbers[:, None] // 10 ** np.arange(_DIGITS - 1, -1, -1) % 10 + ord("0")
    return letters.view(f"<U{1 + _DIGITS}").ravel()


def _moved(panel: Panel, name: str, values: NDArray[np.float64], factor: NDArray[np.float64]) -> NDArray[np.float64]:
    """Whole amounts within the contract. Round ones stay."""
    column = panel.contract[name]
    moved = np.clip(np.rint(values * factor), column.minimum, column.maximum)
    return np.where(values % panel.round_to == 0, values, moved)
