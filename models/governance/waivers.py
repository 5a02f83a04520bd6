"""People answer for a release that decides for everybody without the canary that its tier asks for: signed, with the reason.

For when there is no time, or there are too few accounts for a canary to tell anything. Two must, as for an override of the gate;
who cannot wait for two rolls back, or stops the model.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from models.channel import Move, ReleaseChannel, expect_head, head, verified
from models.errors import Conflict, Held, NotApproved, PlatformError
from models.governance.approval import DEMONSTRATION_APPROVER
from models.governance.attestation import ensure_attested, unsigned
from models.governance.canaries import Canary, lacks, newest_canary, place_of, tried, untried
from models.governance.checking import note_signed, written
from models.governance.inventory import declared, oversight
from models.governance.ledger import Entry, Event
from models.governance.requests import Office, Request, requested
from models.governance.rollout_records import read
from models.governance.signers import ever_trusted
from models.governance.signing import Duty, Signed, Signer, Trust
from models.governance.verification import Finding

SIGNERS = 2


@dataclass(frozen=True)
class Waiver:
    by: str
    reason: str
    at: datetime


def ensure_tried(office: Office, wanted: Request) -> str:
    """What people say who answer for going without a canary; "" where one passed, or none is asked for.

    Raises `Held` if neither is so, `Conflict` if the champion is no longer the one that the bundle was compared with.
    """
    expect_head(office.channel, office.trust, wanted.model, wanted.compared_with)
    missing = untried(office, wanted)
    answered = waived(office, wanted) if missing else ""
    if missing and not answered:
        raise Held(
            f"bundle {wanted.bundle[:12]} of {wanted.model}, version {wanted.version}, must not decide for everybody: {missing}",
            hint=f'the champion stays in force; make canary CHALLENGER={wanted.version} SHARE=.1 BY=you REASON="…", then make'
            " judge-rollout; where that cannot be, approvers answer for it:"
            f' make waive-canary BUNDLE={wanted.bundle[:12]} BY=… REASON="…"',
        )
    return answered


def waived(office: Office, wanted: Request) -> str:
    """The sentence of those who answer for going without; "" unless enough of them signed."""
    signed = _signed(office, wanted) if office.canaries else []
    if len(signed) < SIGNERS:
        return ""
    return f"Without a canary that passed; for that answer {'; '.join(f'{each.by}: {each.reason}' for each in signed)}."


def waive(office: Office, approver: Signer, model: str, bundle: str, *, reason: str) -> int:
    """An approver answers for it, also for a champion that came into force untried. How many more must; 0 if enough did.

    Raises `Conflict` if it lacks no canary; `NotApproved` without a reason, or if the approver trained it, asked for its override
    or is not trusted; `Integrity` if the ledger does not hold.
    """
    ensure_attested(office)
    wanted = requested(office, model, bundle)
    place = place_of(office, wanted)
    if place is None or not untried(office, wanted):
        raise Conflict(f"bundle {bundle[:12]} of {model} lacks no canary here", hint="there is nothing to answer for")
    if approver.name in (wanted.trainer, wanted.requester, DEMONSTRATION_APPROVER):
        raise NotApproved(f"{approver.name!r} cannot answer for it", hint="ask an approver who neither made it nor asked for it")
    document = {"model": model, "bundle": bundle, "champion": place.champion, "pointer": place.pointer, "reason": written(reason)}
    note_signed(office, approver, Event.CANARY_WAIVED, document)
    return max(0, SIGNERS - len(_signed(office, wanted)))


def skipped(
    entries: Sequence[Entry], channel: ReleaseChannel, trust: Callable[[], Trust], models: Sequence[str]
) -> Iterator[Finding]:
    """The check for `make verify`, where canaries are asked for: what is in force was tried, or people answer for it."""
    for model in models:
        pointer = head(channel, trust(), model)
        least = oversight(declared(verified(channel, model, pointer.bundle))).canary_accounts
        if pointer.move is not Move.PROMOTE or not pointer.previous or not least:
            continue
        before = pointer.sequence - 1
        found = newest_canary(read(channel, trust(), model)[0], pointer.bundle, before)
        about, known = [entry for entry in entries if entry.model == model], ever_trusted(entries, trust())
        missing = lacks(found, least)
        if missing and len(_waivers(about, known, pointer.bundle, before, found)) < SIGNERS:
            hint = f'make rollback; or approvers answer for it: make waive-canary BUNDLE={pointer.bundle[:12]} BY=… REASON="…"'
            yield Finding(f"pointer {pointer.sequence} of {model}", f"it is in force, and {missing}", hint)


def _signed(office: Office, wanted: Request) -> list[Waiver]:
    place = place_of(office, wanted)
    if place is None:
        return []
    entries = office.ledger.entries(wanted.model)
    return _waivers(entries, office.trust, wanted.bundle, place.pointer, tried(office, wanted, place))


def _waivers(entries: Sequence[Entry], trust: Trust, bundle: str, pointer: int, tried: Canary | None) -> list[Waiver]:
    """One of each key, oldest first. One signed before the newest canary began says nothing of how that went."""
    asked = [entry.facts for entry in entries if entry.event is Event.REQUESTED and entry.facts["bundle"] == bundle]
    makers = {DEMONSTRATION_APPROVER, *(name for facts in asked[-1:] for name in (facts["trainer"], facts.get("requester")))}
    found: dict[str, Waiver] = {}
    for entry in entries:
        if entry.event is not Event.CANARY_WAIVED or (entry.facts["bundle"], entry.facts["pointer"]) != (bundle, pointer):
            continue
        waiver = _read(entry, trust)
        if waiver and waiver.by not in makers and (tried is None or waiver.at > tried.begun.starts):
            found.setdefault(trust.keys[Duty.APPROVE][waiver.by], waiver)
    return list(found.values())


def _read(entry: Entry, trust: Trust) -> Waiver | None:
    """None if nobody who may signed what the entry says."""
    try:
        signed = Signed.from_dict(entry.facts["signed"], f"the waiver in ledger entry {entry.number}")
        said = tuple(signed.document[name] for name in ("model", "bundle", "pointer", "reason"))
        waiver = Waiver(signed.signer, said[-1], datetime.fromisoformat(signed.document["at"]))
    except (PlatformError, KeyError, TypeError, ValueError):
        return None
    noted = (entry.model, *(entry.facts[name] for name in ("bundle", "pointer", "reason")))
    return waiver if said == noted and not unsigned(trust, signed, Duty.APPROVE) else None
