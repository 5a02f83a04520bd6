"""What may be known when: which cohorts develop a model, which one judges it, and which accounts stay unseen.

Time comes first (immature is unknown, never good), then accounts: the same account returns every month, so rows of one
account never stand on both sides of a split.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.clock import Month
from models.errors import NotEnoughData
from models.governance.pseudonyms import SPLITS, split_of
from models.usecase import UseCase

Indices = NDArray[np.intp]


@dataclass(frozen=True)
class Plan:
    """Cohorts by purpose: `development`, oldest first, for every choice; `out_of_time`, later than all of them, opened once."""

    development: tuple[Month, ...]
    out_of_time: Month


def matured(use_case: UseCase, months: Sequence[Month], as_of: date) -> tuple[Month, ...]:
    """The cohorts whose outcome is known at the end of `as_of`, oldest first, each once."""
    return tuple(sorted({month for month in months if use_case.matured_at(month) <= as_of}))


def plan(use_case: UseCase, months: Sequence[Month], as_of: date) -> Plan:
    """Development is every matured cohort but the newest, which is out of time. Raises `NotEnoughData` below two."""
    known = matured(use_case, months, as_of)
    if len(known) < 2:
        ripe = ", ".join(map(str, known)) or "none"
        raise NotEnoughData(
            f"{use_case.name} has {len(known)} matured cohorts as of {as_of} ({ripe}); training needs two",
            hint=f"ingest more months, or train as of {use_case.first_as_of} or later, known at an hour after they came",
        )
    return Plan(known[:-1], known[-1])


def folds(accounts: NDArray[Any], count: int, seed: int) -> list[tuple[Indices, Indices]]:
    """Row indices (train, valid) of `count` folds over accounts (n,); an account is in exactly one valid side.

    The fold of an account depends on the order in which the accounts first appear and on the seed, not on their names:
    those change when a key does. Raises `NotEnoughData` if there are fewer accounts than folds.
    """
    place = numbered(accounts)
    distinct = int(place.max(initial=-1)) + 1
    if not 2 <= count <= distinct:
        raise NotEnoughData(
            f"{distinct} accounts cannot be cut into {count} folds",
            hint="use at least two folds and as many accounts",
        )
    fold = np.empty(distinct, dtype=np.int64)
    fold[np.random.default_rng(seed).permutation(distinct)] = np.arange(distinct) % count
    of_row = fold[place]
    return [(np.flatnonzero(of_row != number), np.flatnonzero(of_row == number)) for number in range(count)]


def held_out(accounts: NDArray[Any], share: float = 0.2) -> NDArray[np.bool_]:
    """Which rows belong to accounts that no model is ever trained on, shape (n,).

    The split that an account's pseudonym carries decides (`governance/pseudonyms.py`), so the answer is the same in every
    month, run and machine and under every key, and an account held out at a small share is held out at every larger one.
    """
    unique, place = np.unique(accounts, return_inverse=True)
    positions = np.array([split_of(str(name)) / SPLITS for name in unique])
    return np.asarray((positions < share)[place])


def numbered(accounts: NDArray[Any]) -> NDArray[np.intp]:
    """Accounts (n,) as numbers 0, 1, 2, ... (n,) in the order in which they first appear, whatever they are called."""
    _, first, place = np.unique(accounts, return_index=True, return_inverse=True)
    rank = np.empty(len(first), dtype=np.intp)
    rank[np.argsort(first)] = np.arange(len(first))
    return np.asarray(rank[place])
