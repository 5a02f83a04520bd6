"""How bundles come into force and out of it, whoever asks."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from models.bundle import canonical
from models.channel import Move
from models.credit_default import USE_CASE
from models.errors import Conflict, Held, Integrity, NotApproved, NotFound
from models.governance import release
from models.governance.approval import VALID_FOR, WATERMARK
from models.governance.checking import reject, sign_off
from models.governance.ledger import Entry, Event, Ledger
from models.governance.requests import Request, request, requested
from models.governance.signing import Duty, Signed
from models.governance.stop import stop
from tests.fakes.channel import FakeChannel
from tests.fakes.ledger import FakeLedger
from tests.office import MODEL, Bank, contract_part, paper_bundle, paper_evidence, pipeline, signer, validator, witness


def promoted(bank: Bank, *contents: str) -> None:
    """Bring bundles into force, one after the other."""
    before = ""
    for content in contents:
        release.promote(bank.office, MODEL, bank.ask(content, before))
        before = content


def test_a_requested_bundle_comes_into_force_and_the_ledger_says_how() -> None:
    bank = Bank()
    digest = bank.ask("first")

    pointer = release.promote(bank.office, MODEL, digest)

    assert bank.served() == digest
    assert (pointer.move, pointer.asked_by, pointer.reason) == (Move.PROMOTE, "trainer", "first is better")
    assert bank.events() == [Event.REGISTERED, Event.REQUESTED, Event.APPROVED, Event.PROMOTED]


def test_the_demonstration_approvers_signature_is_watermarked() -> None:
    bank = Bank()
    promoted(bank, "first")

    approved = next(entry for entry in bank.ledger.entries(MODEL) if entry.event is Event.APPROVED)
    assert approved.facts["watermark"] == WATERMARK
    assert [signed.document["watermark"] for signed in bank.channel.approvals(paper_bundle("first").digest)] == [WATERMARK]


def test_what_nobody_asked_for_is_not_promoted() -> None:
    bank = Bank()
    bundle = paper_bundle("first")
    bank.channel.add_bundle(bundle.digest, bundle.files)

    with pytest.raises(NotFound, match="nobody asked"):
        release.promote(bank.office, MODEL, bundle.digest)


@pytest.mark.parametrize(("field", "nothing"), [("owner", ""), ("permitted", []), ("exposure", {})])
def test_what_its_inventory_leaves_out_keeps_a_bundle_from_being_promoted(field: str, nothing: object) -> None:
    bank = Bank()
    whole = USE_CASE.inventory.model_dump(mode="json")
    digest = bank.ask("first", inventory=canonical(whole | {field: nothing}))
    with pytest.raises(NotApproved, match="leaves out:"):
        release.promote(bank.office, MODEL, digest)
    assert bank.channel.pointers(MODEL) == 0


def test_in_production_a_promotion_waits_for_a_person() -> None:
    bank = Bank(local=False)
    promoted_before = bank.ask("first")

    with pytest.raises(Held, match=f"waiting for approval of bundle {promoted_before[:12]}"):
        release.promote(bank.office, MODEL, promoted_before)

    assert release.champion(bank.office, MODEL) == ""
    sign_off(bank.office, validator(), MODEL, promoted_before, comment="I looked at the calibration")
    release.promote(bank.office, MODEL, promoted_before)
    assert bank.served() == promoted_before


def test_the_trainer_cannot_sign_off_the_own_work() -> None:
    bank = Bank(local=False)
    digest = bank.ask("first")

    with pytest.raises(NotApproved, match="trained this model"):
        sign_off(bank.office, signer("trainer", Duty.APPROVE), MODEL, digest, comment="trust me")


def test_an_approver_whom_nobody_trusts_leaves_no_approval_behind() -> None:
    bank = Bank(local=False)
    digest = bank.ask("first")

    with pytest.raises(NotApproved, match="mallory"):
        sign_off(bank.office, signer("mallory", Duty.APPROVE), MODEL, digest, comment="trust me")
    assert bank.channel.approvals(digest) == ()


def test_an_expired_approval_holds_nothing_up_locally_and_stops_production() -> None:
    bank = Bank()
    digest = bank.ask("first")
    sign_off(bank.office, validator(), MODEL, digest, comment="fine")
    bank.clock.set(bank.clock.now() + VALID_FOR)

    bank.local = False
    with pytest.raises(NotApproved, match="expired"):
        release.promote(bank.office, MODEL, digest)
    bank.local = True
    release.promote(bank.office, MODEL, digest)
    assert bank.served() == digest


def test_a_challenger_compared_with_an_older_champion_is_not_promoted() -> None:
    bank = Bank()
    promoted(bank, "first")
    late = bank.ask("late", compared_with="first")
    release.promote(bank.office, MODEL, bank.ask("second", compared_with="first"))

    with pytest.raises(Conflict):
        release.promote(bank.office, MODEL, late)
    assert bank.served() == paper_bundle("second").digest


def test_promoting_twice_is_promoting_once() -> None:
    bank = Bank()
    digest = bank.ask("first")

    assert release.promote(bank.office, MODEL, digest) == release.promote(bank.office, MODEL, digest)
    assert bank.events() == [Event.REGISTERED, Event.REQUESTED, Event.APPROVED, Event.PROMOTED]


def test_asking_twice_is_asking_once_until_the_champion_changed() -> None:
    bank = Bank()
    promoted(bank, "first")
    bank.ask("second", compared_with="first")
    bank.ask("second", compared_with="first")
    release.promote(bank.office, MODEL, bank.ask("third", compared_with="first"))

    bank.ask("second", compared_with="third")

    assert requested(bank.office, MODEL, paper_bundle("second").digest).compared_with == paper_bundle("third").digest
    asked = [entry for entry in bank.ledger.entries() if entry.event is Event.REQUESTED]
    assert [entry.facts["reason"].split()[0] for entry in asked] == ["first", "second", "third", "second"]


def test_a_roll_back_brings_the_earlier_bundle_back() -> None:
    bank = Bank()
    promoted(bank, "first", "second")
    second = paper_bundle("second").digest

    pointer = release.roll_back(bank.office, MODEL, away_from=second, asked_by="on-call", reason="scores too low")

    assert bank.served() == paper_bundle("first").digest
    assert (pointer.move, pointer.previous, pointer.asked_by) == (Move.ROLL_BACK, second, "on-call")
    last = bank.ledger.entries(MODEL)[-1]
    assert (last.event, last.actor, last.facts["reason"]) == (Event.ROLLED_BACK, "on-call", "scores too low")


def test_asking_for_the_same_roll_back_again_does_not_go_back_further() -> None:
    bank = Bank()
    promoted(bank, "first", "second", "third")
    for _ in range(2):
        release.roll_back(bank.office, MODEL, away_from=paper_bundle("third").digest, asked_by="on-call", reason="bad")

    assert bank.served() == paper_bundle("second").digest
    assert bank.events().count(Event.ROLLED_BACK) == 1


def test_one_can_walk_back_step_by_step() -> None:
    bank = Bank()
    promoted(bank, "first", "second", "third")
    for content in ("third", "second"):
        release.roll_back(bank.office, MODEL, away_from=paper_bundle(content).digest, asked_by="on-call", reason="bad")

    assert bank.served() == paper_bundle("first").digest
    with pytest.raises(NotFound, match="no champion before"):
        release.roll_back(bank.office, MODEL, away_from=paper_bundle("first").digest, asked_by="on-call", reason="bad")


def test_rolling_back_from_what_is_not_in_force_is_a_conflict() -> None:
    bank = Bank()
    promoted(bank, "first", "second", "third")

    with pytest.raises(Conflict):
        release.roll_back(bank.office, MODEL, away_from=paper_bundle("second").digest, asked_by="on-call", reason="bad")
    with pytest.raises(NotFound, match="never promoted"):
        release.roll_back(bank.office, MODEL, away_from="f" * 64, asked_by="on-call", reason="bad")


def test_no_roll_back_to_a_bundle_whose_approval_expired() -> None:
    bank = Bank()
    promoted(bank, "first")
    bank.clock.set(bank.clock.now() + VALID_FOR)
    release.promote(bank.office, MODEL, bank.ask("second", compared_with="first"))

    with pytest.raises(NotApproved, match="expired"):
        release.roll_back(bank.office, MODEL, away_from=paper_bundle("second").digest, asked_by="on-call", reason="bad")


def rejected(bank: Bank, digest: str) -> None:
    bank.clock.set(bank.clock.now() + timedelta(hours=1))
    reject(bank.office, validator(), MODEL, digest, reason="it is unfair to the young")


def with_edited_evidence(bank: Bank, digest: str) -> None:
    bank.dossiers.replaced[digest] = paper_evidence(digest) | {"assessment.json": b"{}"}


@pytest.mark.parametrize(("tamper", "why"), [(rejected, "was rejected"), (with_edited_evidence, "changed after sealing")])
def test_no_roll_back_to_a_bundle_that_does_not_stand_any_more(tamper: Callable[[Bank, str], None], why: str) -> None:
    bank = Bank()
    promoted(bank, "first", "second")
    tamper(bank, paper_bundle("first").digest)
    second, noted = paper_bundle("second").digest, bank.events()

    with pytest.raises(NotApproved, match=why):
        release.roll_back(bank.office, MODEL, away_from=second, asked_by="on-call", reason="scores too low")
    assert (bank.served(), bank.events()) == (second, noted)


def without_the_rejection(entries: list[Entry]) -> list[Entry]:
    """Numbered and chained anew, as anybody can who may write the ledger."""
    found: list[Entry] = []
    for entry in entries:
        if entry.event is not Event.REJECTED:
            found.append(replace(entry, number=len(found) + 1, previous=found[-1].chain if found else "").sealed())
    return found


class Rewritten(FakeLedger):
    """What is left of a ledger after somebody without the witness's key took a rejection out of it."""

    def __init__(self, ledger: Ledger, heads: list[tuple[str, Signed]]) -> None:
        super().__init__(witness())
        self._entries = without_the_rejection(ledger.entries())
        self._left = heads

    def heads(self) -> list[tuple[str, Signed]]:
        return self._left


