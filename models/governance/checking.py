"""What a checker does with a request: approve, reject, or answer for an override. Each with the own key, each in the ledger."""

from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from models.bundle import Bundle
from models.channel import head, verified
from models.errors import Conflict, Held, NotApproved
from models.governance.acceptance import FEWEST_WORDS, FOR_DEMONSTRATION, check_acceptance, gates_to_accept, says
from models.governance.approval import WATERMARK, Approval, agreeing, check_approval, drafted
from models.governance.attestation import ensure_attested
from models.governance.dossier import evidence_digest
from models.governance.inventory import declared, oversight
from models.governance.ledger import Event
from models.governance.registration import check_registered
from models.governance.requests import Office, Request, needed, policy_changes, request, requested, withdrawn
from models.governance.signing import Duty, Signed, Signer
from models.governance.yardstick import said


def sign_off(
    office: Office,
    approver: Signer,
    model: str,
    bundle: str,
    *,
    comment: str,
    conditions: str = "",
    acceptance: str = "",
    watermark: str = "",
    asked_by: str = "",
) -> Approval:
    """An approver signs a requested bundle together with its evidence, as both are now.

    `acceptance` is the written reason why gates of the evidence that were not passed do not stand in the way; the signed
    document names them. `asked_by` is the person at whose word the demonstration approver signs. Raises `NotApproved` if it is
    missing and there are such gates, if the approver trained it, asked for the override or is not trusted, or if the evidence is
    not the one that was registered; `Integrity` if the ledger is not what its witness signed.
    """
    document = draft_approval(
        office,
        approver.name,
        model,
        bundle,
        comment=comment,
        conditions=conditions,
        acceptance=acceptance,
        watermark=watermark,
    )
    return accept(office, approver.sign(document), asked_by=asked_by)


def draft_approval(
    office: Office,
    approver: str,
    model: str,
    bundle: str,
    *,
    comment: str,
    conditions: str = "",
    acceptance: str = "",
    watermark: str = "",
    at: datetime | None = None,
) -> dict[str, Any]:
    """What this approver would sign, now or `at` an instant. Raises as `sign_off` does, but asks nobody's trust."""
    ensure_attested(office)
    wanted = requested(office, model, bundle)
    evidence, gates = check_evidence(office, wanted), gates_to_accept(office, wanted)
    check_acceptance(gates, acceptance)
    return drafted(
        approver,
        model=model,
        bundle=bundle,
        evidence=evidence,
        trainer=wanted.trainer,
        now=at or office.clock.now(),
        comment=comment,
        watermark=watermark,
        conditions=conditions,
        override=wanted.override,
        requester=wanted.requester,
        needed=needed(office, wanted),
        accepted=gates,
        acceptance=acceptance if gates else "",
        valid_for=timedelta(days=oversight(declared(verified(office.channel, model, bundle))).approval_days),
    )


def accept(office: Office, signed: Signed, *, asked_by: str = "") -> Approval:
    """Keep a signed approval, if it counts. Raises `NotApproved`."""
    model, bundle = str(signed.document.get("model")), str(signed.document.get("bundle"))
    approval = check_approval(signed, office.trust, model=model, bundle=bundle, now=office.clock.now())
    office.channel.add_approval(bundle, signed)
    _note(office, approval, asked_by)
    return approval


def reject(office: Office, approver: Signer, model: str, bundle: str, *, reason: str, asked_by: str = "") -> None:
    """An approver says no, signed; until somebody approves after that, the bundle is not promoted.

    Raises `Conflict` if the bundle is in force: a word in the ledger would not take it out of service.
    """
    note_rejection(office, approver.sign(draft_rejection(office, model, bundle, reason=reason)), asked_by=asked_by)


def draft_rejection(office: Office, model: str, bundle: str, *, reason: str, at: datetime | None = None) -> dict[str, Any]:
    """What an approver would sign to say no. Raises as `reject` does."""
    requested(office, model, bundle)
    if office.channel.pointers(model) and head(office.channel, office.trust, model).bundle == bundle:
        raise Conflict(
            f"bundle {bundle[:12]} of {model} is in force, and a rejection would not end that",
            hint="take it out of service: make rollback, or make stop; make distrust if whoever approved it may not any more",
        )
    said = {"model": model, "bundle": bundle, "reason": written(reason)}
    return said | {"at": (at or office.clock.now()).isoformat()}


def note_rejection(office: Office, signed: Signed, *, asked_by: str = "") -> None:
    """Raises `NotApproved` unless a trusted approver signed it."""
    _note_signature(office, signed, Event.REJECTED, {"asked_by": asked_by} if asked_by else {})


