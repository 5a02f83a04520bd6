"""Is a model watched as often as its tier asks for? Months by the calendar: the day itself, so many months later, is in time."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import pairwise

from models.bundle import Bundle
from models.governance.inventory import declared, oversight
from models.governance.ledger import Entry, Event
from models.governance.retention import kept_until
from models.governance.verification import Finding
from monitoring.report import ReportStore


def last_watched(store: ReportStore, entries: Sequence[Entry], model: str) -> datetime | None:
    """When it was reported on last; of a model without a report, when it first came into force; None of one that never was."""
    if keys := store.keys(model):
        return datetime.fromisoformat(store.read(max(keys, key=lambda key: key.stamp)).recorded_at)
    promoted = [entry for entry in entries if entry.model == model and entry.event is Event.PROMOTED]
    return datetime.fromisoformat(promoted[0].recorded_at) if promoted else None


def overdue(champion: Bundle, since: datetime | None, now: datetime) -> str:
    """What to say of a model that was not watched as often as the tier of its champion asks for; "" otherwise."""
    rules = oversight(declared(champion))
    if since is None or now <= kept_until(since, rules.monitoring_months):
        return ""
    every = "every month" if rules.monitoring_months == 1 else f"every {rules.monitoring_months} months"
    return f"nobody has watched it since {since:%Y-%m-%d}, and tier {rules.tier} is watched {every}"


def check_watched(champion: Bundle, since: datetime | None, now: datetime) -> Iterator[Finding]:
    """Of a model that has decided something: the check for `make verify`."""
    if problem := overdue(champion, since, now):
        yield Finding(f"monitoring of {champion.model}", problem, "make report; make schedule runs it by itself")


def too_rare(times: Sequence[datetime], months: int) -> bool:
    """Whether a schedule that fires at these times leaves a gap of more than so many months."""
    return any(after > kept_until(before, months) for before, after in pairwise(times))
