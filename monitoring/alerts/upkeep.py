"""Keeping a model's alerts true: open what is new, follow what lasts, close what is gone. Pure; the book keeps what is said."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from models.alerting import Alerting, Severity
from models.errors import Conflict
from monitoring.alerts.alert import PLATFORM, Act, Alert, Cause, deadline, name_of
from monitoring.alerts.kinds import KINDS
from monitoring.verdict import Kind


@dataclass(frozen=True)
class Circumstances:
    """Whose alerts, when, and what the use case says about them. `owner` is the one in the inventory."""

    model: str
    now: datetime
    alerting: Alerting
    owner: str


def kept_true(alerts: Sequence[Alert], causes: Sequence[Cause], heard: frozenset[Kind], about: Circumstances) -> list[Alert]:
    """The alerts that change, and the new ones.

    `heard` are the kinds that were looked at: an open alert of such a kind without a cause is closed, any other stays. What
    a person closed stays closed until a later window shows it again.
    """
    found = {(cause.kind, cause.subject): cause for cause in causes}
    open_ones = {alert.key: alert for alert in alerts if alert.is_open}
    quiet = {alert.key: alert.window for alert in sorted(alerts, key=lambda a: a.updated_at) if alert.ended_by_person}
    raised = [
        _raised(cause, about)
        for key, cause in found.items()
        if key not in open_ones and not (key in quiet and cause.window <= quiet[key])
    ]
    followed = [_followed(alert, found[key], about) for key, alert in open_ones.items() if key in found]
    gone = [a for key, a in open_ones.items() if key not in found and a.kind in heard]
    closed = [_gone(alert, about) for alert in gone]
    touched = [alert for alert in followed if alert != open_ones[alert.key]]
    return [*raised, *touched, *closed]


def reminded(alerts: Sequence[Alert], now: datetime) -> list[Alert]:
    """Those whose deadline is over without anybody being at it: each is told once more, and once only."""
    late = [alert for alert in alerts if alert.overdue(now)]
    return [a.telling("reminded", now) for a in late if not any(notice.event == "reminded" for notice in a.notices)]


def acknowledged(alert: Alert, act: Act) -> Alert:
    """Somebody is at it. Raises `Conflict` if it is closed, or somebody was first."""
    if alert.closed:
        raise Conflict(f"alert {alert.id} was closed by {alert.closed.by}", hint="nothing to do; make alerts lists the open ones")
    if alert.acknowledged:
        raise Conflict(
            f"{alert.acknowledged.by} has acknowledged alert {alert.id} already",
            hint="talk to them, or close it: make close-alert",
        )
    return alert.model_copy(update={"acknowledged": act, "updated_at": act.at})


def ended(alert: Alert, act: Act) -> Alert:
    """A person says that it is settled. Raises `Conflict` if it is closed."""
    if alert.closed:
        raise Conflict(f"alert {alert.id} was closed by {alert.closed.by}", hint="nothing to do; make alerts lists the open ones")
    return _closed(alert, act)


def _raised(cause: Cause, about: Circumstances) -> Alert:
    kind, now = KINDS[cause.kind], about.now.isoformat()
    alert = Alert(
        id=name_of(about.model, cause, about.now),
        model=about.model,
        **cause.model_dump(),
        owner=about.alerting.owner or about.owner,
        runbook=kind.runbook,
        action=kind.action,
        opened_at=now,
        updated_at=now,
        deadline=deadline(cause.severity, about.now, about.alerting),
    )
    return alert.telling("raised", about.now)


def _followed(alert: Alert, cause: Cause, about: Circumstances) -> Alert:
    """What is seen now, in the same alert. It never becomes milder while it lasts; worse, it begins anew for its owner."""
    seen = cause.model_dump(exclude={"kind", "subject", "severity", "since"})
    if all(getattr(alert, name) == value for name, value in seen.items()) and not _worse(alert, cause):
        return alert
    updated = alert.model_copy(update={**seen, "updated_at": about.now.isoformat()})
    if not _worse(alert, cause):
        return updated
    until = deadline(cause.severity, about.now, about.alerting)
    graver = updated.model_copy(update={"severity": cause.severity, "deadline": until, "acknowledged": None})
    return graver.telling("escalated", about.now)


def _worse(alert: Alert, cause: Cause) -> bool:
    return cause.severity is Severity.PAGE and alert.severity is not Severity.PAGE


def _gone(alert: Alert, about: Circumstances) -> Alert:
    return _closed(alert, Act(by=PLATFORM, reason="It is not seen any more.", at=about.now.isoformat()))


def _closed(alert: Alert, act: Act) -> Alert:
    """Nobody need be told the end of what never left; of what may have, `delivery` tells it to those who took it."""
    over = alert.model_copy(update={"closed": act, "updated_at": act.at})
    if not any(notice.attempts for notice in alert.notices):
        return over.model_copy(update={"notices": ()})
    return over.telling("closed", datetime.fromisoformat(act.at))
