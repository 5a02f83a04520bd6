"""How the platform stands, as numbers: what is in force, how old everything is, what waits for a person.

Instants are seconds since 1970, so that whoever reads them reckons the age. A source that cannot be read costs its own numbers,
and is counted: an absent number must not look like a good one.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from threading import Lock
from time import monotonic

from models.bundle import Bundle
from models.channel import Pointer, ReleaseChannel, head, verified
from models.clock import Clock, Month
from models.errors import Integrity, PlatformError
from models.governance import stop
from models.governance.ledger import Ledger, open_holds
from models.governance.retrainings import trainings
from models.governance.signing import Trust
from models.policy import Policy
from monitoring.alerts.book import AlertBook
from monitoring.alerts.exposed import gauges
from monitoring.archiving import Archiving
from monitoring.cadence import last_watched, overdue
from monitoring.report import ReportStore
from monitoring.runs import RunTallies
from monitoring.telemetry.families import Family, Histogram, Labels, gauge
from monitoring.verdict import Level

KEPT_SECONDS = 10.0
LEVELS = {level: float(number) for number, level in enumerate(Level)}


@dataclass(frozen=True)
class Places:
    """Where to look. `decided` and `labelled` say of a model when it decided last, and when its newest outcomes were recorded."""

    reports: ReportStore
    channel: ReleaseChannel
    trust: Callable[[], Trust]
    ledger: Ledger
    alerts: AlertBook
    runs: RunTallies
    decided: Callable[[str], datetime | None]
    labelled: Callable[[str], datetime | None]
    archived: Callable[[], Archiving | None]
    clock: Clock


class Standing:
    """Looks at most once in `seconds`, however many ask: some of it is read and checked whole. Safe for several threads."""

    def __init__(self, places: Places, seconds: float = KEPT_SECONDS, ticks: Callable[[], float] = monotonic) -> None:
        self._places = places
        self._seconds = seconds
        self._ticks = ticks
        self._turn = Lock()
        self._found: list[Family] = []
        self._until = -1.0

    def families(self) -> list[Family]:
        with self._turn:
            if not self._found or self._ticks() >= self._until:
                self._found = look(self._places)
                self._until = self._ticks() + self._seconds
            return self._found


def look(places: Places) -> list[Family]:
    unreadable: dict[Labels, float | Histogram] = {}
    found: list[Family] = []
    for source, read in SOURCES.items():
        try:
            families, wrong = list(read(places)), 0.0
        except PlatformError:
            families, wrong = [], 1.0
        found += families
        unreadable[(("source", source),)] = wrong
    told = "1 if this part of the platform could not be read, and its numbers are missing"
    return [*found, Family("steward_unreadable", "gauge", told, unreadable)]


def _models(places: Places) -> list[str]:
    return sorted({*places.reports.models(), *places.channel.models()})


def _in_force(places: Places) -> dict[str, Pointer]:
    """The champions, as their signed pointers say it."""
    models = [model for model in places.channel.models() if places.channel.pointers(model)]
    trust = places.trust() if models else Trust({})
    return {model: head(places.channel, trust, model) for model in models}


def _ledger(places: Places) -> Iterator[Family]:
    entries = places.ledger.entries()
    if entries:
        chain: Labels = (("chain", entries[-1].chain[:16]),)
        told = "number of the last entry, by the beginning of its chain value: elsewhere it shows a rewritten ledger"
        yield Family("steward_ledger_head", "gauge", told, {chain: float(entries[-1].number)})
        at = datetime.fromisoformat(entries[-1].recorded_at).timestamp()
        yield gauge("ledger_recorded_seconds", "when the last entry was recorded, since 1970", at)
    models = {*places.channel.models(), *(entry.model for entry in entries if entry.model)}
    waiting = {model: float(len(open_holds([entry for entry in entries if entry.model == model]))) for model in sorted(models)}
    yield _by_model("holds_waiting", "holds that wait for a person", waiting)


def _releases(places: Places) -> Iterator[Family]:
    pointers = _in_force(places)
    trust = places.trust() if pointers else Trust({})
    published = {model: datetime.fromisoformat(found.published_at) for model, found in pointers.items()}
    yield _by_model("champion_published_seconds", "when the champion was put into force, since 1970", _instants(published))
    versions = {model: float(found.version) for model, found in pointers.items()}
    yield _by_model("champion_version", "the registry's number of the champion", versions)
    halted = {model: stop.newest(places.channel, trust, model) for model in pointers}
    stopped = {model: float(bool(found and found.stopped)) for model, found in halted.items()}
    yield _by_model("model_halted", "1 if a person stopped the model", stopped)


def _reports(places: Places) -> Iterator[Family]:
    levels, seen = {}, {}
    for model in places.reports.models():
        keys = places.reports.keys(model)
        seen[model] = last_watched(places.reports, [], model)
        newest = places.reports.read(keys[0])
        levels[model] = LEVELS[newest.verdict.level]
    yield _by_model("report_recorded_seconds", "when the newest report was written, since 1970", _instants(seen))
    yield _by_model("verdict", "of the newest month reported on: 0 green, 1 amber, 2 red, 3 held", levels)


def _watching(places: Places) -> Iterator[Family]:
    """By the calendar of the model's tier, as `make verify` sees it."""
    late = {}
    for model, champion in _in_force(places).items():
        since = last_watched(places.reports, places.ledger.entries(model), model)
        decided = places.decided(model) is not None
        late[model] = float(
            decided and bool(overdue(verified(places.channel, model, champion.bundle), since, places.clock.now()))
        )
    yield _by_model("report_overdue", "1 if a model that decides was not reported on as often as its tier asks for", late)


