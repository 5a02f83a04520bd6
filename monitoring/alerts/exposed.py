"""Alerts as figures for Prometheus: values that any long-running process may expose. Labels come from short lists."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime

from models.policy import Frozen
from monitoring.alerts.alert import Alert
from monitoring.alerts.book import AlertBook


class Gauge(Frozen):
    """One value of one family."""

    name: str
    about: str
    labels: dict[str, str]
    value: float


def gauges(book: AlertBook, now: datetime) -> list[Gauge]:
    """Of every model that ever had an alert: one without open alerts says 0, so that a rule can tell it from silence."""
    return [gauge for model in book.models() for gauge in _of(model, book.alerts(model), now)]


def _of(model: str, alerts: list[Alert], now: datetime) -> Iterator[Gauge]:
    open_ones = [alert for alert in alerts if alert.is_open]
    waiting = [notice for alert in alerts for notice in alert.notices if not notice.done]
    tried = [notice for notice in waiting if notice.failure]
    lost = [notice for alert in alerts for notice in alert.notices if notice.done and notice.failure]
    kinds = Counter((alert.kind, alert.severity, "yes" if alert.acknowledged else "no") for alert in open_ones)
    for (kind, severity, acknowledged), count in sorted(kinds.items()):
        labels = {"model": model, "kind": kind, "severity": severity, "acknowledged": acknowledged}
        yield Gauge(name="steward_alerts_open", about="open alerts by kind", labels=labels, value=count)
    pages = sum(alert.severity == "page" for alert in open_ones)
    for name, about, value in (
        ("steward_alerts_pages", "open alerts that page", pages),
        ("steward_alerts_overdue", "open alerts past their deadline that nobody has acknowledged", _overdue(open_ones, now)),
        ("steward_alert_notices_waiting", "messages that not every channel has taken yet", len(waiting)),
        ("steward_alert_notices_failing", "of them, those that a channel did not take at the last try", len(tried)),
        ("steward_alert_notices_lost", "messages that were given up", len(lost)),
    ):
        yield Gauge(name=name, about=about, labels={"model": model}, value=value)


def _overdue(alerts: list[Alert], now: datetime) -> int:
    return sum(alert.overdue(now) for alert in alerts)
