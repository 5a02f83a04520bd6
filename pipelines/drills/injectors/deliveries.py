"""What an upstream system does to a month's delivery: functions from the month that should have come, and the month before."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date

import numpy as np

from models.clock import Month
from models.contract import Array
from models.usecase import Cohort, Source

SEED = 1405
Fault = Callable[[Cohort, Cohort], Cohort]
"""(this month, the month before) -> what comes instead."""


@dataclass(frozen=True)
class Faulty:
    """A source of which every delivery from `start` on goes through the fault."""

    source: Source
    start: Month
    fault: Fault

    def months(self) -> list[Month]:
        return self.source.months()

    def last(self) -> Month | None:
        return self.source.last()

    def cohort(self, month: Month, as_of: date) -> Cohort:
        cohort = self.source.cohort(month, as_of)
        return self.fault(cohort, self.source.cohort(month.plus(-1), as_of)) if month >= self.start else cohort


def scaled(columns: Mapping[str, float]) -> Fault:
    """Amounts in another unit: each column named is multiplied by its factor."""
    return lambda cohort, _: _with(cohort, {name: cohort.columns[name] * factor for name, factor in columns.items()})


def recoded(column: str, old: int, new: int, share: float) -> Fault:
    """A share of the rows with one code gets another: somebody changed what the codes mean."""

    def fault(cohort: Cohort, _: Cohort) -> Cohort:
        codes = cohort.columns[column]
        hit = (codes == old) & (_dice(cohort).random(len(codes)) < share)
        return _with(cohort, {column: np.where(hit, new, codes)})

    return fault


def emptied(column: str, share: float) -> Fault:
    """A share of the rows has no value."""

    def fault(cohort: Cohort, _: Cohort) -> Cohort:
        values = cohort.columns[column].astype(np.float64)
        return _with(cohort, {column: np.where(_dice(cohort).random(len(values)) < share, np.nan, values)})

    return fault


def stuck(cohort: Cohort, before: Cohort) -> Cohort:
    """Last month's file under this month's name."""
    month = np.full(len(before.columns["snapshot_month"]), str(cohort.month))
    return replace(before, month=cohort.month, columns={**before.columns, "snapshot_month": month}, outcome_codes=None)


def doubled(cohort: Cohort, _: Cohort) -> Cohort:
    """Every row twice."""
    codes = cohort.outcome_codes
    return replace(
        cohort,
        columns={name: np.concatenate([values, values]) for name, values in cohort.columns.items()},
        audit={name: np.concatenate([values, values]) for name, values in cohort.audit.items()},
        outcome_codes=None if codes is None else np.concatenate([codes, codes]),
    )


def _with(cohort: Cohort, columns: Mapping[str, Array]) -> Cohort:
    return replace(cohort, columns={**cohort.columns, **columns})


def _dice(cohort: Cohort) -> np.random.Generator:
    return np.random.default_rng([SEED, cohort.month.year, cohort.month.number])
