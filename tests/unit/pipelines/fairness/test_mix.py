"""Groups of those who flip: counted behind the door, and withheld wherever somebody could be told from them."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.clock import Month
from models.credit_default import USE_CASE
from pipelines.fairness.audit import Audit
from pipelines.fairness.mix import GroupMix, mix

assert USE_CASE.policy.fairness is not None
LIMITS = USE_CASE.policy.fairness.model_copy(update={"minimum_cell": 10})
JULY = Month(2005, 7)


class Table:
    """An audit table that knows everybody."""

    def __init__(self, columns: Mapping[str, Any]) -> None:
        self.columns = columns

    def of(self, month: Month, accounts: NDArray[np.str_]) -> Audit:
        return Audit(self.columns, np.ones(len(accounts), bool), {})


def rows(marriage: list[int], direction: list[int]) -> list[GroupMix]:
    accounts = np.array([f"p{number}" for number in range(len(marriage))])
    found = mix(USE_CASE.contract, LIMITS, Table({"marriage": np.array(marriage)}), JULY, accounts, np.array(direction))
    return sorted(found, key=lambda row: -row.accounts)


def test_groups_are_counted_by_direction() -> None:
    married, single = rows([1] * 40 + [2] * 30, [1] * 20 + [0] * 20 + [1] * 5 + [-1] * 25)

    assert (married.accounts, married.harsher, married.milder) == (40, 20, 0)
    assert (single.accounts, single.harsher, single.milder) == (30, 5, 25)


def test_a_direction_in_which_few_flip_is_withheld() -> None:
    married, single = rows([1] * 40 + [2] * 30, [1] * 20 + [0] * 41 + [-1] * 9)

    assert (married.harsher, single.harsher) == (20, 0)
    assert married.milder is single.milder is None


def test_a_small_group_is_withheld_and_cannot_be_told_by_subtraction() -> None:
    married, single, other = rows([1] * 40 + [2] * 30 + [3] * 9, [1] * 79)

    assert married.harsher == 40
    assert single.harsher is other.harsher is None
    assert other.accounts == 9


def test_two_small_groups_hide_each_other() -> None:
    found = rows([1] * 40 + [2] * 30 + [3] * 9 + [0] * 8, [1] * 87)

    assert [row.harsher for row in found] == [40, 30, None, None]
