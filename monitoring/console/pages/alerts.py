"""What stands on the pages of alerts: those that are open, and one with its runbook."""

from collections.abc import Sequence
from dataclasses import dataclass

from monitoring.alerts.alert import Alert
from monitoring.alerts.book import every_open, found
from monitoring.alerts.kinds import KINDS
from monitoring.alerts.runbook import Runbook
from monitoring.console.sources import Sources, Trouble, or_trouble

CLOSED_SHOWN = 50


@dataclass(frozen=True)
class AlertList:
    """`overdue` are the ids of open ones past their deadline that nobody is at."""

    open: Sequence[Alert]
    closed: Sequence[Alert]  # newest first
    overdue: frozenset[str]


@dataclass(frozen=True)
class AlertPage:
    alert: Alert
    title: str
    runbook: Runbook | Trouble
    overdue: bool


def alert_list(sources: Sources) -> AlertList | Trouble:
    def read() -> AlertList:
        alerts = [alert for model in sources.alerts.models() for alert in sources.alerts.alerts(model)]
        closed = sorted((alert for alert in alerts if alert.closed), key=lambda alert: alert.updated_at, reverse=True)
        now = sources.clock.now()
        late = frozenset(alert.id for alert in alerts if alert.overdue(now))
        return AlertList(every_open(sources.alerts), closed[:CLOSED_SHOWN], late)

    return or_trouble(read)


def alert_page(sources: Sources, beginning: str) -> AlertPage:
    """Raises `NotFound`, or `InputRefused` if several begin so."""
    alert = found([alert for model in sources.alerts.models() for alert in sources.alerts.alerts(model)], beginning)
    kind = KINDS.get(alert.kind)
    runbook = or_trouble(lambda: sources.runbooks(alert.kind))
    return AlertPage(alert, kind.title if kind else alert.kind, runbook, alert.overdue(sources.clock.now()))


def open_alerts(alerts: Sequence[Alert]) -> list[Alert]:
    """Of one model: pages before warnings, and the oldest first."""
    return sorted((each for each in alerts if each.is_open), key=lambda each: (each.severity != "page", each.opened_at))