def test_nothing_is_decided_on_a_ledger_from_which_a_rejection_was_taken() -> None:
    bank = Bank()
    promoted(bank, "first", "second")
    first, second, third = paper_bundle("first").digest, paper_bundle("second").digest, bank.ask("third", "second")
    rejected(bank, third)
    rejected(bank, first)
    bank.ask("fourth", "second")
    bank.ledger = Rewritten(bank.ledger, heads=[])
    noted = bank.ledger.entries()

    for decide in (
        lambda: release.promote(bank.office, MODEL, third),
        lambda: release.roll_back(bank.office, MODEL, away_from=second, asked_by="on-call", reason="too strict"),
        lambda: sign_off(bank.office, validator(), MODEL, third, comment="fine"),
        lambda: stop(bank.office, MODEL, asked_by="on-call", reason="too strict", fallback=first),
    ):
        with pytest.raises(Integrity, match="attestation does not hold"):
            decide()
    assert (bank.served(), bank.ledger.entries()) == (second, noted)


def test_so_it_is_where_people_approve_and_have_signed_before() -> None:
    """Nobody signs at the promotion, so nobody else looks at the ledger."""
    bank = Bank(local=False)
    digest = bank.ask("first")
    sign_off(bank.office, validator(), MODEL, digest, comment="I read the evidence")
    rejected(bank, digest)
    bank.ask("second")
    bank.ledger = Rewritten(bank.ledger, heads=[])

    with pytest.raises(Integrity, match="attestation does not hold"):
        release.promote(bank.office, MODEL, digest)
    assert not bank.channel.pointers(MODEL)


