"""What stands on each page, as values. Read from the ports; a source that fails costs its own part, not the page."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from models.channel import Pointer, head, history
from models.errors import NotFound
from models.governance import stop
from models.governance.approval import Approval, agreeing
from models.governance.ledger import Entry, Hold, open_holds
from models.governance.signing import Trust
from models.governance.stop import Stop
from monitoring.console.advice import NextStep, Situation, next_step
from monitoring.console.sources import Sources, Trouble, or_trouble
from monitoring.packs import Version, versions
from monitoring.report import MonthlyReport, MonthRow, ReportKey, newest, rows
from monitoring.runs import FlowRun
from monitoring.validations import Validation
from monitoring.verdict import Verdict, overall

RUNS_SHOWN = 10
VALIDATIONS_SHOWN = 200


@dataclass(frozen=True)
class Release:
    """One champion, present or past: a verified pointer, and the approval that was in force when it was published."""

    pointer: Pointer
    approval: Approval | Trouble
    expired: bool  # as of now


@dataclass(frozen=True)
class Card:
    """A model in a few lines: how it is, who decides, what to do. `months` is oldest first."""

    model: str
    title: str
    month: str
    verdict: Verdict | None
    champion: Release | Trouble | None
    holds: Sequence[Hold]
    stopped: Stop | Trouble | None  # by a person: the model does not answer
    next_step: NextStep
    months: Sequence[MonthRow]
    trouble: Trouble | None


@dataclass(frozen=True)
class ModelPage:
    card: Card
    rows: Sequence[MonthRow]  # newest first
    versions: Sequence[Version] | Trouble  # newest first
    releases: Sequence[Release] | Trouble
    entries: Sequence[Entry] | Trouble  # newest first


@dataclass(frozen=True)
class ReportPage:
    key: ReportKey
    report: MonthlyReport
    versions: Sequence[ReportKey]  # every report of this month, newest first
    months: Sequence[str]  # every month that has a report, newest first

    @property
    def row(self) -> MonthRow:
        return rows([self.report])[0]

    @property
    def superseded(self) -> bool:
        return self.key != self.versions[0]


def front(sources: Sources) -> Sequence[Card]:
    """Every model that has reports, a champion, or an entry in the ledger."""
    return [card(sources, model) for model in _known(sources)]


def recent_runs(sources: Sources) -> Sequence[FlowRun] | Trouble:
    return or_trouble(lambda: sources.runs.recent(RUNS_SHOWN))


def recent_validations(sources: Sources) -> Sequence[Validation] | Trouble:
    return or_trouble(lambda: sources.validations.recent(VALIDATIONS_SHOWN))


def card(sources: Sources, model: str) -> Card:
    found = or_trouble(lambda: [report for _, report in newest(sources.reports, model)])
    reports = [] if isinstance(found, Trouble) else found
    entries = or_trouble(lambda: sources.ledger.entries(model))
    holds = [] if isinstance(entries, Trouble) else open_holds(entries)
    champion = or_trouble(lambda: _champion(sources, model)) if sources.channel.pointers(model) else None
    stopped = or_trouble(lambda: _stopped(sources, model))
    weighed = _standing(reports)
    verdict = overall([report.verdict for report in weighed]) if weighed else None
    situation = Situation(
        verdict=verdict,
        reported_at=max((report.recorded_at for report in weighed), default=""),
        entries=[] if isinstance(entries, Trouble) else entries,
        champion=champion is not None,
        trouble=any(isinstance(part, Trouble) for part in (found, entries, champion, stopped)),
        stopped=stopped.reason if isinstance(stopped, Stop) else "",
        scenario=sources.scenario,
    )
    return Card(
        model=model,
        title=reports[0].title if reports else "",
        month=reports[0].month if reports else "",
        verdict=verdict,
        champion=champion,
        holds=holds,
        stopped=stopped,
        next_step=next_step(situation),
        months=rows(reports),
        trouble=next((part for part in (found, entries) if isinstance(part, Trouble)), None),
    )


def model_page(sources: Sources, model: str) -> ModelPage:
    """Raises `NotFound` for a model of which nothing is known."""
    if model not in _known(sources):
        raise NotFound(f"nothing is known here of a model {model!r}", hint="open the overview; `make train` brings a model")
    about = card(sources, model)
    releases = or_trouble(lambda: _releases(sources, model))
    entries = or_trouble(lambda: list(reversed(sources.ledger.entries(model))))
    registered = or_trouble(lambda: versions(sources.ledger.entries(model), sources.packs, model))
    return ModelPage(about, list(reversed(about.months)), registered, releases, entries)


def report_page(sources: Sources, model: str, month: str, stamp: str = "") -> ReportPage:
    """The newest report of a month, or the one with the stamp given. Raises `NotFound`."""
    versions = sources.reports.keys(model, month)
    if not versions:
        raise NotFound(f"there is no report on {model} for {month}", hint=f"`make report` writes one; looked in {sources.home}")
    key = ReportKey(model, month, stamp) if stamp else versions[0]
    months = list(dict.fromkeys(key.month for key in sources.reports.keys(model)))
    return ReportPage(key, sources.reports.read(key), versions, months)


def _known(sources: Sources) -> list[str]:
    def recorded() -> list[str]:
        return [entry.model for entry in sources.ledger.entries() if entry.model]  # people and keys are of no model

    found = [or_trouble(read) for read in (sources.reports.models, sources.channel.models, recorded)]
    return sorted({name for names in found if not isinstance(names, Trouble) for name in names})


def _standing(reports: Sequence[MonthlyReport]) -> list[MonthlyReport]:
    """The newest month and the newest one whose outcomes are known, to be weighed together."""
    matured = next((report for report in reports if report.performance), None)
    return list({report.month: report for report in (*reports[:1], matured) if report}.values())


def _stopped(sources: Sources, model: str) -> Stop | None:
    if not sources.channel.stops(model):
        return None
    newest = stop.newest(sources.channel, sources.trust(), model)
    return newest if newest and newest.stopped else None


def _champion(sources: Sources, model: str) -> Release:
    return _release(sources, sources.trust(), head(sources.channel, sources.trust(), model))


def _releases(sources: Sources, model: str) -> list[Release]:
    """Newest first."""
    trust = sources.trust()
    return [_release(sources, trust, pointer) for pointer in reversed(history(sources.channel, trust, model))]


def _release(sources: Sources, trust: Trust, pointer: Pointer) -> Release:
    published = datetime.fromisoformat(pointer.published_at)

    def approval() -> Approval:
        signed = sources.channel.approvals(pointer.bundle)
        return agreeing(signed, trust, model=pointer.model, bundle=pointer.bundle, now=published)[0]

    found = or_trouble(approval)
    expired = isinstance(found, Approval) and sources.clock.now() >= datetime.fromisoformat(found.expires_at)
    return Release(pointer, found, expired)
