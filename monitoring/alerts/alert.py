"""An alert as it is kept: what was seen, who is to do what until when, who did, and who was told."""

from datetime import datetime, timedelta
from typing import Literal, Self

from models.alerting import Alerting, Severity
from models.bundle import canonical, sha256
from models.policy import Frozen
from monitoring.verdict import Kind

Event = Literal["raised", "escalated", "reminded", "closed"]
PLATFORM = "monitoring"  # who closes an alert whose cause is gone


class Cause(Frozen):
    """What calls for an alert now. `window` is the month it was seen in last, or a day; `since` the first of an unbroken run.

    `windows` are those that passed the limit, of those that were looked at. `evidence` is a path within the console.
    """

    kind: Kind
    subject: str  # a column, a population or a month; "" for the model as a whole
    severity: Severity
    text: str
    window: str
    since: str
    windows: tuple[str, ...] = ()
    evidence: str = ""
    value: float | None = None
    limit: float | None = None


class Act(Frozen):
    """What somebody did about an alert, and why. An alert whose cause is gone is closed by `PLATFORM`."""

    by: str
    reason: str
    at: str


class Notice(Frozen):
    """One thing to tell the channels about an alert. It waits here until each of them has taken it."""

    event: Event
    at: str
    taken_by: tuple[str, ...] = ()
    attempts: int = 0
    next_try: str = ""  # "" is at once
    failure: str = ""  # of the last attempt; never an address
    done: bool = False


class Alert(Frozen):
    """One open alert at a time for a model, a kind and a subject. Instants are ISO text."""

    id: str
    model: str
    kind: Kind
    subject: str
    severity: Severity
    text: str
    window: str
    since: str
    windows: tuple[str, ...]
    value: float | None
    limit: float | None
    owner: str
    evidence: str
    runbook: str
    action: str
    opened_at: str
    updated_at: str
    deadline: str
    acknowledged: Act | None = None
    closed: Act | None = None
    notices: tuple[Notice, ...] = ()

    @property
    def is_open(self) -> bool:
        return self.closed is None

    @property
    def key(self) -> tuple[str, str]:
        return self.kind, self.subject

    @property
    def ended_by_person(self) -> bool:
        return self.closed is not None and self.closed.by != PLATFORM

    def overdue(self, now: datetime) -> bool:
        """Open, nobody has said that they are at it, and the deadline is over."""
        return self.is_open and self.acknowledged is None and now > datetime.fromisoformat(self.deadline)

    def telling(self, event: Event, now: datetime) -> Self:
        """With one more thing to tell; what was not told yet and is overtaken is not told any more. Who took it stays known."""
        kept = tuple(n.model_copy(update={"done": True}) for n in self.notices if n.done or n.taken_by)
        waiting = [notice for notice in self.notices if not notice.done]
        first = "raised" if event == "escalated" and any(notice.event == "raised" for notice in waiting) else event
        return self.model_copy(update={"notices": (*kept, Notice(event=first, at=now.isoformat()))})


def deadline(severity: Severity, now: datetime, alerting: Alerting) -> str:
    return (now + timedelta(days=alerting.days[severity])).isoformat()


def name_of(model: str, cause: Cause, now: datetime) -> str:
    """Short enough to type, the same for the same alert."""
    return sha256(canonical([model, cause.kind, cause.subject, now.isoformat()]))[:8]
