"""What stands on the first page: every model, and how it is. A source that fails costs its own part, not the page."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from models.channel import verified
from models.clock import Clock
from models.errors import NotFound, Unavailable
from models.governance import stop
from models.governance.ledger import Entry, Hold, open_holds
from models.governance.stop import Stop
from monitoring.alerts.alert import Alert
from monitoring.cadence import overdue
from monitoring.console.pages.advice import NextStep, Situation, next_step, waiting_requests
from monitoring.console.pages.alerts import open_alerts
from monitoring.console.pages.releases import Release, recorded
from monitoring.console.pages.releases import champion as current
from monitoring.console.pages.standing import Standing, standing
from monitoring.console.sources import Sources, Trouble, or_trouble
from monitoring.report import MonthlyReport, MonthRow, counting, newest, rows
from monitoring.runs import Planned
from monitoring.verdict import Verdict, overall


@dataclass(frozen=True)
class Wait:
    """Something that waits for a person, and where it is dealt with."""

    sentence: str
    address: str


@dataclass(frozen=True)
class Card:
    """A model in a few lines: how it is, who decides, what to do. `months` is oldest first."""

    model: str
    title: str
    month: str
    verdict: Verdict | None
    standing: Standing  # of the verdict and all else that is known
    champion: Release | Trouble | None
    holds: Sequence[Hold]
    stopped: Stop | Trouble | None  # by a person: the model does not answer
    next_step: NextStep
    months: Sequence[MonthRow]
    trouble: Trouble | None
    age_days: int | None = None  # since the champion came into force
    waits: Sequence[Wait] | Trouble = ()
    alerts: Sequence[Alert] | Trouble = ()  # open ones, pages first
    planned: Sequence[Planned] | Trouble = ()  # the next run of each flow, the soonest first


def front(sources: Sources) -> Sequence[Card]:
    """Every model that has reports, a champion, or an entry in the ledger."""
    planned = or_trouble(sources.runs.planned)
    return [_with_plan(card(sources, model), planned) for model in known(sources)]


def _with_plan(card: Card, planned: Sequence[Planned] | Trouble) -> Card:
    mine = planned if isinstance(planned, Trouble) else [run for run in planned if run.model in ("", card.model)]
    return replace(card, planned=mine)


def card(sources: Sources, model: str) -> Card:
    found = or_trouble(lambda: [report for _, report in newest(sources.reports, model)])
    reports = [] if isinstance(found, Trouble) else found
    entries = or_trouble(lambda: recorded(sources, model))
    holds = [] if isinstance(entries, Trouble) else open_holds(entries)
    champion = or_trouble(lambda: current(sources, model) if sources.channel.pointers(model) else None)
    halted = or_trouble(lambda: stopped(sources, model))
    weighed = found if isinstance(found, Trouble) else counting(reports)
    verdict = _verdict(weighed)
    alerts = or_trouble(lambda: open_alerts(sources.alerts.alerts(model)))
    late = _late(sources, champion, reports)
    situation = Situation(
        verdict=verdict,
        reported_at=max((report.recorded_at for report in counting(reports)), default=""),
        entries=[] if isinstance(entries, Trouble) else entries,
        champion=champion is not None,
        trouble=any(isinstance(part, Trouble) for part in (found, entries, champion, halted, alerts, late)),
        stopped=halted.reason if isinstance(halted, Stop) else "",
        unapproved=_unapproved(champion),
        alerts=[alert.text for alert in alerts] if not isinstance(alerts, Trouble) else [],
        late=bool(late),
        scenario=sources.scenario,
    )
    return Card(
        model=model,
        title=reports[0].title if reports else "",
        month=reports[0].month if reports else "",
        verdict=verdict,
        standing=standing(
            verdict,
            weighed,
            alerts=alerts,
            stopped=halted,
            late=late,
            champion=champion,
            holds=entries if isinstance(entries, Trouble) else holds,
        ),
        champion=champion,
        holds=holds,
        stopped=halted,
        next_step=next_step(situation),
        months=rows(reports),
        trouble=next((part for part in (found, entries) if isinstance(part, Trouble)), None),
        age_days=_age(champion, sources.clock),
        alerts=alerts,
        waits=entries if isinstance(entries, Trouble) else _waits(model, entries, holds),
    )


def _late(sources: Sources, found: Release | Trouble | None, reports: Sequence[MonthlyReport]) -> str | Trouble:
    """By the tier of the champion, as `make verify` and the alerts see it; "" where no report or no champion could be late."""
    if not reports or not isinstance(found, Release):
        return found if isinstance(found, Trouble) else ""
    since = max(datetime.fromisoformat(report.recorded_at) for report in reports)
    pointer = found.pointer
    return or_trouble(lambda: overdue(verified(sources.channel, pointer.model, pointer.bundle), since, sources.clock.now()))


def _unapproved(found: Release | Trouble | None) -> int:
    """The version in force, if no approval of it holds any more; else 0."""
    if not isinstance(found, Release):
        return 0
    return found.pointer.version if found.expired or isinstance(found.approval, Trouble) else 0


def _age(found: Release | Trouble | None, clock: Clock) -> int | None:
    if found is None or isinstance(found, Trouble):
        return None
    return max((clock.now() - datetime.fromisoformat(found.pointer.published_at)).days, 0)


def _waits(model: str, entries: Sequence[Entry], holds: Sequence[Hold]) -> list[Wait]:
    """By the ledger alone: it is asked for on every page."""
    asked = [
        Wait(f"Version {version} waits for approval", f"/models/{model}/requests/{bundle[:12]}")
        for bundle, version in waiting_requests(entries).items()
    ]
    return [*asked, *(Wait(f"{hold.month}: {hold.what}", "/approvals#holds") for hold in holds)]


def months_of_model(sources: Sources, model: str) -> Sequence[MonthRow]:
    """Oldest first. Raises `NotFound` for a model without reports."""
    found = rows([report for _, report in newest(sources.reports, model)])
    if not found:
        raise NotFound(f"there is no report on a model {model!r}", hint="open the overview; make report writes one")
    return found


def known(sources: Sources) -> list[str]:
    """Raises `Unavailable` where nobody can say whether there is any: that is no empty home."""

    def named() -> list[str]:
        return [entry.model for entry in sources.ledger.entries() if entry.model]  # people and keys are of no model

    found = [or_trouble(read) for read in (sources.reports.models, sources.channel.models, named)]
    names = sorted({name for names in found if not isinstance(names, Trouble) for name in names})
    if not names and (unread := [part for part in found if isinstance(part, Trouble)]):
        raise Unavailable(f"which models there are is not known: {unread[0].problem}", hint=unread[0].hint)
    return names


def _verdict(weighed: Sequence[MonthlyReport] | Trouble) -> Verdict | None:
    return None if isinstance(weighed, Trouble) or not weighed else overall([report.verdict for report in weighed])


def stopped(sources: Sources, model: str) -> Stop | None:
    if not sources.channel.stops(model):
        return None
    newest = stop.newest(sources.channel, sources.trust(), model)
    return newest if newest and newest.stopped else None
