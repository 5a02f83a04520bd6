"""What the ledger has of roll-outs: it follows from the signed documents of the channel, and `make verify` compares them."""

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any

from models.channel import ReleaseChannel, readable, walked
from models.errors import Integrity, PlatformError
from models.governance.ledger import Entry, Event
from models.governance.requests import Office
from models.governance.signing import Trust
from models.governance.verification import Finding
from models.rollout import End, Rollout, document_at, remedy

_PUT_BACK = (
    "put it back from a copy of the channel, the ledger has all that it said; if a roll-out goes on that was ended, end it again:"
    ' make end-rollout BY=… REASON="…"'
)
_EVENTS = (Event.ROLLOUT_BEGUN, Event.ROLLOUT_ENDED)


def reconcile(office: Office, model: str) -> None:
    """Write into the ledger what the signed documents say and the ledger does not yet, then complain of the others.

    In that order: an end that services obey and the ledger does not know could be taken away, and nobody would see it.
    Raises `Integrity` for a document that cannot be read, that is another than the ledger knows, or that is in the ledger and
    not on the channel: a roll-out would seem to go on that was ended.
    """
    noted = noted_of(office.ledger.entries(model), model)
    documents, unreadable = read(office.channel, office.trust, model)
    for found in documents:
        if found.number not in noted:
            office.note(_event(found), model, found.asked_by, _facts(found))
    if gone := sorted(number for number in noted if number > office.channel.rollouts(model)):
        raise Integrity(f"roll-out document {gone[0]} of {model} is in the ledger and not on the release channel", hint=_PUT_BACK)
    for number in sorted(unreadable.keys() - (_passed_over(documents) - noted.keys())):
        raise Integrity(unreadable[number].problem, hint=_PUT_BACK if number in noted else remedy(office.channel.rollouts(model)))
    for found in documents:
        entry = noted.get(found.number)
        if entry and (entry.event, dict(entry.facts)) != (_event(found), _facts(found)):
            raise Integrity(
                f"roll-out document {found.number} of {model} is another than ledger entry {entry.number} knows",
                hint="its number was given to another: find out who writes there; see make verify",
            )


def rollouts_as_recorded(
    entries: Sequence[Entry], channel: ReleaseChannel, trust: Callable[[], Trust], models: Sequence[str]
) -> Iterator[Finding]:
    """The check for `make verify`: documents and ledger say the same, number by number."""
    for model in models:
        noted = noted_of(entries, model)
        documents, unreadable = read(channel, trust(), model, noted)
        for number in sorted(unreadable.keys() - (_passed_over(documents) - noted.keys())):
            hint = _PUT_BACK if number in noted else remedy(channel.rollouts(model))
            yield Finding(f"roll-out document {number} of {model}", unreadable[number].problem, hint)
        for found in documents:
            where, entry = f"roll-out document {found.number} of {model}", noted.get(found.number)
            if entry is None:
                yield Finding(where, "published, and not in the ledger", "make judge-rollout notes it")
            elif (entry.event, dict(entry.facts)) != (_event(found), _facts(found)):
                yield Finding(f"ledger entry {entry.number}", f"does not say what the signed {where} says", _PUT_BACK)


def read(
    channel: ReleaseChannel, trust: Trust, model: str, noted: Collection[int] = ()
) -> tuple[list[Rollout | End], dict[int, PlatformError]]:
    """The documents that are there or `noted`, by number what is wrong with those that cannot be read; a gap by its first."""
    numbers = walked(channel.numbers("rollouts", model), noted)
    gap = f"the channel has no roll-out documents {{first}} to {{last}} of {model}"
    return readable(numbers, lambda number: document_at(channel, trust, model, number), gap)


def _passed_over(documents: Sequence[Rollout | End]) -> set[int]:
    """What somebody ended a roll-out over. It excuses nothing that the ledger knows: that was readable once."""
    return {number for found in documents if isinstance(found, End) for number in found.over}


def _event(found: Rollout | End) -> Event:
    return Event.ROLLOUT_BEGUN if isinstance(found, Rollout) else Event.ROLLOUT_ENDED


def _facts(found: Rollout | End) -> dict[str, Any]:
    """All that the document says; `model` and `asked_by` stand in the entry itself."""
    return {name: value for name, value in found.to_document().items() if name not in ("model", "asked_by")}


def noted_of(entries: Sequence[Entry], model: str) -> dict[int, Entry]:
    """By number: the entry about each document."""
    return {entry.facts["number"]: entry for entry in entries if entry.model == model and entry.event in _EVENTS}
