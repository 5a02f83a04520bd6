"""How a release is carried from one home to another: what leaves, what a receiver looks at, and what counts there.

A parcel holds the bundle, the evidence that people sign, their approvals, and a statement that the sending home signed. It lay
somewhere in between, so the receiver believes none of it: the statement must be signed by a home that its own trust file lists to
deliver, every digest is computed anew, and an approval counts only if the receiver's own trust file has that approver.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from models.bundle import Bundle
from models.channel import head, verified
from models.errors import Conflict, Integrity, NotApproved, PlatformError
from models.governance import stop
from models.governance.approval import check_approval
from models.governance.attestation import ensure_attested
from models.governance.checking import check_standing
from models.governance.dossier import evidence_digest
from models.governance.inventory import declared, oversight
from models.governance.ledger import Event
from models.governance.packs import Packs, newest_pack
from models.governance.release import champion
from models.governance.requests import Office, Request, requested
from models.governance.signing import Duty, Signed, Signer


@dataclass(frozen=True)
class Statement:
    """What the sending home says of it: its own version, who trained it, and the champion that its gate compared it with ("" for
    none). `writer` is the release of the code that wrote the evidence pack, "" if what training left is carried instead."""

    model: str
    version: int
    bundle: str
    evidence: str
    trainer: str
    compared_with: str
    reason: str
    training: str
    writer: str
    sent_at: str

    @classmethod
    def read(cls, signed: Signed) -> Self:
        """Raises `Integrity` for one of another form."""
        try:
            found = cls(**signed.document)
        except TypeError as error:
            raise Integrity("the parcel's statement cannot be read", hint="another release of the platform sent it") from error
        if any(type(said) is not (int if name == "version" else str) for name, said in asdict(found).items()):
            raise Integrity("the parcel's statement says something else than it must", hint="have it sent again: make send")
        return found


@dataclass(frozen=True)
class Parcel:
    """As it lies there, unverified."""

    statement: Signed
    bundle: Mapping[str, bytes]
    evidence: Mapping[str, bytes]
    approvals: tuple[Signed, ...] = ()


@dataclass(frozen=True)
class Opened:
    """A parcel of which everything was verified. `refused`: approvals that do not count here, by signer, with the reason."""

    said: Statement
    bundle: Bundle
    approvals: tuple[Signed, ...]
    refused: Mapping[str, str] = field(default_factory=dict)


def sent(office: Office, packs: Packs, sender: Signer, model: str) -> Parcel:
    """The release in force here, for another home: what leaves a home was approved and promoted in it.

    Raises `NoChampion`; `NotApproved` if what brought it into force does not hold any more, or if people overrode the gate, for
    that is a decision about one home; `Conflict` if the model is stopped; `Integrity` if the ledger does not hold.
    """
    ensure_attested(office)
    pointer = head(office.channel, office.trust, model)
    wanted = requested(office, model, pointer.bundle)
    if wanted.override:
        raise NotApproved(
            f"the gate refused bundle {wanted.bundle[:12]} of {model}, and {wanted.requester} overrode it here",
            hint="an override stays in the home where it was answered for; deliver what the gate lets through",
        )
    check_standing(office, wanted)
    halted = stop.newest(office.channel, office.trust, model)
    if halted and halted.stopped:
        raise Conflict(f"{model} is stopped here: {halted.reason}", hint="what is not in service is not delivered: make resume")
    evidence = _evidence(office, packs, wanted)
    noted = [entry.facts for entry in office.noted(Event.PACK_SEALED, model, wanted.bundle) if entry.facts["pack"] == evidence]
    said = Statement(
        model=model,
        version=wanted.version,
        bundle=wanted.bundle,
        evidence=evidence,
        trainer=wanted.trainer,
        compared_with=wanted.compared_with,
        reason=wanted.reason,
        training=noted[-1]["training"] if noted else "",
        writer=noted[-1]["writer"] if noted else "",
        sent_at=office.clock.now().isoformat(),
    )
    files = office.dossiers.files(model, wanted.bundle, evidence)
    approvals = tuple(signed for signed in office.channel.approvals(wanted.bundle) if not signed.document.get("watermark"))
    return Parcel(sender.sign(asdict(said)), verified(office.channel, model, wanted.bundle).files, files, approvals)


def opened(office: Office, parcel: Parcel, model: str) -> Opened:
    """Everything of a parcel that can be checked without running the model.

    Raises `NotApproved` if no home signed it that may deliver here, or if the evidence is not all there, or not what was stated;
    `Integrity` if a byte of the bundle differs or the ledger does not hold; `Conflict` if it was compared with another champion.
    """
    _ensure_attested(office)
    office.trust.verify(parcel.statement, Duty.DELIVER)
    said = Statement.read(parcel.statement)
    if said.model != model:
        raise Integrity(f"the parcel is of {said.model}, not of {model}", hint=f"make receive MODEL={said.model}")
    bundle = Bundle.verified(parcel.bundle, said.bundle)
    if bundle.model != model:
        raise Integrity(f"the bundle is of {bundle.model}, not of {model}", hint="find out who made the parcel")
    _check_evidence(office, parcel, said, bundle)
    here = champion(office, model)
    if here not in (said.compared_with, said.bundle):
        raise Conflict(
            f"bundle {said.bundle[:12]} of {model} was compared with {said.compared_with[:12] or 'nothing'}, and"
            f" {here[:12] or 'nothing'} is in force here",
            hint="deliver the champion that it was compared with first, or train against the one in force here",
        )
    counting, refused = _counting(office, parcel, said)
    return Opened(said, bundle, counting, refused)


def _ensure_attested(office: Office) -> None:
    """A new home has no ledger yet."""
    if office.ledger.entries():
        ensure_attested(office)


def note_received(office: Office, found: Opened, statement: Signed, *, by: str, reason: str) -> None:
    """Who let it in, from where; the signed statement stays with the entry."""
    facts: dict[str, Any] = {"bundle": found.said.bundle, "evidence": found.said.evidence, "sender": statement.signer}
    facts |= {"reason": reason, "signed": asdict(statement)}
    office.note_once(Event.RECEIVED, found.said.model, by, facts)


def _evidence(office: Office, packs: Packs, wanted: Request) -> str:
    """What people signed; where the demonstration approver did, the newest pack, which people are to sign elsewhere."""
    pack = newest_pack(office.ledger.entries(wanted.model), packs, wanted.model, wanted.bundle) if office.demonstration else ""
    return pack or wanted.evidence


def _check_evidence(office: Office, parcel: Parcel, said: Statement, bundle: Bundle) -> None:
    rules = oversight(declared(bundle))
    demanded = rules.evidence if office.demonstration else (*rules.evidence, *rules.pack)
    digest = evidence_digest(parcel.evidence, said.bundle, demanded, said.version)
    if digest != said.evidence:
        raise NotApproved(
            f"the evidence in the parcel is {digest[:12]}, and {said.evidence[:12]} was stated",
            hint="have it sent again: make send",
        )


def _counting(office: Office, parcel: Parcel, said: Statement) -> tuple[tuple[Signed, ...], dict[str, str]]:
    """Approvals that this home's trust file lets count, of exactly this evidence; of the others, why not."""
    counting, refused = [], {}
    for signed in parcel.approvals:
        try:
            approval = check_approval(signed, office.trust, model=said.model, bundle=said.bundle, now=office.clock.now())
        except PlatformError as error:
            refused[signed.signer] = error.problem
            continue
        if approval.evidence == said.evidence and not approval.override:
            counting.append(signed)
        else:
            refused[signed.signer] = "it is of other evidence"
    return tuple(counting), refused
