"""Champions, present and past, as a page shows them."""

from dataclasses import dataclass
from datetime import datetime

from models.channel import Pointer, head, history
from models.errors import Integrity
from models.governance.approval import Approval, agreeing
from models.governance.attestation import vouched
from models.governance.ledger import Entry, Event
from models.governance.signing import Trust
from monitoring.console.sources import Sources, Trouble, or_trouble


@dataclass(frozen=True)
class Release:
    """One champion, present or past: a verified pointer, and the approval that was in force when it was published."""

    pointer: Pointer
    approval: Approval | Trouble
    expired: bool  # as of now


def champion(sources: Sources, model: str) -> Release:
    return _release(sources, sources.trust(), head(sources.channel, sources.trust(), model))


def releases(sources: Sources, model: str) -> list[Release]:
    """Newest first."""
    trust = sources.trust()
    return [_release(sources, trust, pointer) for pointer in reversed(history(sources.channel, trust, model))]


def noted(sources: Sources, model: str) -> list[Entry]:
    """What the ledger says of a model, if it ends as its witness signed it. Raises `Integrity`."""
    return [entry for entry in vouched(sources.ledger, sources.trust) if entry.model == model]


def recorded(sources: Sources, model: str) -> list[Entry]:
    """The same. Raises `Integrity` also where ledger and channel know of different champions: one of both lacks something."""
    entries = noted(sources, model)
    moves = [entry for entry in entries if entry.event in (Event.PROMOTED, Event.ROLLED_BACK)]
    known, there = max((entry.facts["sequence"] for entry in moves), default=0), sources.channel.pointers(model)
    if known != there:
        raise Integrity(
            f"the newest pointer is {there or 'none'} on the release channel, and {known or 'none'} in the ledger",
            hint="see make verify; put back from a copy what lacks the newer one",
        )
    return entries


def _release(sources: Sources, trust: Trust, pointer: Pointer) -> Release:
    published = datetime.fromisoformat(pointer.published_at)

    def approval() -> Approval:
        signed = sources.channel.approvals(pointer.bundle)
        return agreeing(signed, trust, model=pointer.model, bundle=pointer.bundle, now=published)[0]

    found = or_trouble(approval)
    expired = isinstance(found, Approval) and sources.clock.now() >= datetime.fromisoformat(found.expires_at)
    return Release(pointer, found, expired)
