"""The release channel's rules: signed pointers, compare-and-swap, and nothing unverified is ever returned."""

from dataclasses import asdict, replace
from datetime import timedelta
from typing import Any

import pytest

from models.bundle import Bundle
from models.channel import Move, Pointer, head, history, pointer_at, publish, release
from models.errors import Conflict, Integrity, NoChampion, NotApproved
from models.governance.approval import VALID_FOR, approve
from models.governance.signing import Duty, Signer
from tests.fakes.channel import FakeChannel
from tests.office import MODEL, NOON, contract_part, paper_bundle, pipeline, second, signer, trust, validator


def offered(channel: FakeChannel, content: str, *others: Signer, **changes: bytes) -> Bundle:
    """A bundle that is in the channel with an approval, and those of others."""
    bundle = paper_bundle(content, **changes)
    channel.add_bundle(bundle.digest, bundle.files)
    for who in (validator(), *others):
        signed = approve(who, model=MODEL, bundle=bundle.digest, evidence="", trainer="trainer", now=NOON, comment="")
        channel.add_approval(bundle.digest, signed)
    return bundle


def published(channel: FakeChannel, bundle: Bundle, expected: str = "", **changes: Any) -> Pointer:
    given: dict[str, Any] = {"signer": pipeline(), "model": MODEL, "now": NOON}
    given |= {"version": 1, "reason": "better", "move": Move.PROMOTE, "asked_by": "trainer"}
    return publish(channel, trust=trust(), bundle=bundle.digest, expected=expected, **given | changes)


def test_before_the_first_promotion_there_is_no_champion_and_the_hint_says_what_to_run() -> None:
    with pytest.raises(NoChampion) as refused:
        release(FakeChannel(), trust(), MODEL, now=NOON)
    assert "make train" in refused.value.hint


def test_what_was_published_is_what_is_released() -> None:
    channel = FakeChannel()
    first = offered(channel, "first")
    pointer = published(channel, first)

    found = release(channel, trust(), MODEL, now=NOON)

    assert (found.pointer, found.bundle) == (pointer, first)


def test_each_pointer_names_its_predecessor() -> None:
    channel = FakeChannel()
    first, second = offered(channel, "first"), offered(channel, "second")
    published(channel, first)
    published(channel, second, expected=first.digest)

    assert [(p.sequence, p.bundle, p.previous) for p in history(channel, trust(), MODEL)] == [
        (1, first.digest, ""),
        (2, second.digest, first.digest),
    ]


def test_whoever_compared_with_an_older_champion_loses() -> None:
    channel = FakeChannel()
    first, second, third = (offered(channel, name) for name in ("first", "second", "third"))
    published(channel, first)
    published(channel, second, expected=first.digest)

    with pytest.raises(Conflict, match="points at"):
        published(channel, third, expected=first.digest)
    assert head(channel, trust(), MODEL).bundle == second.digest


def test_a_bundle_without_an_approval_is_not_published() -> None:
    channel = FakeChannel()
    bundle = paper_bundle("first")
    channel.add_bundle(bundle.digest, bundle.files)

    with pytest.raises(NotApproved, match="nobody approved"):
        published(channel, bundle)
    assert channel.pointers(MODEL) == 0


def test_a_bundle_that_was_changed_in_the_channel_is_neither_published_nor_released() -> None:
    channel, whole = FakeChannel(), paper_bundle("first")
    channel.add_bundle(whole.digest, {**whole.files, "model.onnx": b"another graph"})
    offered(channel, "first")

    with pytest.raises(Integrity, match=r"model\.onnx"):
        published(channel, whole)


def test_a_bundle_of_another_model_is_neither_published_nor_released() -> None:
    channel, foreign = FakeChannel(), paper_bundle("first", model="other_model")
    channel.add_bundle(foreign.digest, foreign.files)
    channel.add_approval(
        foreign.digest, approve(validator(), model=MODEL, bundle=foreign.digest, evidence="", trainer="t", now=NOON, comment="")
    )

    with pytest.raises(Integrity, match="other_model"):
        published(channel, foreign)
    pointer = Pointer(MODEL, 1, 1, foreign.digest, "", NOON.isoformat(), "", Move.PROMOTE, "t")
    channel.add_pointer(MODEL, 1, pipeline().sign(asdict(pointer)))
    with pytest.raises(Integrity, match="other_model"):
        release(channel, trust(), MODEL, now=NOON)


def test_a_pointer_that_nobody_trusted_signed_is_not_followed() -> None:
    channel = FakeChannel()
    published(channel, offered(channel, "first"))
    forged = Pointer(MODEL, 2, 2, offered(channel, "second").digest, "", NOON.isoformat(), "", Move.PROMOTE, "mallory")
    channel.add_pointer(MODEL, 2, signer("mallory", Duty.PUBLISH).sign(asdict(forged)))

    with pytest.raises(NotApproved, match="mallory"):
        release(channel, trust(), MODEL, now=NOON)


