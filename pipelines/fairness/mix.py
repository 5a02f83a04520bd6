"""Which groups of people are decided upon otherwise by another version: counts by audit column, small ones withheld.

A swap-set report names some of the accounts that flip. So where fewer than a cell's minimum flip in one direction, nothing is
said of their groups at all: who reads both could tell whose they are. Nor can a withheld group be told by subtraction.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.clock import Month
from models.contract import Contract
from models.governance.fairness.groups import Labels, groups
from models.policy import FairnessLimits
from pipelines.fairness.audit import AuditTable


@dataclass(frozen=True)
class GroupMix:
    """Accounts of one group, and how many of them are decided upon more harshly and more mildly; None is withheld."""

    column: str
    group: str
    accounts: int
    harsher: int | None
    milder: int | None


def mix(
    contract: Contract,
    limits: FairnessLimits,
    table: AuditTable,
    month: Month,
    accounts: NDArray[np.str_],
    direction: NDArray[np.int64],
) -> list[GroupMix]:
    """`direction` (n,) is 1 for harsher, -1 for milder, 0 for the same. Raises `NotFound` without audit columns of the month."""
    audit = table.of(month, accounts)
    shown = {turn: int(np.sum(direction == turn)) >= limits.minimum_cell for turn in (1, -1)}
    return [
        row
        for column, labels in groups(contract, limits, audit.columns, audit.known).items()
        for row in _column(column, labels, direction, shown, limits.minimum_cell)
    ]


def _column(column: str, labels: Labels, direction: NDArray[np.int64], shown: Mapping[int, bool], minimum: int) -> list[GroupMix]:
    """One withheld group could be told from the sum over all of them: the next smallest is withheld with it."""
    names, sizes = np.unique(labels, return_counts=True)
    small = sizes < minimum
    if small.sum() == 1:
        small[np.argsort(sizes, kind="stable")[1:2]] = True
    return [
        GroupMix(
            column,
            str(name),
            int(size),
            *(int(np.sum((labels == name) & (direction == turn))) if shown[turn] and not hidden else None for turn in (1, -1)),
        )
        for name, size, hidden in zip(names, sizes, small, strict=True)
    ]
