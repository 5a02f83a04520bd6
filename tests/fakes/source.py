"""A source with some of the real accounts, whose months a test can change."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date

import numpy as np

from models.clock import Month
from models.credit_default import USE_CASE
from models.usecase import Cohort

MAY, JUNE, JULY, AUGUST, SEPTEMBER = (Month(2005, number) for number in range(5, 10))


class SomeAccounts:
    """Every tenth account of the panel; `changes` are applied to the months named, `lost` months never come."""

    def __init__(self, step: int = 10) -> None:
        self._panel = USE_CASE.source()
        self._step = step
        self.changes: dict[Month, Callable[[Cohort], Cohort]] = {}
        self.lost: set[Month] = set()

    def months(self) -> list[Month]:
        return [month for month in self._panel.months() if month not in self.lost]

    def last(self) -> Month | None:
        return self._panel.last()

    def cohort(self, month: Month, as_of: date) -> Cohort:
        found = self._panel.cohort(month, as_of)
        codes = found.outcome_codes
        some = replace(
            found,
            columns={name: values[:: self._step] for name, values in found.columns.items()},
            audit={name: values[:: self._step] for name, values in found.audit.items()},
            outcome_codes=None if codes is None else codes[:: self._step],
        )
        return self.changes.get(month, lambda cohort: cohort)(some)


def with_value(name: str, row: int, value: float) -> Callable[[Cohort], Cohort]:
    """The same month with one value of one input changed."""

    def change(cohort: Cohort) -> Cohort:
        values = np.array(cohort.columns[name])
        values[row] = value
        return replace(cohort, columns={**cohort.columns, name: values})

    return change
