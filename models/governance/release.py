"""How a bundle comes into force, and out of it again. Every door (pipeline, console, command line) uses these rules.

The channel is the truth. A signed pointer is published first and the ledger follows from the pointers, so a process
killed between the two loses nothing: whoever comes next writes what is missing (`reconcile`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from models.channel import Move, Pointer, head, history, publish
from models.errors import Conflict, Integrity, NoChampion, NotFound
from models.governance.answerable import answerable
from models.governance.attestation import ensure_attested
from models.governance.checking import approvals_that_count, check_standing, ensure_approved
from models.governance.ledger import Event
from models.governance.registration import check_registered
from models.governance.requests import Office, Request, requested
from models.governance.waivers import ensure_tried

_EVENT = {Move.PROMOTE: Event.PROMOTED, Move.ROLL_BACK: Event.ROLLED_BACK}


def champion(office: Office, model: str) -> str:
    """The digest in force, or "" while there is none."""
    try:
        return head(office.channel, office.trust, model).bundle
    except NoChampion:
        return ""


def promote(office: Office, model: str, bundle: str, *, asked_by: str = "") -> Pointer:
    """Bring a requested bundle into force. The same call again completes what a killed one left, without duplicates.

    `asked_by` stands in the pointer and in the ledger: the person who brought it into force, by default who trained it.
    The champion itself needs its approvals too: signed anew, after a demonstration or an expiry, that is written down once.
    Raises `Held` without an approval, or without the canary that its tier asks for where customers are; `NotApproved` if the
    approval does not hold, `Conflict` if the champion is no longer the one that the bundle was compared with, `Integrity` if a
    published pointer was taken away, or if the ledger is not what its witness signed.
    """
    ensure_attested(office)
    reconcile(office, model)
    wanted = requested(office, model, bundle)
    check_registered(office, wanted)
    ensure_approved(office, wanted)
    if champion(office, model) == bundle:
        return _renewed(office, wanted, asked_by or wanted.trainer)
    reason = f"{wanted.reason} {ensure_tried(office, wanted)}".strip()
    return _publish(office, wanted, wanted.compared_with, Move.PROMOTE, reason, asked_by or wanted.trainer)


def roll_back(office: Office, model: str, *, away_from: str, asked_by: str, reason: str) -> Pointer:
    """Bring back the bundle that `away_from` replaced when it was promoted. Asking the same again changes nothing.

    Raises `InputRefused` without a name or a reason, `NotFound` if nothing was in force before it, `Conflict` if another
    bundle is in force, `NotApproved` if the earlier bundle does not stand any more (see `check_standing`), `Integrity` if a
    published pointer was taken away, or if the ledger is not what its witness signed.
    """
    asked_by, reason = answerable(asked_by, reason)
    ensure_attested(office)
    reconcile(office, model)
    pointers = history(office.channel, office.trust, model)
    if pointers and pointers[-1].move is Move.ROLL_BACK and pointers[-1].previous == away_from:
        return pointers[-1]
    promoted = [pointer for pointer in pointers if pointer.bundle == away_from and pointer.move is Move.PROMOTE]
    if not promoted:
        raise NotFound(f"bundle {away_from[:12]} of {model} was never promoted", hint="name the digest of the champion")
    if not promoted[-1].previous:
        raise NotFound(f"{model} had no champion before {away_from[:12]}", hint="promote another bundle instead")
    target = requested(office, model, promoted[-1].previous)
    check_standing(office, target)
    return _publish(office, target, away_from, Move.ROLL_BACK, reason, asked_by)


def take_back(
    office: Office, model: str, *, asked_by: str, reason: str, again: bool = False, away_from: str | None = None
) -> Pointer:
    """Roll the champion back: `away_from` as the person saw it, None for whichever it is.

    Raises `NoChampion`; `Conflict` if another is in force by now, or if it was rolled back before and not `again`.
    """
    if not office.channel.pointers(model):
        raise NoChampion(f"{model} has no champion to go back from", hint="run `make train` first")
    pointers = history(office.channel, office.trust, model)
    now = pointers[-1]
    if away_from is not None and now.bundle != away_from:
        raise Conflict(
            f"this was asked of another version than the one in force, version {now.version} of {model}",
            hint="the page is older than what is in force; look again",
        )
    if now.move is Move.ROLL_BACK and not again:
        raise Conflict(
            f"{model} was rolled back already, to version {now.version}",
            hint="make rollback ARGS=--again goes back one more" if earlier(pointers) else "there is no champion before that one",
        )
    return roll_back(office, model, away_from=now.bundle, asked_by=asked_by, reason=reason)


def earlier(pointers: Sequence[Pointer]) -> str:
    """The bundle that one more roll-back would bring back: what the one in force replaced when it was promoted. "" if none."""
    promoted = [pointer for pointer in pointers if pointer.move is Move.PROMOTE and pointer.bundle == pointers[-1].bundle]
    return promoted[-1].previous if promoted else ""


def reconcile(office: Office, model: str) -> None:
    """Write into the ledger what the channel's signed pointers say and the ledger does not yet.

    Raises `Integrity` if the ledger has a pointer that the channel has not: its number must not be given away again.
    """
    noted = {_identity(entry.facts) for entry in office.ledger.entries(model) if entry.event in _EVENT.values()}
    pointers = history(office.channel, office.trust, model)  # read last: what is noted was published before
    published = {_identity(asdict(pointer)) for pointer in pointers}
    if gone := sorted(noted - published):
        sequence, bundle, at = gone[0]
        raise Integrity(
            f"pointer {sequence} of {model}, to bundle {bundle[:12]} at {at}, is in the ledger and not on the release channel",
            hint="put it back from a copy of the channel; until then make stop keeps the model from answering; see make verify",
        )
    for pointer in pointers:
        if _identity(asdict(pointer)) not in noted:
            facts = {
                "bundle": pointer.bundle,
                "version": pointer.version,
                "previous": pointer.previous,
                "sequence": pointer.sequence,
                "published_at": pointer.published_at,
                "reason": pointer.reason,
            }
            office.note(_EVENT[pointer.move], model, pointer.asked_by, facts)


def _identity(facts: Mapping[str, Any]) -> tuple[int, str, str]:
    """A number alone says too little: whoever takes a pointer away and publishes again gives it to another one."""
    return facts["sequence"], facts["bundle"], facts["published_at"]


def _renewed(office: Office, wanted: Request, asked_by: str) -> Pointer:
    """The pointer stays; the ledger says who signed since it was published, and under which evidence."""
    pointer = head(office.channel, office.trust, wanted.model)
    about = [entry for entry in office.ledger.entries(wanted.model) if entry.facts.get("bundle") == wanted.bundle]
    marks = [entry for entry in about if entry.event in (Event.APPROVED, Event.REPROMOTED, *_EVENT.values())]
    if marks[-1].event is Event.APPROVED:
        approvals = approvals_that_count(office, wanted)
        facts = {
            "bundle": wanted.bundle,
            "version": wanted.version,
            "pointer": pointer.sequence,
            "evidence": wanted.evidence,
            "approvers": sorted(approval.approver for approval in approvals),
        }
        office.note(Event.REPROMOTED, wanted.model, asked_by, facts)
    return pointer


def _publish(office: Office, wanted: Request, expected: str, move: Move, reason: str, asked_by: str) -> Pointer:
    pointer = publish(
        office.channel,
        office.publisher,
        office.trust,
        model=wanted.model,
        version=wanted.version,
        bundle=wanted.bundle,
        expected=expected,
        now=office.clock.now(),
        reason=reason,
        move=move,
        asked_by=asked_by,
    )
    reconcile(office, wanted.model)
    return pointer
