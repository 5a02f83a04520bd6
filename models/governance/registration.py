"""The maker's signature under what it made: given when a version is registered, asked for when it is to come into force.

A bundle lies in the channel and a request in the ledger before anybody has approved them. Who can only write there must
not be able to bring in a model of their own: without the publisher's key nothing can be registered.
"""

from dataclasses import asdict

from models.channel import verified
from models.errors import NotApproved
from models.governance.ledger import Event
from models.governance.requests import Office, Request
from models.governance.signers import begin_signers
from models.governance.signing import Duty, Signed
from models.governance.yardstick import yardstick


def note_registered(office: Office, model: str, *, version: int, bundle: str, evidence: str, run: str, actor: str) -> None:
    """Write down, signed, which bundle and evidence were registered, and what it is judged with. The same again adds nothing.

    The bundle is in the channel already.
    """
    begin_signers(office, actor)
    signed = office.publisher.sign({"model": model, "version": version, "bundle": bundle, "evidence": evidence})
    judged_with = yardstick(verified(office.channel, model, bundle))
    facts = {"bundle": bundle, "version": version, "run": run, "evidence": evidence, "yardstick": judged_with}
    facts |= {"signed": asdict(signed)}
    office.note_once(Event.REGISTERED, model, actor, facts)


def check_registered(office: Office, wanted: Request) -> None:
    """Raises `NotApproved` unless a trusted publisher registered exactly this bundle, evidence and version."""
    name = f"bundle {wanted.bundle[:12]} of {wanted.model}"
    entries = office.noted(Event.REGISTERED, wanted.model, wanted.bundle)
    if not entries or "signed" not in entries[-1].facts:
        raise NotApproved(
            f"{name} was registered by nobody who signed for it", hint="register it with `make train`, which holds the key"
        )
    signed = Signed.from_dict(entries[-1].facts["signed"], f"the registration of {name}")
    office.trust.verify(signed, Duty.PUBLISH)
    asked = {"model": wanted.model, "version": wanted.version, "bundle": wanted.bundle, "evidence": wanted.evidence}
    if differing := [field for field, value in asked.items() if signed.document.get(field) != value]:
        raise NotApproved(
            f"{name} was not registered as it is asked for: {', '.join(differing)} differ",
            hint="find out who wrote the request, then ask again with `make train`",
        )