@pytest.mark.parametrize(("anchored", "why"), [(False, "no signed head"), (True, "removed from the end")])
def test_nothing_is_promoted_after_the_end_of_the_ledger_was_cut_off(anchored: bool, why: str) -> None:
    bank = Bank()
    digest = bank.ask("first")
    rejected(bank, digest)
    bank.ledger = Rewritten(bank.ledger, heads=bank.ledger.heads() if anchored else [])

    with pytest.raises(Integrity, match=why):
        release.promote(bank.office, MODEL, digest)
    assert bank.channel.pointers(MODEL) == 0


def test_a_bundle_that_was_rolled_back_returns_only_with_a_new_approval_by_a_person() -> None:
    """The same data and recipe make the same bundle again: retraining must not undo what the on-call engineer did."""
    bank = Bank()
    promoted(bank, "first", "second")
    second = paper_bundle("second").digest
    release.roll_back(bank.office, MODEL, away_from=second, asked_by="on-call", reason="scores too low")

    bank.ask("second", compared_with="first")
    with pytest.raises(Held, match="was rolled back: scores too low"):
        release.promote(bank.office, MODEL, second)

    bank.clock.set(bank.clock.now() + timedelta(hours=1))
    sign_off(bank.office, validator(), MODEL, second, comment="the fault was elsewhere")
    release.promote(bank.office, MODEL, second)
    assert bank.served() == second


