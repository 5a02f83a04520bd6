"""Where alerts are kept. One method changes them, so that two processes never open the same alert, nor lose an act."""

from collections.abc import Callable, Sequence
from typing import Protocol

from models.errors import InputRefused, NotFound
from monitoring.alerts.alert import Alert

Revision = Callable[[Sequence[Alert]], Sequence[Alert]]
"""From all alerts of a model to those of them that change, and new ones."""


class AlertBook(Protocol):
    def models(self) -> list[str]:
        """Those that ever had an alert."""
        ...

    def alerts(self, model: str) -> list[Alert]:
        """All that there ever were, the newest first; empty for an unknown model. Raises `Integrity` if they cannot be read."""
        ...

    def revise(self, model: str, revision: Revision) -> list[Alert]:
        """Replace alerts by what `revision` makes of all of them, and add new ones; returns those.

        All or nothing, durable when it returns, and no other revision of this model happens in between.
        """
        ...


def merged(before: Sequence[Alert], changed: Sequence[Alert]) -> list[Alert]:
    """All alerts after a revision, the newest first."""
    after = {alert.id: alert for alert in before} | {alert.id: alert for alert in changed}
    return sorted(after.values(), key=lambda alert: (alert.opened_at, alert.id), reverse=True)


def found(alerts: Sequence[Alert], beginning: str) -> Alert:
    """The one alert whose id begins so. Raises `NotFound`, or `InputRefused` if there are several."""
    matching = [alert for alert in alerts if beginning and alert.id.startswith(beginning)]
    if not matching:
        raise NotFound(f"there is no alert {beginning!r}", hint="make alerts lists those that are open")
    if len(matching) > 1:
        raise InputRefused(f"{beginning!r} begins several alerts", hint=f"one of {', '.join(a.id for a in matching)}")
    return matching[0]


def every_open(book: AlertBook) -> list[Alert]:
    """Of all models: pages before warnings, and the oldest first."""
    alerts = [alert for model in book.models() for alert in book.alerts(model) if alert.is_open]
    return sorted(alerts, key=lambda alert: (alert.severity != "page", alert.opened_at))
