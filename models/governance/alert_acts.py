"""What people do about alerts stands in the ledger: who said that they are at it, who said that it is settled, and why.

An alert that closes by itself needs no entry: nobody decided anything.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from models.governance.answerable import answerable
from models.governance.ledger import Entry, Event, Ledger

Doing = Literal["acknowledge", "close"]
_EVENTS: dict[Doing, Event] = {"acknowledge": Event.ALERT_ACKNOWLEDGED, "close": Event.ALERT_CLOSED}


@dataclass(frozen=True)
class Subject:
    """Which alert of which model."""

    model: str
    alert: str
    kind: str
    subject: str
    opened_at: str


def note_act(ledger: Ledger, doing: Doing, about: Subject, *, by: str, reason: str, at: datetime) -> Entry:
    """Durable when it returns. Raises `InputRefused` without a name or a reason."""
    by, reason = answerable(by, reason)
    facts = {"alert": about.alert, "kind": about.kind, "subject": about.subject, "opened_at": about.opened_at, "reason": reason}
    return ledger.append(_EVENTS[doing], model=about.model, actor=by, at=at, facts=facts)
