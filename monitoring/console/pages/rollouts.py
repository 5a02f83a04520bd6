"""What stands on the pages of roll-outs and of swap-set reports, as values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from models.bundle import sha256
from models.errors import Integrity, NotFound
from models.governance.ledger import Entry, Event
from monitoring.console.charts.values import Chart, Series, Unit, slug
from monitoring.console.sources import Sources, Trouble, or_trouble
from monitoring.rollout.documents import VerdictDocument
from monitoring.rollout.judge import State, Trace
from monitoring.rollout.kept import named
from monitoring.rollout.sentences import NOTHING_ON_DEFAULT

LEVELS = {State.GO_ON: "none", State.ASK_FOR_PROMOTION: "green", State.ROLL_BACK: "red"}
POINTS = 24  # of a path that a small chart has room for
LEAST = 0.01  # e-values below are drawn there: how much less says nothing
MOST = 1e12  # and larger ones there
TITLES = {
    "family": "All tests together",
    "favourable": "Fewer favourable decisions",
    "actions": "Other actions",
    "score": "Other distribution of the score",
    "failures": "More failed requests",
    "arms": "Accounts in the arms",
}
FILES = {"index.html": "text/html", "swap-set.json": "application/json"}


@dataclass(frozen=True)
class SwapSetLink:
    """A swap-set report that the ledger names."""

    model: str
    report: str
    challenger: str
    against: str
    month: str
    recorded_at: str

    @property
    def address(self) -> str:
        return f"/models/{self.model}/swap-sets/{self.report[:12]}/index.html"


@dataclass(frozen=True)
class Overview:
    """The newest verdict on every roll-out, the newest first; and every swap-set report."""

    rollouts: Sequence[VerdictDocument] | Trouble
    swap_sets: Sequence[SwapSetLink] | Trouble
    on_default: str = NOTHING_ON_DEFAULT


@dataclass(frozen=True)
class RolloutPage:
    """`looks` are all verdicts, the newest first; `shown` is the newest."""

    shown: VerdictDocument
    looks: Sequence[VerdictDocument]
    charts: Sequence[Chart]
    swap_set: SwapSetLink | Trouble | None

    @property
    def level(self) -> str:
        return LEVELS[self.shown.verdict.state]


def overview(sources: Sources) -> Overview:
    def newest() -> list[VerdictDocument]:
        store, entries = sources.verdicts, sources.ledger.entries()
        found = [_counted(sources, entries, model, number)[:1] for model in store.models() for number in store.rollouts(model)]
        return sorted((each for part in found for each in part), key=lambda each: each.started_at, reverse=True)

    return Overview(or_trouble(newest), or_trouble(lambda: swap_set_links(sources.ledger.entries())[::-1]))


def _counted(sources: Sources, entries: Sequence[Entry], model: str, number: int) -> list[VerdictDocument]:
    """Whoever can write in the folder of verdicts can write whole ones: the ledger names those that count."""
    known = named(entries, model, number)
    return [found for found in sources.verdicts.verdicts(model, number) if found.digest in known]


def rollout_page(sources: Sources, model: str, number: int) -> RolloutPage:
    """Raises `NotFound` for a roll-out that was never judged, `Integrity` for a verdict that was edited."""
    looks = _counted(sources, sources.ledger.entries(), model, number)
    if not looks:
        raise NotFound(f"no roll-out {number} of {model} was judged", hint="open the list of roll-outs")
    shown = looks[0]
    return RolloutPage(shown, looks, charts(shown.verdict.trace, shown), or_trouble(lambda: _about(sources, shown)))


def charts(trace: Trace, shown: VerdictDocument) -> list[Chart]:
    """The evidence of all tests together first, then of each, over the accounts seen; on a scale of powers of ten."""
    limits = {finding.name: finding.e_limit for finding in shown.verdict.findings} | {"family": trace.limit}
    step = max(1, -(-len(trace.accounts) // POINTS))
    kept = sorted({*range(0, len(trace.accounts), step), len(trace.accounts) - 1}) if trace.accounts else []
    places = tuple(f"{trace.accounts[at]:,}" for at in kept)
    found = []
    for name in sorted(trace.e_values, key=_order):
        values, limit = trace.e_values[name], limits.get(name) or trace.limit
        drawn = tuple(min(max(values[at], LEAST), MOST) for at in kept)
        series = (Series("e-value", "coded", drawn), Series("alarm", "limit", (limit,) * len(kept)))
        found.append(Chart(slug(name), TITLES.get(name, name.capitalize()), places, series, Unit.EVIDENCE))
    return found


def file_of(sources: Sources, model: str, report: str, name: str) -> tuple[bytes, str]:
    """A file of a swap-set report and its type, as the ledger names it. Raises `NotFound`, `Integrity`."""
    found = [each for each in _entries(sources.ledger.entries(model)) if len(report) >= 12 and _report(each).startswith(report)]
    if not found or name not in FILES:
        raise NotFound(
            f"the ledger names no swap-set report {report!r} of {model} with {name!r}", hint="make swap-set writes one"
        )
    facts = found[-1].facts
    data = sources.swap_sets.files(model, str(facts["bundle"]), _report(found[-1])).get(name, b"")
    if sha256(data) != facts["page" if name == "index.html" else "report"]:
        raise Integrity(
            f"{name} of swap set {report} is not as it was written", hint="make verify; make swap-set writes it again"
        )
    return data, FILES[name]


def _about(sources: Sources, shown: VerdictDocument) -> SwapSetLink | None:
    """The report that the verdict names, else the newest one on both bundles."""
    named = [each for each in swap_set_links(sources.ledger.entries(shown.model)) if each.challenger == shown.challenger]
    exact = [each for each in named if each.report == shown.swap_set]
    return next(iter([*exact, *(each for each in reversed(named) if each.against == shown.champion)]), None)


def swap_set_links(entries: Sequence[Entry]) -> list[SwapSetLink]:
    return [
        SwapSetLink(
            each.model,
            _report(each),
            str(each.facts["bundle"]),
            str(each.facts["against"]),
            str(each.facts["month"]),
            each.recorded_at,
        )
        for each in _entries(entries)
    ]


def _entries(entries: Sequence[Entry]) -> list[Entry]:
    return [entry for entry in entries if entry.event is Event.SWAP_SET_SEALED]


def _report(entry: Entry) -> str:
    facts: Mapping[str, object] = entry.facts
    return str(facts["report"])


def _order(name: str) -> int:
    """The family first; tests by audit column last."""
    return list(TITLES).index(name) if name in TITLES else len(TITLES)
