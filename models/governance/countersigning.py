"""Signatures made elsewhere: a door hands out what is to be signed and takes the signature. No door holds a person's key.

What comes back must be, word for word, what the office would have signed now, but for the instant: evidence, gates and the
number of approvers may have changed meanwhile, and a person's signature under what was is not one under what is.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from models.errors import NotApproved
from models.governance.approval import Approval
from models.governance.checking import accept, draft_approval, draft_rejection, note_rejection
from models.governance.requests import Office
from models.governance.signing import Duty, Signed, fingerprint

SIGNED_WITHIN = timedelta(hours=12)
"""From the draft to the signature: a working day."""


def take_approval(office: Office, approver: str, document: Mapping[str, Any], signature: str) -> Approval:
    """Raises `NotApproved` if it is not what would be signed now, if it comes too late, or if the signature does not hold."""
    at = _in_time(office, document, "approved_at")
    words = {name: str(document.get(name, "")) for name in ("comment", "conditions", "acceptance")}
    again = draft_approval(office, approver, str(document.get("model")), str(document.get("bundle")), **words, at=at)
    return accept(office, _signed(office, approver, _same(document, again), signature))


def take_rejection(office: Office, approver: str, document: Mapping[str, Any], signature: str) -> None:
    """Raises as `take_approval`, and as `reject` does."""
    model, bundle, reason = (str(document.get(name)) for name in ("model", "bundle", "reason"))
    again = draft_rejection(office, model, bundle, reason=reason, at=_in_time(office, document, "at"))
    note_rejection(office, _signed(office, approver, _same(document, again), signature))


def _in_time(office: Office, document: Mapping[str, Any], name: str) -> datetime:
    try:
        at = datetime.fromisoformat(str(document.get(name)))
        age = office.clock.now() - at
    except (ValueError, TypeError) as error:
        raise NotApproved("what was signed does not say when", hint="begin again from the page of the request") from error
    if not timedelta(0) <= age <= SIGNED_WITHIN:
        raise NotApproved(
            f"what was signed is of {at:%Y-%m-%d %H:%M}, not of the last {SIGNED_WITHIN // timedelta(hours=1)} hours",
            hint="begin again from the page of the request, and sign what it shows then",
        )
    return at


def _same(document: Mapping[str, Any], again: dict[str, Any]) -> dict[str, Any]:
    if changed := [name for name in {*document, *again} if document.get(name) != again.get(name)]:
        raise NotApproved(
            f"what was signed is not what would be signed now: {', '.join(sorted(changed))} differ",
            hint="something has changed since; begin again from the page of the request",
        )
    return again


def _signed(office: Office, approver: str, document: dict[str, Any], signature: str) -> Signed:
    key = office.trust.keys.get(Duty.APPROVE, {}).get(approver, "")
    return Signed(document, approver, Duty.APPROVE, "".join(signature.split()), fingerprint(key) if key else "")
