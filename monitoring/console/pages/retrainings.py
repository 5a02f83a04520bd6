"""What retrained a model or did not: which trigger fired, on what evidence, what came of it and why. From the ledger alone."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from models.errors import NotFound
from models.governance.ledger import Entry, Event
from models.governance.packs import newest_pack
from models.governance.retrainings import Cited, Course, Explanation, Trigger, explanations
from monitoring.console.pages.today import known
from monitoring.console.sources import Sources, Trouble, or_trouble

SHOWN = 50


@dataclass(frozen=True)
class Evidence:
    """What a trigger rests on, and where the console shows it; "" where it has no page of it."""

    text: str
    address: str


@dataclass(frozen=True)
class Fired:
    trigger: Trigger
    evidence: Sequence[Evidence]


@dataclass(frozen=True)
class Considered:
    """One consideration. `ending` is a word; `address` leads to the evidence pack of the challenger that was made, if any."""

    said: Explanation
    ending: str
    fired: Sequence[Fired]
    address: str


@dataclass(frozen=True)
class Open:
    """A training that began and of which the ledger has no end: it runs, or it was killed."""

    began_at: str
    fired: Sequence[Fired]


@dataclass(frozen=True)
class RetrainingsPage:
    model: str
    considered: Sequence[Considered]  # newest first
    earlier: int  # that are not shown
    open: Open | None


def retrainings_page(sources: Sources, model: str) -> RetrainingsPage:
    """Raises `NotFound` for a model of which nothing is known, and what the ledger raises."""
    if model not in known(sources):
        raise NotFound(f"nothing is known here of a model {model!r}", hint="open the overview; `make train` brings a model")
    entries = sources.ledger.entries(model)
    found = explanations(entries)[::-1]
    shown = [_considered(sources, model, entries, one) for one in found[:SHOWN]]
    return RetrainingsPage(model, shown, max(len(found) - SHOWN, 0), _open(model, entries))


def newest_by_model(sources: Sources) -> Sequence[tuple[str, Considered | None]] | Trouble:
    """Of every model the last consideration; None where nothing has asked for one yet."""

    def read() -> list[tuple[str, Considered | None]]:
        return [(name, _last(sources, name, sources.ledger.entries(name))) for name in known(sources)]

    return or_trouble(read)


def _last(sources: Sources, model: str, entries: Sequence[Entry]) -> Considered | None:
    found = explanations(entries)
    return _considered(sources, model, entries, found[-1]) if found else None


def _considered(sources: Sources, model: str, entries: Sequence[Entry], one: Explanation) -> Considered:
    ending = one.course.value if one.course is Course.HELD_BACK else one.ending
    packed = one.version and newest_pack(entries, sources.packs, model, one.bundle)
    address = f"/models/{model}/versions/{one.version}/evidence" if packed else ""
    return Considered(one, ending, list(_fired(model, one.triggers)), address)


def _open(model: str, entries: Sequence[Entry]) -> Open | None:
    about = [entry for entry in entries if entry.event in (Event.RETRAINING_BEGUN, Event.RETRAINING_ENDED)]
    if not about or about[-1].event is Event.RETRAINING_ENDED:
        return None
    triggers = [Trigger.read(facts) for facts in about[-1].facts["triggers"]]
    return Open(about[-1].recorded_at, list(_fired(model, triggers)))


def _fired(model: str, triggers: Sequence[Trigger]) -> Iterator[Fired]:
    for trigger in triggers:
        yield Fired(trigger, [Evidence(str(cited), _address(model, cited)) for cited in trigger.evidence])


def _address(model: str, cited: Cited) -> str:
    """A report has a page of its own: it is cited by its place in the store."""
    of, _, place = cited.name.partition("/")
    return f"/models/{model}/reports/{place}" if cited.kind == "report" and of == model else ""
