"""A signature counts for one signer, one duty and one document."""

from dataclasses import asdict, replace

import pytest

from models.errors import NotApproved
from models.governance.signing import Duty, Signed, Signer, fingerprint
from tests.office import pipeline, signer, trust, validator

DOCUMENT = {"model": "credit_default", "bundle": "abc"}


def test_a_trusted_signature_passes_and_survives_storage() -> None:
    signed = Signed.from_bytes(pipeline().sign(DOCUMENT).to_bytes())

    trust().verify(signed, Duty.PUBLISH)

    assert signed == pipeline().sign(DOCUMENT)


def test_a_changed_document_does_not_pass() -> None:
    signed = replace(pipeline().sign(DOCUMENT), document={**DOCUMENT, "bundle": "xyz"})

    with pytest.raises(NotApproved, match=r"publish model credit_default, bundle xyz: .* changed after signing") as refused:
        trust().verify(signed, Duty.PUBLISH)
    assert "from a copy" in refused.value.hint


def test_a_key_for_one_duty_does_not_count_for_another() -> None:
    with pytest.raises(NotApproved, match="not trusted to approve"):
        trust().verify(pipeline().sign(DOCUMENT), Duty.APPROVE)
    relabelled = replace(pipeline().sign(DOCUMENT), duty=Duty.APPROVE, signer="validator")
    with pytest.raises(NotApproved, match="does not match"):
        trust().verify(relabelled, Duty.APPROVE)


def test_a_stranger_who_uses_a_trusted_name_does_not_pass() -> None:
    impostor = Signer("validator", Duty.APPROVE, signer("mallory", Duty.APPROVE).key)

    with pytest.raises(NotApproved, match=r"key .* signed, and the trust file has") as refused:
        trust().verify(impostor.sign(DOCUMENT), Duty.APPROVE)
    assert fingerprint(impostor.public()) in refused.value.problem
    assert fingerprint(validator().public()) in refused.value.problem
    assert "in that name" in refused.value.hint


def test_a_fingerprint_lets_nothing_pass() -> None:
    """It stands outside the signature: whoever edits it gets another message and nothing else."""
    impostor = Signer("validator", Duty.APPROVE, signer("mallory", Duty.APPROVE).key)
    claimed = replace(impostor.sign(DOCUMENT), key=fingerprint(validator().public()))

    with pytest.raises(NotApproved, match="changed after signing"):
        trust().verify(claimed, Duty.APPROVE)


def test_a_document_signed_before_fingerprints_were_kept_still_counts_and_still_fails_when_edited() -> None:
    old = Signed.from_dict({name: value for name, value in asdict(pipeline().sign(DOCUMENT)).items() if name != "key"})

    trust().verify(old, Duty.PUBLISH)
    with pytest.raises(NotApproved, match="does not match") as refused:
        trust().verify(replace(old, document={}), Duty.PUBLISH)
    assert "changed after signing, or signed with another key" in refused.value.hint


def test_a_stranger_by_name_is_told_who_is_trusted() -> None:
    with pytest.raises(NotApproved) as refused:
        trust().verify(signer("mallory", Duty.APPROVE).sign(DOCUMENT), Duty.APPROVE)
    assert "validator" in refused.value.hint


@pytest.mark.parametrize("signature", ["", "not base64 !", "AAAA"])
def test_a_broken_signature_is_refused_and_nothing_worse(signature: str) -> None:
    with pytest.raises(NotApproved):
        trust().verify(replace(validator().sign(DOCUMENT), signature=signature), Duty.APPROVE)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"document": {}}',
        b'{"document":[1],"signer":"a","duty":"publish","signature":"x"}',
        b'{"document":{},"signer":"a","duty":"x","signature":""}',
        b'{"document":{"a":1e400},"signer":"a","duty":"publish","signature":"x"}',
        b'{"document":{"a":NaN},"signer":"a","duty":"publish","signature":"x"}',
        b'{"document":{"a":"\\ud800"},"signer":"a","duty":"publish","signature":"x"}',
        b'{"document":{},"signer":"a","duty":"publish","signature":"x","key":"\\ud800"}',
    ],
)
def test_bytes_that_are_no_signed_document_are_refused(data: bytes) -> None:
    with pytest.raises(NotApproved, match="cannot be read"):
        Signed.from_bytes(data)
