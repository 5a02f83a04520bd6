"""Champions, present and past, as a page shows them."""

from dataclasses import dataclass
from datetime import datetime

from models.channel import Pointer, head, history
from models.governance.approval import Approval, agreeing
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


def _release(sources: Sources, trust: Trust, pointer: Pointer) -> Release:
    published = datetime.fromisoformat(pointer.published_at)

    def approval() -> Approval:
        signed = sources.channel.approvals(pointer.bundle)
        return agreeing(signed, trust, model=pointer.model, bundle=pointer.bundle, now=published)[0]

    found = or_trouble(approval)
    expired = isinstance(found, Approval) and sources.clock.now() >= datetime.fromisoformat(found.expires_at)
    return Release(pointer, found, expired)