def _alerts(places: Places) -> Iterator[Family]:
    found: dict[tuple[str, str], dict[Labels, float | Histogram]] = {}
    for each in gauges(places.alerts, places.clock.now()):
        found.setdefault((each.name, each.about), {})[tuple(each.labels.items())] = each.value
    for (name, about), samples in found.items():
        yield Family(name, "gauge", about, samples)


def _retrainings(places: Places) -> Iterator[Family]:
    """What the platform began by itself in this calendar month, and how often it may: by the policy of the champion."""
    month = Month.of(places.clock.now().date())
    used, allowed = {}, {}
    for model, champion in _in_force(places).items():
        begun = trainings(places.ledger.entries(model))
        used[model] = float(sum(one.automatic and Month.of(one.as_of) == month for one in begun))
        allowed[model] = float(_policy(verified(places.channel, model, champion.bundle)).retraining.budget)
    yield _by_model("retrainings_begun", "trainings that the platform began by itself this month", used)
    yield _by_model("retrainings_allowed", "of these, so many at most", allowed)


def _policy(bundle: Bundle) -> Policy:
    try:
        return bundle.policy
    except ValueError as error:
        raise Integrity(f"the policy of bundle {bundle.digest[:12]} cannot be read", hint="it is of another release") from error


def _decisions(places: Places) -> Iterator[Family]:
    found = {model: places.decided(model) for model in _models(places)}
    yield _by_model("decisions_recorded_seconds", "when the last decision was recorded, since 1970", _instants(found))


def _labels(places: Places) -> Iterator[Family]:
    found = {model: places.labelled(model) for model in _models(places)}
    yield _by_model("labels_recorded_seconds", "when the newest outcomes were recorded, since 1970", _instants(found))


def _archive(places: Places) -> Iterator[Family]:
    found = places.archived()
    if found:
        yield gauge("archive_failing", "1 if the last try to archive the database's log failed", float(found.failing))
        yield gauge("archive_behind_bytes", "written to the database's log after what is archived of it", float(found.behind))


def _flows(places: Places) -> Iterator[Family]:
    tallies = places.runs.tallies()
    ended = {_flow(t.flow, ("ending", word)): float(t.endings[word]) for t in tallies for word in ("good", "bad")}
    yield Family("steward_flow_runs", "counter", "runs of a flow that ended, by how", ended)
    yield _by_flow("flow_runs_open", "runs that began and have not ended", {t.flow: float(t.endings["open"]) for t in tallies})
    yield _by_flow("flow_runs_late", "runs that should have begun and have not", {t.flow: float(t.late) for t in tallies})
    latest = {t.flow: t.latest for t in tallies if t.latest}
    yield _by_flow("flow_seconds", "how long the newest run that ended took", {name: run.seconds for name, run in latest.items()})
    failed = {name: float(run.ending == "bad") for name, run in latest.items()}
    yield _by_flow("flow_failed", "1 if the newest run that ended did not end well", failed)
    good = {t.flow: t.good_at.timestamp() for t in tallies if t.good_at}
    yield _by_flow("flow_good_seconds", "when the newest run began that ended well, since 1970", good)


SOURCES: Mapping[str, Callable[[Places], Iterator[Family]]] = {
    "ledger": _ledger,
    "channel": _releases,
    "reports": _reports,
    "cadence": _watching,
    "alerts": _alerts,
    "retrainings": _retrainings,
    "decisions": _decisions,
    "labels": _labels,
    "archive": _archive,
    "flows": _flows,
}


def _by_model(name: str, about: str, values: Mapping[str, float]) -> Family:
    return Family(f"steward_{name}", "gauge", about, {(("model", model),): value for model, value in values.items()})


def _by_flow(name: str, about: str, values: Mapping[str, float]) -> Family:
    return Family(f"steward_{name}", "gauge", about, {_flow(flow): value for flow, value in values.items()})


def _flow(flow: str, *more: tuple[str, str]) -> Labels:
    return (("flow", flow), *more)


def _instants(found: Mapping[str, datetime | None]) -> dict[str, float]:
    """Of what never happened there is no instant."""
    return {model: at.timestamp() for model, at in found.items() if at}
