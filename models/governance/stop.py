"""The stop switch of a model: a signed, numbered document in the channel that serving obeys within one look.

The newest document counts. It stops the model, with the reason that every client is told, or lets it go on. A stop may
name a fallback: a bundle of the same model that was in force before, and still stands, answers meanwhile, marked as such.
Each number is taken once, and the highest one counts, so an old document cannot be played again.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from models.channel import (
    Move,
    Pointer,
    Release,
    ReleaseChannel,
    ReleaseReader,
    approvers_needed,
    history,
    readable,
    verified,
    walked,
)
from models.errors import Conflict, Integrity, NoChampion, NotApproved, NotFound, PlatformError, Unavailable
from models.governance.answerable import answerable
from models.governance.approval import agreeing
from models.governance.attestation import ensure_attested
from models.governance.checking import check_standing
from models.governance.ledger import Entry, Event
from models.governance.requests import Office, requested
from models.governance.signing import Duty, Signed, Trust

_FIND_OUT = "and find out who writes there; see make verify"


class Stopped(Unavailable):
    """A person stopped this model."""


@dataclass(frozen=True)
class Stop:
    """`fallback` is a bundle's digest, "" for none; `fallback_version` its number in the registry.

    `over` are the numbers of documents before it that nobody can read, and that count for nothing.
    """

    model: str
    sequence: int
    stopped: bool
    reason: str
    asked_by: str
    at: str
    fallback: str = ""
    fallback_version: int = 0
    over: tuple[int, ...] = ()

    def to_document(self) -> dict[str, Any]:
        """As it is signed. Where all could be read, `over` is left out."""
        document = asdict(self) | {"over": list(self.over)}
        return {name: value for name, value in document.items() if name != "over" or value}


def newest(channel: ReleaseReader, trust: Trust, model: str) -> Stop | None:
    """The document in force; None if the model was never stopped. Raises `NotApproved`, `Integrity`."""
    sequence = channel.stops(model)
    return stop_at(channel, trust, model, sequence) if sequence else None


def stop_at(channel: ReleaseReader, trust: Trust, model: str, sequence: int) -> Stop:
    signed = channel.stop(model, sequence)
    trust.verify(signed, Duty.PUBLISH)
    try:
        found = Stop(**{**signed.document, "over": tuple(signed.document.get("over", ()))})
    except TypeError as error:
        raise Integrity(
            f"stop {sequence} of {model} cannot be read", hint="it was signed by another release of the platform"
        ) from error
    if (found.model, found.sequence) != (model, sequence):
        raise Integrity(
            f"stop {sequence} of {model} says it is {found.sequence} of {found.model}", hint="an old document was played again"
        )
    return found


def stop(office: Office, model: str, *, asked_by: str, reason: str, fallback: str = "") -> Stop:
    """Take a model out of service, now. Asking the same again changes nothing.

    Raises `InputRefused` without a name or a reason, `NoChampion` if nothing is in force, `Conflict` if the fallback is in
    force itself, `NotFound` or `NotApproved` if the fallback was never in force, or does not stand any more: see `stand_in`
    and `check_standing`.
    """
    asked_by, reason = answerable(asked_by, reason)
    last = office.channel.pointers(model)
    if not last:
        raise NoChampion(f"{model} has no champion to stop", hint="nothing is served")
    if fallback and office.channel.pointer(model, last).document["bundle"] == fallback:
        raise Conflict(f"bundle {fallback[:12]} is the one in force", hint="name another approved bundle, or none")
    now = office.clock.now()
    wanted = Stop(model, sequence=0, stopped=True, reason=reason, asked_by=asked_by, at=now.isoformat(), fallback=fallback)
    if fallback:
        asked = requested(office, model, fallback)
        version = stand_in(office.channel, office.trust, wanted, now).pointer.version
        check_standing(office, asked)
        wanted = replace(wanted, fallback_version=version)
    return _publish(office, wanted)


def resume(office: Office, model: str, *, asked_by: str, reason: str, sequence: int | None = None) -> Stop:
    """Let the champion answer again, also over a newest document that nobody can read: services obey it as a stop.

    `sequence` is of the stop that the person saw, None for whichever it is. Raises `Conflict` if the model is not stopped, or
    by a newer one; `Integrity` if a stop was taken away.
    """
    asked_by, reason = answerable(asked_by, reason)
    if (last := max(_numbers_noted(office, model), default=0)) > office.channel.stops(model):
        raise Integrity(
            f"stop {last} of {model} is in the ledger and not on the release channel",
            hint="put it back from a copy of the channel, or say anew that it is stopped: make stop; then make resume",
        )
    over = office.channel.stops(model)  # nothing that comes after is written over
    _ensure_stopped(office, model)
    if sequence is not None and over != sequence:
        raise _stopped_anew(model, over)
    at = office.clock.now().isoformat()
    wanted = Stop(model, sequence=0, stopped=False, reason=reason, asked_by=asked_by, at=at)
    try:
        return _publish(office, wanted, over)
    except Conflict as error:  # somebody else was faster
        _ensure_stopped(office, model)
        raise _stopped_anew(model, office.channel.stops(model)) from error


def _ensure_stopped(office: Office, model: str) -> None:
    if _stands(office, model, stopped=False):
        raise Conflict(f"{model} is not stopped", hint="it answers; see /v1/models")


def _stopped_anew(model: str, newest: int) -> Conflict:
    return Conflict(
        f"{model} was stopped anew since: stop {newest} is in force",
        hint="the page is older than what is in force; look again",
    )


def stand_in(channel: ReleaseReader, trust: Trust, stopped: Stop, now: datetime) -> Release:
    """The fallback as serving loads it, everything verified, under a pointer that was never published (sequence 0).

    It was promoted once, by a signed pointer of this model: a stop brings nothing into force that never was.
    Raises `NotApproved`, also if it was rolled back and not approved since; `NotFound`, `Integrity`.
    """
    promoted, withdrawal = _past(history(channel, trust, stopped.model), stopped)
    bundle = verified(channel, stopped.model, stopped.fallback)
    approvals = channel.approvals(bundle.digest)
    if withdrawal:
        approvals = signed_since(withdrawal, approvals, trust, now)
    pointer = replace(
        promoted,
        sequence=0,
        previous="",
        published_at=stopped.at,
        reason=stopped.reason,
        asked_by=stopped.asked_by,
    )
    return Release(pointer, bundle, approvers_needed(channel, bundle, promoted.previous)).under(approvals, trust, now)


def _past(pointers: Sequence[Pointer], stopped: Stop) -> tuple[Pointer, Pointer | None]:
    """The last promotion of the fallback and the roll-back from it since, if any. Raises `NotApproved`."""
    promoted = [found for found in pointers if found.bundle == stopped.fallback and found.move is Move.PROMOTE]
    if not promoted:
        raise NotApproved(
            f"bundle {stopped.fallback[:12]} of {stopped.model} was never in force",
            hint="only what was promoted once can stand in: name such a bundle, or none",
        )
    since = pointers[promoted[-1].sequence :]
    away = [found for found in since if found.previous == stopped.fallback and found.move is Move.ROLL_BACK]
    return promoted[-1], away[-1] if away else None


def signed_since(withdrawal: Pointer, found: Sequence[Signed], trust: Trust, now: datetime) -> tuple[Signed, ...]:
    """The approvals of the bundle that this pointer rolled back, as far as they were signed later. Raises `NotApproved`."""
    model, bundle, at = withdrawal.model, withdrawal.previous, datetime.fromisoformat(withdrawal.published_at)
    valid = agreeing(found, trust, model=model, bundle=bundle, now=now)
    later = {approval.approver for approval in valid if datetime.fromisoformat(approval.approved_at) > at}
    if not later:
        raise NotApproved(
            f"bundle {bundle[:12]} of {model} was rolled back: {withdrawal.reason}",
            hint="name another bundle, or none; or have this one approved again",
        )
    return tuple(signed for signed in found if signed.signer in later)


def reconcile(office: Office, model: str) -> None:
    """Write into the ledger what the signed documents say and the ledger does not yet, then complain of the others.

    In that order: a stop that services obey and the ledger does not know could be taken away, and nobody would see it. What was
    taken away since is for `make verify` to name. Raises `Integrity` for a document that cannot be read, or whose number was
    given to another.
    """
    noted = _noted(office, model)
    documents, unreadable = read(office.channel, office.trust, model)
    for found in documents:
        if found.sequence not in noted:
            office.note(Event.STOPPED if found.stopped else Event.RESUMED, model, found.asked_by, _facts(found))
    there = unreadable.keys() & set(office.channel.numbers("stops", model))
    for sequence in sorted(there - (passed_over(documents) - noted.keys())):
        raise Integrity(unreadable[sequence].problem, hint=f"put it back from a copy of the channel, {_FIND_OUT}")
    for found in documents:
        entry = noted.get(found.sequence)
        if entry and (entry.facts != _facts(found) or (entry.event is Event.STOPPED) is not found.stopped):
            raise Integrity(
                f"stop {found.sequence} of {model} is another document than ledger entry {entry.number} knows",
                hint=f"one was taken away and its number given to another: put it back from a copy of the channel, {_FIND_OUT}",
            )


def read(channel: ReleaseChannel, trust: Trust, model: str) -> tuple[list[Stop], dict[int, PlatformError]]:
    """The documents that are there, and by number what is wrong with those that cannot be read; a gap by its first."""
    gap = f"the channel has no stops {{first}} to {{last}} of {model}"
    return readable(walked(channel.numbers("stops", model)), lambda number: stop_at(channel, trust, model, number), gap)


def passed_over(documents: Sequence[Stop]) -> set[int]:
    """What a person stopped or resumed over. It excuses nothing that the ledger knows: that was readable once."""
    return {number for found in documents for number in found.over}


def _facts(found: Stop) -> dict[str, Any]:
    facts = {"sequence": found.sequence, "reason": found.reason, "fallback": found.fallback, "published_at": found.at}
    return facts | ({"over": list(found.over)} if found.over else {})


def _noted(office: Office, model: str) -> dict[int, Entry]:
    """By number: the last entry about each document."""
    entries = office.ledger.entries(model)
    return {entry.facts["sequence"]: entry for entry in entries if entry.event in (Event.STOPPED, Event.RESUMED)}


def _numbers_noted(office: Office, model: str) -> list[int]:
    """Those that the ledger knows; none if nothing rests on it, for that must keep nobody from stopping a model."""
    try:
        ensure_attested(office)
        return [*_noted(office, model)]
    except PlatformError:
        return []


def _stands(office: Office, model: str, *, stopped: bool) -> bool:
    """Whether the newest document says so; one that nobody can read says nothing."""
    try:
        now = newest(office.channel, office.trust, model)
    except (Integrity, NotApproved, NotFound):
        return False
    return now.stopped is stopped if now else not stopped


def _publish(office: Office, wanted: Stop, over: int | None = None) -> Stop:
    """The document first: a ledger that is broken or away must not keep anybody from stopping a model.

    `over` is the number of the newest document that the person knew of: the next one is taken, or `Conflict` is raised. None is
    for whichever it is; a number that the ledger knows is not given away again, although its document is gone from the channel.
    Over a newest document that nobody can read the next is written.
    """
    documents, unreadable = read(office.channel, office.trust, wanted.model)
    last = max(_numbers_noted(office, wanted.model), default=0)
    document = documents[-1] if documents else None
    blind = office.channel.stops(wanted.model) in unreadable
    if blind or document is None or _says(document) != _says(wanted) or document.sequence < last:
        number = (max(office.channel.stops(wanted.model), last) if over is None else over) + 1
        document = replace(wanted, sequence=number, over=tuple(sorted(unreadable)) if blind else ())
        office.channel.add_stop(document.model, number, office.publisher.sign(document.to_document()))
    try:
        ensure_attested(office)
        reconcile(office, document.model)
    except PlatformError as error:
        said = "stopped" if document.stopped else "let go on"
        noted = document.sequence in _numbers_noted(office, document.model)
        so_far = "and the ledger has it, but" if noted else "but the ledger could not record it:"
        raise Integrity(f"{document.model} is {said}, {so_far} {error.problem}", error.hint) from error
    return document


def _says(found: Stop) -> tuple[bool, str, str]:
    return found.stopped, found.reason, found.fallback
