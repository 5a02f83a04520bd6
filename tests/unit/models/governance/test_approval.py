"""An approval is for one bundle, by a checker who is not the maker, and it ends."""

from dataclasses import fields, replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from models.errors import NotApproved
from models.governance.approval import (
    DEMONSTRATION_APPROVER,
    VALID_FOR,
    WATERMARK,
    Approval,
    Approved,
    approve,
    check_approval,
    check_approvals,
)
from models.governance.signing import Duty, Signed, Signer, Trust
from tests.office import MODEL, NOON, pipeline, second, signer, trust, validator


def approval(**changes: Any) -> Signed:
    given: dict[str, Any] = {"model": MODEL, "bundle": "b" * 64, "evidence": "", "trainer": "trainer", "now": NOON}
    given["comment"] = "fine"
    by = changes.pop("by", validator())
    return approve(by, **(given | changes))


def checked(signed: Signed, now: Any = NOON, bundle: str = "b" * 64) -> Approval:
    return check_approval(signed, trust(), model=MODEL, bundle=bundle, now=now)


def test_an_approval_names_what_was_approved_and_until_when() -> None:
    found = checked(approval())

    assert (found.bundle, found.approver, found.trainer) == ("b" * 64, "validator", "trainer")
    assert found.expires_at == (NOON + VALID_FOR).isoformat()


def test_the_maker_cannot_be_the_checker() -> None:
    with pytest.raises(NotApproved, match="trained this model"):
        approval(trainer="validator")


def test_an_approval_signed_for_the_approvers_own_work_does_not_count() -> None:
    document = dict(approval().document) | {"trainer": "validator"}

    with pytest.raises(NotApproved, match="trained this model"):
        checked(validator().sign(document))


def test_an_approval_does_not_cover_another_bundle() -> None:
    with pytest.raises(NotApproved, match="not for"):
        checked(approval(), bundle="c" * 64)


def test_an_approval_is_in_force_until_the_instant_it_expires() -> None:
    checked(approval(), now=NOON + VALID_FOR - timedelta(microseconds=1))

    with pytest.raises(NotApproved, match="expired"):
        checked(approval(), now=NOON + VALID_FOR)


def test_the_publisher_cannot_approve() -> None:
    with pytest.raises(NotApproved, match="not trusted to approve"):
        checked(pipeline().sign(approval().document))


def test_a_document_that_is_no_approval_is_refused() -> None:
    with pytest.raises(NotApproved, match="cannot be read"):
        checked(validator().sign({"model": MODEL}))


def test_an_untrusted_approver_does_not_count() -> None:
    with pytest.raises(NotApproved, match="mallory"):
        checked(
            approve(
                signer("mallory", validator().duty), model=MODEL, bundle="b" * 64, evidence="", trainer="t", now=NOON, comment=""
            )
        )


def checked_all(*signed: Signed, needed: int = 1, whom: Trust | None = None, now: datetime = NOON) -> Approved:
    return check_approvals(signed, whom or trust(), model=MODEL, bundle="b" * 64, now=now, needed=needed)


def test_two_approvers_are_two_people() -> None:
    first, other = approval(), approval(by=second())

    assert [found.approver for found in checked_all(first, other, needed=2).approvals] == ["validator", "second"]
    with pytest.raises(NotApproved, match="needs 2 approvers; so far: validator"):
        checked_all(first, needed=2)
    with pytest.raises(NotApproved, match="needs 2 approvers"):
        checked_all(first, first, needed=2)


def test_one_key_under_two_names_is_one_approver() -> None:
    twin = Signer("twin", Duty.APPROVE, validator().key)
    keys = trust().keys
    whom = Trust({**keys, Duty.APPROVE: {**keys[Duty.APPROVE], "twin": twin.public()}})

    with pytest.raises(NotApproved, match="needs 2 approvers"):
        checked_all(approval(), approval(by=twin), needed=2, whom=whom)


def test_approvals_of_different_evidence_do_not_add_up() -> None:
    with pytest.raises(NotApproved, match="needs 2 approvers"):
        checked_all(approval(evidence="e" * 64), approval(by=second(), evidence="f" * 64), needed=2)


def test_an_approval_that_says_that_two_are_needed_is_not_enough_alone() -> None:
    with pytest.raises(NotApproved, match="needs 2 approvers"):
        checked_all(approval(needed=2))
    checked_all(approval(needed=2), approval(by=second()))


def test_a_refused_approval_beside_a_valid_one_does_no_harm_and_no_good() -> None:
    stranger = approval(by=signer("mallory", Duty.APPROVE))

    assert len(checked_all(approval(), stranger).approvals) == 1
    with pytest.raises(NotApproved, match="mallory"):
        checked_all(stranger)
    with pytest.raises(NotApproved, match="nobody approved"):
        checked_all()


def test_approvals_count_until_too_few_are_left() -> None:
    later = NOON + timedelta(days=30)
    first, other = approval(), approval(by=second(), now=later)

    assert checked_all(first, other, now=later).until == later + VALID_FOR
    assert checked_all(first, other, now=later, needed=2).until == NOON + VALID_FOR


@pytest.mark.parametrize("how", [{"watermark": WATERMARK}, {"by": signer(DEMONSTRATION_APPROVER, Duty.APPROVE)}])
def test_outside_the_local_profile_no_demonstration_counts_though_its_key_is_trusted(how: dict[str, Any]) -> None:
    demonstrator = signer(DEMONSTRATION_APPROVER, Duty.APPROVE)
    keys = {**trust().keys, Duty.APPROVE: {**trust().keys[Duty.APPROVE], demonstrator.name: demonstrator.public()}}

    checked_all(approval(**how), whom=Trust(keys, demonstration=True))
    with pytest.raises(NotApproved, match="local profile only"):
        checked_all(approval(**how), whom=Trust(keys))


def test_whoever_asked_for_an_override_does_not_approve_it() -> None:
    with pytest.raises(NotApproved, match="asked for this override"):
        approval(override="the drift is known", requester="validator")
    document = dict(approval().document) | {"override": "the drift is known", "requester": "validator"}
    with pytest.raises(NotApproved, match="asked for this override"):
        checked(validator().sign(document))


@pytest.mark.parametrize("field", [field.name for field in fields(Approval)])
def test_any_changed_field_voids_an_approval(field: str) -> None:
    signed = approval()
    value = signed.document[field]
    more = {int: 1, str: "x", list: ["x"]}[type(value)]
    changed = {**signed.document, field: value + more}

    with pytest.raises(NotApproved):
        checked(replace(signed, document=changed))


def test_a_persons_broken_signature_is_told_although_a_demonstration_stands_beside_it() -> None:
    broken = replace(approval(), signature=approval(comment="another").signature)
    demonstrated = approval(by=signer(DEMONSTRATION_APPROVER, Duty.APPROVE), watermark=WATERMARK)
    keys = trust().keys
    people = {**keys[Duty.APPROVE], DEMONSTRATION_APPROVER: signer(DEMONSTRATION_APPROVER, Duty.APPROVE).public()}
    production = Trust({**keys, Duty.APPROVE: people})

    for found in ([broken, demonstrated], [demonstrated, broken]):
        with pytest.raises(NotApproved, match="signature of 'validator' does not match"):
            check_approvals(found, production, model=MODEL, bundle="b" * 64, now=NOON)
    with pytest.raises(NotApproved, match="demonstration approval counts in the local profile only"):
        check_approvals([demonstrated], production, model=MODEL, bundle="b" * 64, now=NOON)