def test_an_old_pointer_cannot_be_replayed_under_a_new_number() -> None:
    channel = FakeChannel()
    first, second = offered(channel, "first"), offered(channel, "second")
    published(channel, first)
    published(channel, second, expected=first.digest)
    channel.add_pointer(MODEL, 3, channel.pointer(MODEL, 1))

    with pytest.raises(Integrity, match="says it is 1"):
        head(channel, trust(), MODEL)


def test_a_pointer_of_another_release_of_the_platform_is_an_integrity_error() -> None:
    channel = FakeChannel()
    channel.add_pointer(MODEL, 1, pipeline().sign({"model": MODEL, "sequence": 1}))

    with pytest.raises(Integrity, match="cannot be read"):
        pointer_at(channel, trust(), MODEL, 1)


def test_a_release_ends_with_its_approval() -> None:
    channel = FakeChannel()
    published(channel, offered(channel, "first"))

    release(channel, trust(), MODEL, now=NOON + VALID_FOR - timedelta(seconds=1))
    with pytest.raises(NotApproved, match="expired"):
        release(channel, trust(), MODEL, now=NOON + VALID_FOR)


def test_a_publisher_who_lost_the_number_after_looking_gets_a_conflict() -> None:
    """Both look, then both write: the number can be taken once."""

    class Overtaken(FakeChannel):
        def add_pointer(self, model: str, sequence: int, pointer: Any) -> None:
            super().add_pointer(model, sequence, replace(pointer, signature="the other one's"))
            super().add_pointer(model, sequence, pointer)

    channel = Overtaken()

    with pytest.raises(Conflict, match="published by somebody else"):
        published(channel, offered(channel, "first"))


STRICTER = b'{"cut_off":0.1}'


def test_a_bundle_whose_policy_is_not_its_predecessors_is_neither_published_nor_released_with_one_approval() -> None:
    """Counted from the signed bytes: an approver who says that one is enough does not make it so."""
    channel = FakeChannel()
    first, second_one = offered(channel, "first"), offered(channel, "second", policy=STRICTER)
    published(channel, first)

    with pytest.raises(NotApproved, match="needs 2 approvers"):
        published(channel, second_one, expected=first.digest)
    forged = Pointer(MODEL, 2, 2, second_one.digest, first.digest, NOON.isoformat(), "", Move.PROMOTE, "pipeline")
    channel.add_pointer(MODEL, 2, pipeline().sign(asdict(forged)))
    with pytest.raises(NotApproved, match="needs 2 approvers"):
        release(channel, trust(), MODEL, now=NOON)

    offered(channel, "second", second(), policy=STRICTER)
    assert release(channel, trust(), MODEL, now=NOON).needed == 2


def test_a_roll_back_asks_for_the_approvals_of_the_promotion_and_for_no_more() -> None:
    channel = FakeChannel()
    first, changed = offered(channel, "first"), offered(channel, "second", second(), policy=STRICTER)
    published(channel, first)
    published(channel, changed, expected=first.digest)
    published(channel, first, expected=changed.digest, move=Move.ROLL_BACK)
    assert release(channel, trust(), MODEL, now=NOON).needed == 1

    published(channel, changed, expected=first.digest, move=Move.ROLL_BACK)
    assert release(channel, trust(), MODEL, now=NOON).needed == 2


def test_nothing_that_was_never_promoted_is_rolled_back_to() -> None:
    channel = FakeChannel()
    first, never = offered(channel, "first"), offered(channel, "never")
    published(channel, first)

    with pytest.raises(Integrity, match="never promoted"):
        published(channel, never, expected=first.digest, move=Move.ROLL_BACK)
    assert channel.pointers(MODEL) == 1


def test_a_bundle_whose_contract_breaks_the_callers_of_its_predecessor_is_not_released() -> None:
    channel = FakeChannel()
    first, narrower = offered(channel, "first"), offered(channel, "second", contract=contract_part(most=1.0))
    published(channel, first)
    published(channel, narrower, expected=first.digest)
    with pytest.raises(Integrity, match="breaks the callers of credit_default: bill_0: the range became narrower") as error:
        release(channel, trust(), MODEL, now=NOON)
    assert "raise the contract's version above 1" in error.value.hint


@pytest.mark.parametrize("part", [contract_part(version=2, most=1.0), contract_part(most=6e6)], ids=["told", "wider"])
def test_a_contract_that_is_wider_or_whose_version_says_that_callers_know_is_released(part: bytes) -> None:
    channel = FakeChannel()
    first, changed = offered(channel, "first"), offered(channel, "second", contract=part)
    published(channel, first)
    published(channel, changed, expected=first.digest)
    assert release(channel, trust(), MODEL, now=NOON).bundle == changed


def test_a_roll_back_to_a_narrower_contract_is_released() -> None:
    channel = FakeChannel()
    first, wider = offered(channel, "first"), offered(channel, "second", contract=contract_part(most=6e6))
    published(channel, first)
    published(channel, wider, expected=first.digest)
    published(channel, first, expected=wider.digest, move=Move.ROLL_BACK)
    assert release(channel, trust(), MODEL, now=NOON).bundle == first