def override(office: Office, requester: Signer, model: str, bundle: str, *, compared_with: str, reason: str) -> Request:
    """An approver asks, in writing and signed, to promote what the gate refused. Somebody else must approve it.

    Raises `Conflict` if the gate did not refuse it, `NotApproved` if the requester is no approver or trained it.
    """
    made = office.noted(Event.REGISTERED, model, bundle)
    if not made or not office.noted(Event.KEPT, model, bundle):
        raise Conflict(f"the gate did not refuse bundle {bundle[:12]} of {model}", hint="an override is for what it refused")
    trainer, facts = made[-1].actor, made[-1].facts
    if trainer == requester.name:
        raise NotApproved(f"{trainer!r} trained this model and cannot override its gate", hint="ask an approver to look at it")
    document = {"model": model, "bundle": bundle, "evidence": facts["evidence"], "reason": written(reason)}
    note_signed(office, requester, Event.OVERRIDE_REQUESTED, document)
    wanted = Request(
        model=model,
        version=facts["version"],
        bundle=bundle,
        evidence=facts["evidence"],
        trainer=trainer,
        compared_with=compared_with,
        reason=f"Override of the gate by {requester.name}: {reason}",
        override=reason,
        requester=requester.name,
    )
    request(office, wanted)
    return wanted


def ensure_approved(office: Office, wanted: Request) -> None:
    """Raises `Held` if people must sign first, `NotApproved` if what they signed is not what is there.

    In the local profile the demonstration approver signs, but never against a person's word, for an edited policy or for
    an override: those are decisions of people.
    """
    _await_pack(office, wanted)
    check_evidence(office, wanted)
    if wanted.override:
        _check_override(office, wanted)
    counting = approvals_that_count(office, wanted)
    missing = needed(office, wanted) - len(counting)
    if missing > 0 and office.demonstration is not None and not people_only(office, wanted):
        comment = "the demonstration approver signs whatever the gate let through"
        demonstrated = {"comment": comment, "acceptance": FOR_DEMONSTRATION, "watermark": WATERMARK}
        sign_off(office, office.demonstration, wanted.model, wanted.bundle, **demonstrated)
        missing = needed(office, wanted) - len(approvals_that_count(office, wanted))
    if missing > 0:
        why = "; ".join(filter(None, (people_only(office, wanted), _unaccepted(office, wanted))))
        raise Held(
            f"waiting for approval of bundle {wanted.bundle[:12]} of {wanted.model}, version {wanted.version}: "
            f"{missing} more approver{'s' * (missing > 1)}{f', because {why}' if why else ''}",
            hint="the champion stays in force; see make requests, then make approve and make promote",
        )
    for approval in approvals_that_count(office, wanted):
        _note(office, approval)


def check_standing(office: Office, wanted: Request) -> None:
    """What brought a bundle into force holds still. Unlike for a promotion, nobody signs anew here.

    Raises `NotApproved` if registration, evidence, override or approvals do not hold, or a person withdrew it since;
    `Integrity` if the ledger, which has that word, is not what its witness signed.
    """
    ensure_attested(office)
    check_registered(office, wanted)
    check_evidence(office, wanted)
    if wanted.override:
        _check_override(office, wanted)
    agreeing(
        office.channel.approvals(wanted.bundle), office.trust, model=wanted.model, bundle=wanted.bundle, now=office.clock.now()
    )
    missing = needed(office, wanted) - len(approvals_that_count(office, wanted))
    if missing > 0:
        last = withdrawn(office, wanted)
        why = f"was {last.what}: {last.reason}" if last else f"lacks {missing} approvals of its evidence"
        raise NotApproved(
            f"bundle {wanted.bundle[:12]} of {wanted.model} {why}",
            hint="use another bundle, or none; or have this one approved again: make approve",
        )


def approvals_that_count(office: Office, wanted: Request) -> tuple[Approval, ...]:
    """Those in force, of this evidence and override, its open gates accepted, signed after the last word against the bundle.

    Raises `NotApproved` where people approve and every signature that is there was refused: they want to know why.
    """
    gates = gates_to_accept(office, wanted)
    found = [signed for signed in office.channel.approvals(wanted.bundle) if says(signed.document, wanted, gates)]
    try:
        valid = agreeing(found, office.trust, model=wanted.model, bundle=wanted.bundle, now=office.clock.now())
    except NotApproved:
        if found and office.demonstration is None:
            raise
        return ()  # expired, or signed with keys of an earlier installation
    last = withdrawn(office, wanted)
    return tuple(approval for approval in valid if last is None or datetime.fromisoformat(approval.approved_at) > last.at)


