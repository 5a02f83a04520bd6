"""The one door through which a person acknowledges or closes an alert, whether from the command line or the console."""

from collections.abc import Callable, Sequence

from models.clock import Clock
from models.governance.alert_acts import Doing, Subject, note_act
from models.governance.answerable import answerable
from models.governance.ledger import Ledger
from monitoring.alerts.alert import Act, Alert
from monitoring.alerts.book import AlertBook, found
from monitoring.alerts.upkeep import acknowledged, ended

_RULES: dict[Doing, Callable[[Alert, Act], Alert]] = {"acknowledge": acknowledged, "close": ended}


def act(book: AlertBook, ledger: Ledger, clock: Clock, doing: Doing, alert: str, *, by: str, reason: str) -> Alert:
    """The alert as it is then. `alert` is an id, or its beginning.

    In the ledger first, so that no act is in force that it does not know; all while nobody else can change the model's alerts.
    Raises `NotFound`, `InputRefused` without a name or a reason, `Conflict` if somebody was first.
    """
    by, reason = answerable(by, reason)
    model = found([each for name in book.models() for each in book.alerts(name)], alert).model

    def revision(alerts: Sequence[Alert]) -> list[Alert]:
        one, now = found(alerts, alert), clock.now()
        changed = _RULES[doing](one, Act(by=by, reason=reason, at=now.isoformat()))
        about = Subject(model, one.id, one.kind, one.subject, one.opened_at)
        note_act(ledger, doing, about, by=by, reason=reason, at=now)
        return [changed]

    (done,) = book.revise(model, revision)
    return done
