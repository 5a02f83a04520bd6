"""What the ledger has of roll-outs: it follows from the signed documents of the channel, and `make verify` compares them."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from models.channel import ReleaseChannel
from models.errors import Integrity, PlatformError
from models.governance.ledger import Entry, Event
from models.governance.requests import Office
from models.governance.signing import Trust
from models.governance.verification import Finding
from models.rollout import End, Rollout, document_at

_EVENTS = (Event.ROLLOUT_BEGUN, Event.ROLLOUT_ENDED)


def reconcile(office: Office, model: str) -> None:
    """Write into the ledger what the signed documents say and the ledger does not yet.

    Raises `Integrity` if the ledger knows a document that the channel has not: a roll-out would seem to go on that was ended.
    """
    noted = noted_of(office.ledger.entries(model), model)
    documents = [document_at(office.channel, office.trust, model, n) for n in range(1, office.channel.rollouts(model) + 1)]
    if gone := sorted(noted.keys() - {found.number for found in documents}):
        raise Integrity(
            f"roll-out document {gone[0]} of {model} is in the ledger and not on the release channel",
            hint="put it back from a copy of the channel; see make verify",
        )
    for found in documents:
        event, facts = _event(found), _facts(found)
        if found.number not in noted:
            office.note(event, model, found.asked_by, facts)
        elif (noted[found.number].event, dict(noted[found.number].facts)) != (event, facts):
            raise Integrity(
                f"roll-out document {found.number} of {model} is another than ledger entry {noted[found.number].number} knows",
                hint="its number was given to another: find out who writes there; see make verify",
            )


def rollouts_as_recorded(
    entries: Sequence[Entry], channel: ReleaseChannel, trust: Callable[[], Trust], models: Sequence[str]
) -> Iterator[Finding]:
    """The check for `make verify`: documents and ledger say the same, number by number."""
    for model in models:
        noted = noted_of(entries, model)
        for number in range(1, max([channel.rollouts(model), *noted]) + 1):
            where = f"roll-out document {number} of {model}"
            try:
                found = document_at(channel, trust(), model, number)
            except PlatformError as error:
                yield Finding(where, error.problem, error.hint)
                continue
            entry = noted.get(number)
            if entry is None:
                yield Finding(where, "published, and not in the ledger", "the next roll-out, or its end, notes it")
            elif (entry.event, dict(entry.facts)) != (_event(found), _facts(found)):
                yield Finding(f"ledger entry {entry.number}", f"does not say what the signed {where} says")


def _event(found: Rollout | End) -> Event:
    return Event.ROLLOUT_BEGUN if isinstance(found, Rollout) else Event.ROLLOUT_ENDED


def _facts(found: Rollout | End) -> dict[str, Any]:
    """All that the document says; `model` and `asked_by` stand in the entry itself."""
    return {name: value for name, value in found.to_document().items() if name not in ("model", "asked_by")}


def noted_of(entries: Sequence[Entry], model: str) -> dict[int, Entry]:
    """By number: the entry about each document."""
    return {entry.facts["number"]: entry for entry in entries if entry.model == model and entry.event in _EVENTS}
