"""A round over a model's alerts: what its reports and the clock say now, kept in the book."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from models.clock import Clock
from models.errors import PlatformError
from models.governance.ledger import Entry, Event, Hold
from models.policy import MonitoringLimits
from models.usecase import UseCase
from monitoring.alerts.alert import Alert
from monitoring.alerts.book import AlertBook
from monitoring.alerts.causes import causes, heard, standing
from monitoring.alerts.upkeep import Circumstances, kept_true, reminded
from monitoring.report import MonthlyReport, ReportStore, newest
from monitoring.verdict import Finding, Kind, Level


@dataclass(frozen=True)
class Watchtower:
    """Where reports are read and alerts kept."""

    reports: ReportStore
    book: AlertBook
    clock: Clock


def look_around(
    use_case: UseCase,
    tower: Watchtower,
    limits: MonitoringLimits,
    clock_says: Sequence[Finding],
    unheard: frozenset[Kind] = frozenset(),
) -> list[Alert]:
    """Raise, follow and close, and remind of what is overdue; returns the alerts that changed.

    `limits` are those of the bundle that decided last; `clock_says` is all that is late, away or held now,
    but for the kinds that are `unheard`: those are neither raised nor closed.
    """
    now, model, alerting = tower.clock.now(), use_case.name, use_case.alerting
    reports, damaged = _reports(tower, model)
    told = standing([*clock_says, *damaged], now.date().isoformat(), model, alerting)
    found = [*causes(reports, limits, alerting), *told]
    looked_at = heard(reports, unheard)
    about = Circumstances(model, now, alerting, use_case.inventory.owner)

    def revision(alerts: Sequence[Alert]) -> list[Alert]:
        changed = {alert.id: alert for alert in kept_true(alerts, found, looked_at, about)}
        return [*changed.values(), *reminded([alert for alert in alerts if alert.id not in changed], now)]

    return tower.book.revise(model, revision)


def _reports(tower: Watchtower, model: str) -> tuple[list[MonthlyReport], list[Finding]]:
    """The newest of each month; none of them, and that they cannot be read, where one is damaged."""
    try:
        return [report for _, report in newest(tower.reports, model)], []
    except PlatformError as error:
        return [], [unreadable("what the months were like", error.problem)]


def held(holds: Sequence[Hold]) -> list[Finding]:
    """Each open hold calls its owner until a person has released it."""
    return [
        Finding(
            kind="hold",
            level=Level.HELD,
            subject=" ".join(filter(None, [hold.month, hold.column])),
            text=f"Retraining is held: {hold.what.rstrip('.')} ({hold.month}).",
        )
        for hold in holds
    ]


def unwatched(problem: str) -> list[Finding]:
    """That nobody has reported on a model for too long; nothing if there is no such problem."""
    return [Finding(kind="report_late", level=Level.AMBER, subject="", text=f"{problem}.")] if problem else []


def tampered(problem: str) -> list[Finding]:
    """That what is in force is not what was released. Whoever needs the bundle refuses to go on; alerts must not."""
    return [Finding(kind="tampered", level=Level.RED, subject="champion", text=f"{problem}.")] if problem else []


def unreadable(what: str, problem: str) -> Finding:
    """That a part of the platform could not be looked at. What it would tell stays as it is meanwhile."""
    return Finding(kind="unreadable", level=Level.RED, subject=what, text=f"It cannot be seen {what}: {problem.rstrip('.')}.")


def unanswered(problem: str) -> list[Finding]:
    """That the scoring service did not say how it is."""
    return [Finding(kind="unavailable", level=Level.RED, subject="service", text=f"{problem}.")] if problem else []


def in_force_since(entries: Sequence[Entry]) -> datetime | None:
    """When a model came into force first."""
    promoted = next((entry for entry in entries if entry.event is Event.PROMOTED), None)
    return datetime.fromisoformat(promoted.recorded_at) if promoted else None
