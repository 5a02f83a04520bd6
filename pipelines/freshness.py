"""A month that never came. What is due follows from the calendar and the clock, never from what the source says it has."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime

from models.clock import Month, end_of_day
from models.errors import InputRefused
from models.governance.ledger import Hold
from models.lake import OUTCOMES, SNAPSHOTS, Lake
from models.usecase import Source, UseCase


def missing(source: Source, lake: Lake, as_of: date, now: datetime) -> list[Month]:
    """The snapshots that are due at the end of `as_of` and are neither in the lake nor offered: gaps, and the newest.

    Months are due from the first one known on, each once its last day is over.
    """
    here = {*source.months(), *(part.month for part in lake.versions(SNAPSHOTS))}
    newest, last = _newest_over(as_of, now), source.last()
    due = between(min(here), min(newest, last or newest).plus(1)) if here else []
    return [month for month in due if month not in here]


def ensure_known(use_case: UseCase, source: Source, lake: Lake, day: date) -> None:
    """Raises `InputRefused` for a day before the first month that source or lake have: nothing can be known as of it."""
    here = {*source.months(), *(part.month for part in lake.versions(SNAPSHOTS))}
    if here and day < min(here).first_day:
        raise InputRefused(
            f"{day} lies before everything that is known: the first month of {use_case.name} is {min(here)}",
            hint=f"give a day from {min(here).last_day} on, when that month is over",
        )


def between(first: Month, end: Month) -> list[Month]:
    """The months from `first` on, before `end`."""
    count = 12 * (end.year - first.year) + end.number - first.number
    return [first.plus(index) for index in range(count)]


def absence(use_case: UseCase, table: str, cohort: Month) -> dict[str, str]:
    """What the ledger says of a hold about a delivery that has not come."""
    month = cohort if table == SNAPSHOTS else cohort.plus(use_case.outcome_delay)
    evidence = f"the {table} of cohort {cohort} were due at the end of {month.last_day}"
    return {"month": str(month), "what": f"the {table} have not come", "evidence": evidence, "coding": "", "column": ""}


def arrived(use_case: UseCase, lake: Lake, holds: Iterable[Hold]) -> Sequence[Mapping[str, str]]:
    """Of these holds, those about deliveries that have come since, as `absence` says them."""
    waiting = {(hold.month, hold.what) for hold in holds}
    here = [absence(use_case, part.table, part.month) for table in (SNAPSHOTS, OUTCOMES) for part in lake.versions(table)]
    return [facts for facts in here if (facts["month"], facts["what"]) in waiting]


def _newest_over(as_of: date, now: datetime) -> Month:
    month = Month.of(as_of)
    return month if month.last_day <= as_of and end_of_day(month.last_day) <= now else month.plus(-1)
