"""An approval: a checker's signature under one bundle's and one evidence folder's digest. Fail-closed."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Self

from models.errors import NotApproved
from models.governance.signing import Duty, Signed, Signer, Trust

VALID_FOR = timedelta(days=365)
DEMONSTRATION_APPROVER = "demonstration-approver"
WATERMARK = "DEMONSTRATION ONLY: signed by the local profile, not by a person"


@dataclass(frozen=True)
class Approval:
    """What was approved, by whom, for how long.

    `watermark` marks the demonstration approver of the local profile. `override` is the written reason why the gate's
    refusal does not stand, asked for by `requester`; both are empty if the gate let the bundle through. `needed` is how many
    different approvers must sign, as this one saw it: serving takes the largest number that it knows. `accepted` names the
    gates of the evidence that were not passed, each with its verdict, and `acceptance` is the written reason to go on.
    """

    model: str
    bundle: str
    evidence: str
    trainer: str
    approver: str
    approved_at: str
    expires_at: str
    comment: str
    watermark: str = ""
    conditions: str = ""
    override: str = ""
    requester: str = ""
    needed: int = 1
    accepted: tuple[str, ...] = ()
    acceptance: str = ""

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> Self:
        """From a signed document. Raises `TypeError` or `ValueError` for one of another form."""
        return cls(**{**document, "accepted": tuple(document.get("accepted", ()))})

    @property
    def ends(self) -> datetime:
        return datetime.fromisoformat(self.expires_at)


def drafted(
    approver: str,
    *,
    model: str,
    bundle: str,
    evidence: str,
    trainer: str,
    now: datetime,
    comment: str,
    watermark: str = "",
    conditions: str = "",
    override: str = "",
    requester: str = "",
    needed: int = 1,
    accepted: Sequence[str] = (),
    acceptance: str = "",
    valid_for: timedelta = VALID_FOR,
) -> dict[str, Any]:
    """What `approver` would sign. Raises `NotApproved` if the approver trained the model, or asked for the override."""
    approval = Approval(
        model=model,
        bundle=bundle,
        evidence=evidence,
        trainer=trainer,
        approver=approver,
        approved_at=now.isoformat(),
        expires_at=(now + valid_for).isoformat(),
        comment=comment,
        watermark=watermark,
        conditions=conditions,
        override=override,
        requester=requester,
        needed=needed,
        accepted=tuple(accepted),
        acceptance=acceptance,
    )
    _check_independent(approval)
    return asdict(approval) | {"accepted": list(approval.accepted)}


def approve(signer: Signer, **said: Any) -> Signed:
    """The same signed; see `drafted`."""
    return signer.sign(drafted(signer.name, **said))


def check_approval(signed: Signed, trust: Trust, *, model: str, bundle: str, now: datetime) -> Approval:
    """The approval, if a trusted approver signed it for exactly this bundle and it is in force. Raises `NotApproved`."""
    trust.verify(signed, Duty.APPROVE)
    try:
        approval = Approval.read(signed.document)
        expired = now >= approval.ends
    except (TypeError, ValueError) as error:
        raise NotApproved("the approval cannot be read", hint="it was made by another release; ask for a new one") from error
    if (approval.model, approval.bundle) != (model, bundle):
        raise NotApproved(
            f"the approval is for {approval.model} {approval.bundle[:12]}, not for {model} {bundle[:12]}",
            hint="ask for an approval of this bundle",
        )
    if approval.approver != signed.signer:
        raise NotApproved("the approver named is not the one who signed", hint="ask for a new approval")
    _check_independent(approval)
    if (approval.watermark or approval.approver == DEMONSTRATION_APPROVER) and not trust.demonstration:
        raise NotApproved(
            "a demonstration approval counts in the local profile only", hint="ask a person to approve: make requests"
        )
    if expired:
        raise NotApproved(f"the approval expired at {approval.expires_at}", hint="ask for a new approval")
    return approval


@dataclass(frozen=True)
class Approved:
    """Approvals that agree on the evidence, each by somebody else. `until` is when too few are left."""

    approvals: tuple[Approval, ...]
    until: datetime


def check_approvals(
    found: Sequence[Signed], trust: Trust, *, model: str, bundle: str, now: datetime, needed: int = 1
) -> Approved:
    """Enough approvals by different people with different keys, of the same evidence. Raises `NotApproved`."""
    agreed = agreeing(found, trust, model=model, bundle=bundle, now=now)
    needed = max(needed, *(approval.needed for approval in agreed))
    if len(agreed) < needed:
        raise NotApproved(
            f"bundle {bundle[:12]} of {model} needs {needed} approvers; so far: {', '.join(a.approver for a in agreed)}",
            hint="ask somebody else for an approval of the same bundle and the same evidence: make requests",
        )
    return Approved(agreed, sorted((approval.ends for approval in agreed), reverse=True)[needed - 1])


def agreeing(found: Sequence[Signed], trust: Trust, *, model: str, bundle: str, now: datetime) -> tuple[Approval, ...]:
    """The largest group of valid approvals that say the same of evidence, override and open gates: one, or `NotApproved`."""
    valid: dict[tuple[str, str, tuple[str, ...]], dict[str, Approval]] = {}
    refused = [NotApproved(f"nobody approved bundle {bundle[:12]} of {model}", hint="see what waits: make requests")]
    for signed in found:
        try:
            approval = check_approval(signed, trust, model=model, bundle=bundle, now=now)
        except NotApproved as why:  # the last one is told: of a person's signature, if there is one, not the demonstration's
            refused.insert(1 if signed.signer == DEMONSTRATION_APPROVER else len(refused), why)
        else:
            key = trust.keys[Duty.APPROVE][approval.approver]  # one key under two names is one approver
            valid.setdefault((approval.evidence, approval.override, approval.accepted), {})[key] = approval
    if not valid:
        raise refused[-1]
    return tuple(max(valid.values(), key=len).values())


def _check_independent(approval: Approval) -> None:
    if approval.approver == approval.trainer:
        raise NotApproved(
            f"{approval.trainer!r} trained this model and cannot approve it",
            hint="ask somebody else: maker and checker differ",
        )
    if approval.approver == approval.requester:
        raise NotApproved(
            f"{approval.requester!r} asked for this override and cannot approve it",
            hint="ask somebody else: whoever asks and whoever approves differ",
        )