def test_the_ledger_is_completed_from_the_signed_pointers() -> None:
    bank = Bank()
    promoted(bank, "first", "second")
    forgetful = Bank(channel=bank.channel)

    release.reconcile(forgetful.office, MODEL)
    release.reconcile(forgetful.office, MODEL)

    noted = [(entry.event, entry.facts["bundle"]) for entry in forgetful.ledger.entries(MODEL)]
    assert noted == [(Event.PROMOTED, paper_bundle(content).digest) for content in ("first", "second")]


def taken_away(bank: Bank) -> None:
    """The pointer of the roll-back: what it brought out of force would be in force again."""
    assert isinstance(bank.channel, FakeChannel)
    bank.channel._pointers[MODEL].pop(3)


def published_again(bank: Bank) -> None:
    """Under the same number, to the same bundle, an hour later."""
    document = bank.channel.pointer(MODEL, 3).document
    taken_away(bank)
    bank.channel.add_pointer(MODEL, 3, pipeline().sign({**document, "published_at": "2005-09-01T13:00:00+00:00"}))


@pytest.mark.parametrize("tamper", [taken_away, published_again])
def test_a_pointer_that_the_ledger_knows_cannot_lose_its_number_to_another(tamper: Callable[[Bank], None]) -> None:
    bank = Bank()
    promoted(bank, "first", "second")
    away_from = paper_bundle("second").digest
    release.roll_back(bank.office, MODEL, away_from=away_from, asked_by="on-call", reason="scores too low")
    tamper(bank)
    published, noted = bank.channel.pointers(MODEL), bank.events()

    with pytest.raises(Integrity, match=f"pointer 3 of {MODEL}"):
        release.roll_back(bank.office, MODEL, away_from=away_from, asked_by="on-call", reason="again")
    with pytest.raises(Integrity, match=f"pointer 3 of {MODEL}"):
        release.promote(bank.office, MODEL, away_from)
    assert (bank.channel.pointers(MODEL), bank.events()) == (published, noted)


def test_what_would_break_the_champions_callers_is_not_asked_for() -> None:
    bank = Bank()
    champion, narrower = paper_bundle("first"), paper_bundle("second", contract=contract_part(most=1.0))
    bank.channel.add_bundle(champion.digest, champion.files)
    bank.channel.add_bundle(narrower.digest, narrower.files)

    with pytest.raises(Integrity, match="the contract breaks the callers"):
        request(bank.office, Request(MODEL, 2, narrower.digest, "", "trainer", champion.digest, "better"))
    assert bank.events() == []


def test_a_request_needs_its_bundle_in_the_channel() -> None:
    bank = Bank()
    bank.ask("first")
    elsewhere = Bank(channel=FakeChannel(), ledger=bank.ledger)

    with pytest.raises(NotFound):
        release.promote(elsewhere.office, MODEL, paper_bundle("first").digest)
    assert elsewhere.channel.pointers(MODEL) == 0
