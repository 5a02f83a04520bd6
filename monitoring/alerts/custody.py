"""Are people's acts in the alert book those that the ledger has? The check for `make verify`."""

from collections.abc import Iterator, Sequence

from models.governance.ledger import Entry, Event
from models.governance.verification import Finding
from monitoring.alerts.alert import PLATFORM, Act
from monitoring.alerts.book import AlertBook


def check_acts(book: AlertBook, entries: Sequence[Entry]) -> Iterator[Finding]:
    """A person's act that no entry has was written into the book by hand."""
    noted = {
        (entry.event, entry.facts.get("alert"), entry.actor, entry.facts.get("reason"), entry.recorded_at)
        for entry in entries
        if entry.event in (Event.ALERT_ACKNOWLEDGED, Event.ALERT_CLOSED)
    }
    for model in book.models():
        for alert in book.alerts(model):
            acts: list[tuple[Event, Act | None]] = [
                (Event.ALERT_ACKNOWLEDGED, alert.acknowledged),
                (Event.ALERT_CLOSED, alert.closed),
            ]
            for event, act in acts:
                if act and act.by != PLATFORM and (event, alert.id, act.by, act.reason, act.at) not in noted:
                    problem = f"{event} by {act.by}, of which the ledger knows nothing"
                    yield Finding(f"alert {alert.id} of {model}", problem, "find out who wrote into the alert book")
