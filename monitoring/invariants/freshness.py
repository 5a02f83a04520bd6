"""What must be there by now: a month's accounts, the decisions on them, their outcomes. By the calendar, never by what came."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from models.clock import Month
from models.policy import Due, MonitoringLimits
from models.usecase import UseCase
from monitoring.verdict import Finding, Kind, Level

_KINDS: dict[Due, Kind] = {"snapshots": "snapshots_late", "decisions": "decisions_late", "outcomes": "outcomes_late"}
_WHAT: dict[Due, str] = {
    "snapshots": "The accounts of {} have not come",
    "decisions": "Nothing was decided on {}",
    "outcomes": "The outcomes of {} have not come",
}


@dataclass(frozen=True)
class Present:
    """The months that are there. `last` is the last one that there will ever be, None while a new one is due every month.

    `in_force_since` is the day on which a model came into force first: what was due before, nobody waited for.
    """

    snapshots: frozenset[Month]
    decisions: frozenset[Month]
    outcomes: frozenset[Month]
    in_force_since: date | None
    last: Month | None = None


def late(use_case: UseCase, present: Present, limits: MonitoringLimits, today: date) -> list[Finding]:
    """What is due at the end of a day before `today` and is not there; the oldest month first."""
    found = []
    for what, month, due in _expected(use_case, present, limits, today):
        if month not in getattr(present, what) and due < today:
            days = (today - due).days
            text = f"{_WHAT[what].format(month)}: due on {due}, {days} day{'s' if days > 1 else ''} ago."
            found.append(
                Finding(
                    kind=_KINDS[what], level=Level.RED, subject=str(month), text=text, value=days, limit=limits.due_days[what]
                )
            )
    return found


def _expected(use_case: UseCase, present: Present, limits: MonitoringLimits, today: date) -> Iterable[tuple[Due, Month, date]]:
    """What, of which month, and the last day on which it is in time."""
    since = present.in_force_since
    if since is None or not present.snapshots:
        return
    month = min(present.snapshots)
    while month.last_day < today and (present.last is None or month <= present.last):
        known = month in present.snapshots
        ends: list[tuple[Due, date]] = [("snapshots", month.last_day)]
        ends += [("decisions", month.last_day), ("outcomes", use_case.matured_at(month))] if known else []
        for what, end in ends:
            due = end + timedelta(days=limits.due_days[what])
            if due >= since:
                yield what, month, due
        month = month.plus(1)
