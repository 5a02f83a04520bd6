"""Asking for a promotion and signing it off: the maker asks, a checker signs, and both stand in the ledger."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from models.channel import ReleaseChannel
from models.clock import Clock
from models.errors import Held, NotApproved, NotFound
from models.governance.approval import WATERMARK, Approval, approve, check_approval
from models.governance.ledger import Entry, Event, Ledger
from models.governance.signing import Signer, Trust


@dataclass(frozen=True)
class Office:
    """Who and what a release needs. `demonstration` is the local profile's approver; None means that people approve."""

    channel: ReleaseChannel
    ledger: Ledger
    trust: Trust
    publisher: Signer
    clock: Clock
    demonstration: Signer | None = None

    def note(self, event: Event, model: str, actor: str, facts: Mapping[str, Any]) -> None:
        self.ledger.append(event, model=model, actor=actor, at=self.clock.now(), facts=facts)

    def note_once(self, event: Event, model: str, actor: str, facts: Mapping[str, Any]) -> None:
        """Note it unless the newest such entry about this bundle already says the same."""
        known = self.noted(event, model, facts["bundle"])
        if not known or dict(known[-1].facts) != facts:
            self.note(event, model, actor, facts)

    def noted(self, event: Event, model: str, bundle: str) -> list[Entry]:
        """The entries of one kind about one bundle, oldest first."""
        return [entry for entry in self.ledger.entries(model) if entry.event is event and entry.facts.get("bundle") == bundle]


@dataclass(frozen=True)
class Request:
    """A wish to promote: which bundle, made by whom, and the champion that it was compared with ("" for none)."""

    model: str
    version: int
    bundle: str
    evidence: str
    trainer: str
    compared_with: str
    reason: str


def request(office: Office, wanted: Request) -> None:
    """Record the wish; the bundle must be in the channel already. Asking the same again changes nothing."""
    office.channel.bundle(wanted.bundle)
    facts = {name: value for name, value in asdict(wanted).items() if name != "model"}
    office.note_once(Event.REQUESTED, wanted.model, wanted.trainer, facts)


def requested(office: Office, model: str, bundle: str) -> Request:
    """The newest request for a bundle. Raises `NotFound`."""
    found = office.noted(Event.REQUESTED, model, bundle)
    if not found:
        raise NotFound(f"nobody asked to promote bundle {bundle[:12]} of {model}", hint="run `make train` or `make retrain`")
    return Request(model=model, **found[-1].facts)


def sign_off(office: Office, approver: Signer, model: str, bundle: str, *, comment: str, watermark: str = "") -> None:
    """An approver signs a requested bundle. Raises `NotApproved` if the approver trained it or is not trusted to approve."""
    wanted = requested(office, model, bundle)
    now = office.clock.now()
    signed = approve(
        approver,
        model=model,
        bundle=bundle,
        evidence=wanted.evidence,
        trainer=wanted.trainer,
        now=now,
        comment=comment,
        watermark=watermark,
    )
    approval = check_approval(signed, office.trust, model=model, bundle=bundle, now=now)
    office.channel.add_approval(bundle, signed)
    _note_approval(office, approval)


def ensure_approval(office: Office, wanted: Request) -> None:
    """Raises `Held` if a person must sign first. In the local profile the demonstration approver signs instead."""
    approval = _approval(office, wanted)
    withdrawn = _rolled_back(office, wanted)
    if withdrawn and (approval is None or _instant(approval.approved_at) <= _instant(withdrawn.recorded_at)):
        raise Held(
            f"bundle {wanted.bundle[:12]} of {wanted.model} was rolled back: {withdrawn.facts['reason']}",
            hint="it comes back only with an approval signed by a person after that; or train another model",
        )
    if approval is not None:
        _note_approval(office, approval)
    elif office.demonstration is not None:
        comment = "the demonstration approver signs whatever the gate let through"
        sign_off(office, office.demonstration, wanted.model, wanted.bundle, comment=comment, watermark=WATERMARK)
    else:
        raise Held(
            f"waiting for approval of bundle {wanted.bundle[:12]} of {wanted.model}, version {wanted.version}",
            hint="the champion stays in force; promote again once a person has signed",
        )


def _approval(office: Office, wanted: Request) -> Approval | None:
    try:
        signed = office.channel.approval(wanted.bundle)
        return check_approval(signed, office.trust, model=wanted.model, bundle=wanted.bundle, now=office.clock.now())
    except NotFound:
        return None
    except NotApproved:
        if office.demonstration is None:
            raise
        return None  # expired, or signed with keys of an earlier installation: the demonstration approver signs anew


def _rolled_back(office: Office, wanted: Request) -> Entry | None:
    """The entry with which the bundle was last taken out of force."""
    entries = office.ledger.entries(wanted.model)
    found = [e for e in entries if e.event is Event.ROLLED_BACK and e.facts["previous"] == wanted.bundle]
    return found[-1] if found else None


def _note_approval(office: Office, approval: Approval) -> None:
    facts = {"bundle": approval.bundle, "evidence": approval.evidence, "approved_at": approval.approved_at}
    facts |= {"expires_at": approval.expires_at, "comment": approval.comment, "watermark": approval.watermark}
    office.note_once(Event.APPROVED, approval.model, approval.approver, facts)


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)
