"""What an entry of each kind must say, so that whoever reads it may rely on it."""

from collections.abc import Iterator, Sequence

from models.governance.ledger import Entry, Event
from models.governance.verification import Finding

_BUNDLE, _PUBLISHED = {"bundle": str}, {"sequence": int, "published_at": str, "reason": str}
_ALERT: dict[str, type] = {"alert": str, "kind": str, "subject": str, "opened_at": str, "reason": str}
_POINTER = {**_BUNDLE, **_PUBLISHED, "version": int, "previous": str}
_FACTS: dict[Event, dict[str, type]] = {
    Event.REGISTERED: {**_BUNDLE, "version": int, "evidence": str},
    Event.REQUESTED: {**_BUNDLE, "version": int, "evidence": str, "trainer": str, "compared_with": str, "reason": str},
    Event.RECEIVED: {**_BUNDLE, "evidence": str, "sender": str, "reason": str, "signed": dict},
    Event.POLICY_CHANGED: {**_BUNDLE, "before": str, "changes": dict},
    Event.APPROVED: {**_BUNDLE, "evidence": str, "approved_at": str, "expires_at": str},
    Event.REJECTED: {**_BUNDLE, "reason": str},
    Event.CANARY_WAIVED: {**_BUNDLE, "champion": str, "pointer": int, "reason": str, "signed": dict},
    Event.PROMOTED: _POINTER,
    Event.ROLLED_BACK: _POINTER,
    Event.STOPPED: _PUBLISHED,
    Event.RESUMED: _PUBLISHED,
    Event.TRUSTED: {"name": str, "key": str},
    Event.DISTRUSTED: {"name": str},
    Event.SIGNERS_NOTED: {"publish": dict, "attest": dict},
    Event.INPUTS_EXPIRED: {"before": str, "sealed": list},
    Event.DECISIONS_SEALED: {"lanes": dict, "sealed": list},
    Event.ALERT_ACKNOWLEDGED: _ALERT,
    Event.ALERT_CLOSED: _ALERT,
}


def unreadable(entries: Sequence[Entry]) -> Iterator[Finding]:
    """Entries that lack what their kind must say, or say it as something else."""
    for entry in entries:
        wrong = [name for name, kind in _FACTS.get(entry.event, {}).items() if type(entry.facts.get(name)) is not kind]
        if wrong:
            problem = f"cannot be read: {', '.join(wrong)} of what was {entry.event} is missing, or is something else"
            yield Finding(f"ledger entry {entry.number}", problem, "no release of the platform writes this: find out who did")
