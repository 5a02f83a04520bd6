"""How often an out-of-time month was looked at: each look that leads to another try makes its figures a little too good.

Within one run the month is opened once, by construction. The ledger counts the runs.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from models.clock import Month
from models.governance.ledger import Entry, Event
from models.governance.requests import Office


@dataclass(frozen=True)
class Opening:
    """`total` models were judged on `month` so far, alternatives that fairness looked at too; this one was the `number`-th,
    which no later opening changes."""

    use_case: str
    month: str
    number: int
    total: int

    @property
    def sentence(self) -> str:
        times = "once" if self.total == 1 else f"{self.total} times"
        return f"The out-of-time month {self.month} was opened {times} for {self.use_case}."


def note_opening(office: Office, model: str, bundle: str, month: Month, as_of: date, actor: str, alternative: str = "") -> None:
    """Write down that the month judged this bundle, or an alternative to it. The same again, after a kill, adds nothing."""
    facts = {"bundle": bundle, "month": str(month), "as_of": as_of.isoformat()}
    facts |= {"alternative": alternative} if alternative else {}
    if not any(entry.facts == facts for entry in office.noted(Event.OUT_OF_TIME_OPENED, model, bundle)):
        office.note(Event.OUT_OF_TIME_OPENED, model, actor, facts)


def opening_of(entries: Sequence[Entry], model: str, bundle: str, month: Month) -> Opening:
    """`entries` are those of the model, the opening for `bundle` among them."""
    opened = [e.facts["bundle"] for e in entries if e.event is Event.OUT_OF_TIME_OPENED and e.facts["month"] == str(month)]
    return Opening(model, str(month), opened.index(bundle) + 1, len(opened))
