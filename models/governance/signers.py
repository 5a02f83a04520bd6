"""Whose keys publish and attest, and which homes deliver here.

Noted before a home registers anything, and by hand when the trust file is to change. Approvers come and go by `make trust` and
`make distrust`, which leave entries. Keys of jobs are mounted and listed by whoever administers the trust file, so what it lists
is compared with what was noted. Nothing but a person's word renews the note: else whoever adds a key there would only have to
wait for the next training.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from models.governance.ledger import Entry, Event
from models.governance.requests import Office
from models.governance.signing import Duty, Trust
from models.governance.verification import Finding

JOBS = (Duty.PUBLISH, Duty.ATTEST, Duty.DELIVER)


def begin_signers(office: Office, actor: str) -> None:
    """Once in a home."""
    if not _noted(office.ledger.entries()):
        office.note(Event.SIGNERS_NOTED, "", actor, signers(office.trust))


def signers(trust: Trust) -> dict[str, Any]:
    """The public keys of jobs, by duty and name."""
    return {str(duty): dict(trust.keys.get(duty, {})) for duty in JOBS}


def check_signers(entries: Sequence[Entry], trust: Trust) -> Iterator[Finding]:
    """What the trust file lists otherwise than it was noted; a home of before says nothing until it registers again."""
    noted = _noted(entries)
    for duty in JOBS if noted else ():
        known: Mapping[str, str] = noted[-1].facts.get(duty, {})  # none in a home of before there were deliveries
        listed = trust.keys.get(duty, {})
        for name in sorted({*known, *listed}):
            if known.get(name) != listed.get(name):
                yield Finding("trust file", _differs(name, duty, known, listed), _HINT)


def ever_trusted(entries: Sequence[Entry], trust: Trust) -> Trust:
    """With the keys of approvers who left since: the attested ledger has them."""
    keys = {
        entry.facts["name"]: entry.facts["key"]
        for entry in entries
        if entry.event in (Event.TRUSTED, Event.DISTRUSTED) and "key" in entry.facts
    }
    return Trust({**trust.keys, Duty.APPROVE: keys | dict(trust.keys.get(Duty.APPROVE, {}))})


def _differs(name: str, duty: Duty, known: Mapping[str, str], listed: Mapping[str, str]) -> str:
    if name not in known:
        return f"{name!r} may {duty}, and nobody noted that key"
    if name not in listed:
        return f"{name!r} was noted to {duty} and is gone"
    return f"the key of {name!r}, who may {duty}, is not the one that was noted"


def _noted(entries: Sequence[Entry]) -> list[Entry]:
    return [entry for entry in entries if entry.event is Event.SIGNERS_NOTED]


_HINT = 'find out who wrote it and put it back; if it is meant to be so: make signers BY=you REASON="…"'
