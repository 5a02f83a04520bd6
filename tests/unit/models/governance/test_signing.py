"""A signature counts for one signer, one duty and one document."""

from dataclasses import replace

import pytest

from models.errors import NotApproved
from models.governance.signing import Duty, Signed, Signer
from tests.office import pipeline, signer, trust, validator

DOCUMENT = {"model": "credit_default", "bundle": "abc"}


def test_a_trusted_signature_passes_and_survives_storage() -> None:
    signed = Signed.from_bytes(pipeline().sign(DOCUMENT).to_bytes())

    trust().verify(signed, Duty.PUBLISH)

    assert signed == pipeline().sign(DOCUMENT)


def test_a_changed_document_does_not_pass() -> None:
    signed = replace(pipeline().sign(DOCUMENT), document={**DOCUMENT, "bundle": "xyz"})

    with pytest.raises(NotApproved, match="does not match"):
        trust().verify(signed, Duty.PUBLISH)


def test_a_key_for_one_duty_does_not_count_for_another() -> None:
    with pytest.raises(NotApproved, match="not trusted to approve"):
        trust().verify(pipeline().sign(DOCUMENT), Duty.APPROVE)
    relabelled = replace(pipeline().sign(DOCUMENT), duty=Duty.APPROVE, signer="validator")
    with pytest.raises(NotApproved, match="does not match"):
        trust().verify(relabelled, Duty.APPROVE)


def test_a_stranger_who_uses_a_trusted_name_does_not_pass() -> None:
    impostor = Signer("validator", Duty.APPROVE, signer("mallory", Duty.APPROVE).key)

    with pytest.raises(NotApproved, match="does not match"):
        trust().verify(impostor.sign(DOCUMENT), Duty.APPROVE)


def test_a_stranger_by_name_is_told_who_is_trusted() -> None:
    with pytest.raises(NotApproved) as refused:
        trust().verify(signer("mallory", Duty.APPROVE).sign(DOCUMENT), Duty.APPROVE)
    assert "validator" in refused.value.hint


@pytest.mark.parametrize("signature", ["", "not base64 !", "AAAA"])
def test_a_broken_signature_is_refused_and_nothing_worse(signature: str) -> None:
    with pytest.raises(NotApproved):
        trust().verify(replace(validator().sign(DOCUMENT), signature=signature), Duty.APPROVE)


@pytest.mark.parametrize(
    "data", [b"", b"{", b"[]", b"null", b'{"document": {}}', b'{"document":{},"signer":"a","duty":"x","signature":""}']
)
def test_bytes_that_are_no_signed_document_are_refused(data: bytes) -> None:
    with pytest.raises(NotApproved, match="cannot be read"):
        Signed.from_bytes(data)
