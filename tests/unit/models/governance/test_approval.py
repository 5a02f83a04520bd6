"""An approval is for one bundle, by a checker who is not the maker, and it ends."""

from datetime import timedelta
from typing import Any

import pytest

from models.errors import NotApproved
from models.governance.approval import VALID_FOR, Approval, approve, check_approval
from models.governance.signing import Signed
from tests.office import MODEL, NOON, pipeline, signer, trust, validator


def approval(**changes: Any) -> Signed:
    given = {"model": MODEL, "bundle": "b" * 64, "evidence": "", "trainer": "trainer", "now": NOON, "comment": "fine"}
    return approve(validator(), **(given | changes))


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
