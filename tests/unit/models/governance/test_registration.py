"""Whoever can write to the channel and the ledger, but has no publisher's key, brings nothing into force."""

from dataclasses import asdict, replace
from typing import Any

import pytest

from models.errors import NotApproved
from models.governance import release
from models.governance.ledger import Event
from models.governance.registration import check_registered, note_registered
from models.governance.requests import Office, Request, request, requested
from models.governance.signing import Duty
from tests.office import MODEL, Bank, candidate, signer


def asked(bank: Bank, content: str = "first") -> Request:
    """A bundle in the channel and a wish in the ledger, as anybody with a file system can write them."""
    made = candidate(content)
    bank.channel.add_bundle(made.bundle.digest, made.bundle.files)
    wanted = Request(MODEL, 1, made.bundle.digest, made.evidence, "trainer", "", "better")
    request(bank.office, wanted)
    return wanted


def register(office: Office, wanted: Request, **changes: Any) -> None:
    said: dict[str, Any] = {"version": wanted.version, "bundle": wanted.bundle, "evidence": wanted.evidence}
    note_registered(office, MODEL, **said | {"run": "run", "actor": "trainer"} | changes)


def test_what_a_publisher_registered_may_be_promoted() -> None:
    bank = Bank()
    wanted = asked(bank)
    register(bank.office, wanted)
    check_registered(bank.office, wanted)
    assert release.promote(bank.office, MODEL, wanted.bundle).bundle == wanted.bundle


def test_what_nobody_registered_is_not_promoted_even_by_the_demonstration_approver() -> None:
    bank = Bank()
    wanted = asked(bank)
    with pytest.raises(NotApproved, match="registered by nobody who signed"):
        release.promote(bank.office, MODEL, wanted.bundle)
    assert not bank.channel.approvals(wanted.bundle)
    assert not bank.channel.pointers(MODEL)


def test_an_entry_without_a_signature_registers_nothing() -> None:
    bank = Bank()
    wanted = asked(bank)
    facts = {"bundle": wanted.bundle, "version": 1, "run": "run", "evidence": wanted.evidence}
    bank.office.note(Event.REGISTERED, MODEL, "trainer", facts)
    with pytest.raises(NotApproved, match="registered by nobody who signed"):
        release.promote(bank.office, MODEL, wanted.bundle)


def test_a_key_that_is_not_the_publishers_registers_nothing() -> None:
    bank = Bank()
    wanted = asked(bank)
    register(replace(bank.office, publisher=signer("intruder", Duty.PUBLISH)), wanted)
    with pytest.raises(NotApproved, match="'intruder' is not trusted to publish"):
        release.promote(bank.office, MODEL, wanted.bundle)


def test_an_approvers_key_registers_nothing() -> None:
    bank = Bank()
    wanted = asked(bank)
    register(replace(bank.office, publisher=signer("validator", Duty.APPROVE)), wanted)
    with pytest.raises(NotApproved, match="not trusted to publish"):
        release.promote(bank.office, MODEL, wanted.bundle)


@pytest.mark.parametrize("field", ["version", "evidence"])
def test_what_is_asked_for_is_what_was_registered(field: str) -> None:
    bank = Bank()
    wanted = asked(bank)
    register(bank.office, wanted, **{field: 7 if field == "version" else "e" * 64})
    with pytest.raises(NotApproved, match=f"{field} differ"):
        check_registered(bank.office, wanted)


def test_a_signature_is_good_for_one_bundle_only() -> None:
    bank = Bank()
    first, second = asked(bank, "first"), asked(bank, "second")
    register(bank.office, first)
    signed = bank.office.noted(Event.REGISTERED, MODEL, first.bundle)[-1].facts["signed"]
    facts = {"bundle": second.bundle, "version": 1, "run": "run", "evidence": second.evidence, "signed": signed}
    bank.office.note(Event.REGISTERED, MODEL, "trainer", facts)
    with pytest.raises(NotApproved, match="bundle, evidence differ"):
        check_registered(bank.office, requested(bank.office, MODEL, second.bundle))


def test_an_edited_registration_is_none() -> None:
    bank = Bank()
    wanted = asked(bank)
    signed = bank.office.publisher.sign({"model": MODEL, "version": 1, "bundle": "b" * 64, "evidence": wanted.evidence})
    edited = replace(signed, document={**signed.document, "bundle": wanted.bundle})
    facts = {"bundle": wanted.bundle, "version": 1, "evidence": wanted.evidence, "signed": asdict(edited)}
    bank.office.note(Event.REGISTERED, MODEL, "trainer", facts)
    with pytest.raises(NotApproved, match="does not match"):
        check_registered(bank.office, wanted)