def _unaccepted(office: Office, wanted: Request) -> str:
    gates = gates_to_accept(office, wanted)
    return f"these gates were not passed and must be accepted in writing: {', '.join(gates)}" if gates else ""


def people_only(office: Office, wanted: Request) -> str:
    """Why the demonstration approver may not sign; "" if it may."""
    if last := withdrawn(office, wanted):
        return f"the bundle was {last.what}: {last.reason}"
    if wanted.override:
        return f"{wanted.requester} asked to override the gate: {wanted.override}"
    bundle: Bundle = verified(office.channel, wanted.model, wanted.bundle)
    _, changes = policy_changes(office, wanted, bundle)
    return said(changes) if changes else ""


def check_evidence(office: Office, wanted: Request) -> str:
    """The digest of the evidence as it is now. Raises `NotApproved` if it is not all there, or not what was registered."""
    demanded = demands(office, wanted)
    files = office.dossiers.files(wanted.model, wanted.bundle, wanted.evidence)
    digest = evidence_digest(files, wanted.bundle, demanded, wanted.version)
    if digest != wanted.evidence:
        raise NotApproved(
            f"the evidence of bundle {wanted.bundle[:12]} is {digest[:12]}, and {wanted.evidence[:12] or 'none'} was registered",
            hint="it was written anew: ask again with `make train`, and have it approved again",
        )
    return digest


def demands(office: Office, wanted: Request) -> tuple[str, ...]:
    """The files that the evidence must have by the model's tier; those of an evidence pack too, where people approve."""
    rules = oversight(declared(verified(office.channel, wanted.model, wanted.bundle)))
    return rules.evidence if office.demonstration else (*rules.evidence, *rules.pack)


def _await_pack(office: Office, wanted: Request) -> None:
    """Raises `Held` if there is evidence, and people could not yet read all of it that they must have read."""
    files = office.dossiers.files(wanted.model, wanted.bundle, wanted.evidence)
    rules = oversight(declared(verified(office.channel, wanted.model, wanted.bundle)))
    if office.demonstration is None and files and not files.keys() >= set(rules.pack):
        raise Held(
            f"version {wanted.version} of {wanted.model} waits for its evidence pack",
            hint=f"make evidence VERSION={wanted.version}, then people read and sign it: make requests",
        )


def _check_override(office: Office, wanted: Request) -> None:
    """Raises `NotApproved` unless the requester, an approver, signed exactly this reason."""
    for entry in office.noted(Event.OVERRIDE_REQUESTED, wanted.model, wanted.bundle):
        signed = Signed.from_dict(entry.facts["signed"], f"the override in ledger entry {entry.number}")
        if signed.signer == wanted.requester and signed.document.get("reason") == wanted.override:
            office.trust.verify(signed, Duty.APPROVE)
            return
    raise NotApproved(f"nobody signed the override of bundle {wanted.bundle[:12]}", hint="ask for it with `make override`")


def _note(office: Office, approval: Approval, asked_by: str = "") -> None:
    named = ("bundle", "evidence", "approved_at", "expires_at", "comment", "watermark", "conditions", "override", "acceptance")
    facts = {name: getattr(approval, name) for name in named} | {"accepted": list(approval.accepted)}
    known = (dict(entry.facts) for entry in office.noted(Event.APPROVED, approval.model, approval.bundle))
    if facts not in [{name: said for name, said in noted.items() if name != "asked_by"} for noted in known]:
        office.note(Event.APPROVED, approval.model, approval.approver, facts | ({"asked_by": asked_by} if asked_by else {}))


def note_signed(office: Office, signer: Signer, event: Event, document: dict[str, Any]) -> None:
    """Raises `NotApproved` unless the signer is trusted to approve."""
    _note_signature(office, signer.sign({**document, "at": office.clock.now().isoformat()}), event, {})


def _note_signature(office: Office, signed: Signed, event: Event, more: dict[str, Any]) -> None:
    office.trust.verify(signed, Duty.APPROVE)
    facts = {name: value for name, value in signed.document.items() if name not in ("model", "at")}
    office.note(event, signed.document["model"], signed.signer, facts | more | {"signed": asdict(signed)})


def written(reason: str) -> str:
    """Raises `NotApproved` for what is no sentence."""
    if len(reason.split()) < FEWEST_WORDS:
        raise NotApproved(f"{reason!r} is no reason", hint=f"write a sentence, of {FEWEST_WORDS} words at least")
    return reason
