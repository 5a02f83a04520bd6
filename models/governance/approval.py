"""An approval: a checker's signature under one bundle's and one evidence folder's digest. Fail-closed."""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from models.errors import NotApproved
from models.governance.signing import Duty, Signed, Signer, Trust

VALID_FOR = timedelta(days=365)
WATERMARK = "DEMONSTRATION ONLY: signed by the local profile, not by a person"


@dataclass(frozen=True)
class Approval:
    """What was approved, by whom, for how long. `watermark` marks the demonstration approver of the local profile."""

    model: str
    bundle: str
    evidence: str
    trainer: str
    approver: str
    approved_at: str
    expires_at: str
    comment: str
    watermark: str = ""


def approve(
    signer: Signer,
    *,
    model: str,
    bundle: str,
    evidence: str,
    trainer: str,
    now: datetime,
    comment: str,
    watermark: str = "",
) -> Signed:
    if signer.name == trainer:
        raise NotApproved(
            f"{trainer!r} trained this model and cannot approve it", hint="ask somebody else: maker and checker differ"
        )
    approval = Approval(
        model,
        bundle,
        evidence,
        trainer,
        signer.name,
        now.isoformat(),
        (now + VALID_FOR).isoformat(),
        comment,
        watermark,
    )
    return signer.sign(asdict(approval))


def check_approval(signed: Signed, trust: Trust, *, model: str, bundle: str, now: datetime) -> Approval:
    """The approval, if a trusted approver signed it for exactly this bundle and it is in force. Raises `NotApproved`."""
    trust.verify(signed, Duty.APPROVE)
    try:
        approval = Approval(**signed.document)
        expires_at = datetime.fromisoformat(approval.expires_at)
    except (TypeError, ValueError) as error:
        raise NotApproved("the approval cannot be read", hint="it was made by another release; ask for a new one") from error
    if (approval.model, approval.bundle) != (model, bundle):
        raise NotApproved(
            f"the approval is for {approval.model} {approval.bundle[:12]}, not for {model} {bundle[:12]}",
            hint="ask for an approval of this bundle",
        )
    if approval.approver != signed.signer or approval.approver == approval.trainer:
        raise NotApproved("the approver named is not the one who signed, or trained the model", hint="maker and checker differ")
    if now >= expires_at:
        raise NotApproved(f"the approval expired at {approval.expires_at}", hint="ask for a new approval")
    return approval
