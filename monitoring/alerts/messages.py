"""What is told of alerts, for a tired person: what, how bad, since when, what to do, where to look."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from models.alerting import Severity
from monitoring.alerts.alert import Alert, Event
from monitoring.alerts.kinds import KINDS

_SHOWN = 5  # of several alerts in one message; the console has all


@dataclass(frozen=True)
class Message:
    title: str
    body: str
    severity: Severity
    over: bool = False


_WHAT: dict[Event, str] = {"raised": "", "escalated": "graver now: ", "reminded": "still open: ", "closed": "over: "}


def message(event: Event, alerts: Sequence[Alert], console: str) -> Message:
    """Of one or several alerts of one model, kind and severity. `console` is the address of the console."""
    first = alerts[0]
    more = f" (and {len(alerts) - 1} more)" if len(alerts) > 1 else ""
    kind, severity = KINDS[first.kind], first.severity
    title = f"{severity.upper()} {first.model}: {_WHAT[event]}{kind.title}{more}"
    seen = [alert.text for alert in alerts[:_SHOWN]] + ([f"… {len(alerts) - _SHOWN} more"] if len(alerts) > _SHOWN else [])
    if event == "closed":
        return Message(title, "\n".join([*seen, *_closed(alerts), _look(first, console)]), severity, over=True)
    what = [f"Since {min(alert.since for alert in alerts)}.", f"Do: {kind.action}."]
    for_whom = f"{first.owner or 'Nobody is named as its owner. It'} has until {_day(first.deadline)}."
    take = [f'make acknowledge ALERT={alert.id} BY=… REASON="…"' for alert in alerts[:_SHOWN]]
    return Message(
        title, "\n".join([*seen, *what, for_whom, _look(first, console), f"Runbook: {first.runbook}", *take]), severity
    )


def _closed(alerts: Sequence[Alert]) -> list[str]:
    ends = [alert.closed for alert in alerts if alert.closed]
    return list(dict.fromkeys(f"Closed by {end.by}: {end.reason}" for end in ends))


def _look(alert: Alert, console: str) -> str:
    return f"Evidence: {console.rstrip('/')}{alert.evidence}"


def _day(instant: str) -> str:
    return f"{datetime.fromisoformat(instant):%Y-%m-%d %H:%M} UTC"
