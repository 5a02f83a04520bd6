"""A champion of the local profile waits for people where people approve; once they have signed, the ledger says so."""

from dataclasses import replace
from datetime import timedelta

import pytest

from models.bundle import MANIFEST, sha256
from models.channel import release as served_release
from models.errors import Held, NotApproved
from models.governance import release
from models.governance.approval import VALID_FOR
from models.governance.checking import reject, sign_off
from models.governance.inbox import Waiting, waiting
from models.governance.ledger import Event
from models.governance.registration import note_registered
from models.governance.requests import Office, request, requested
from models.governance.standing import Standing, standing
from tests.office import MODEL, NOON, Bank, paper_evidence, second, trust, validator

PEOPLE = replace(trust(), demonstration=False)


def production(bank: Bank) -> Office:
    return replace(bank.office, demonstration=None, trust=PEOPLE)


def inbox(office: Office) -> list[Waiting]:
    return waiting(office, MODEL, release.champion(office, MODEL))


def stands(office: Office) -> Standing:
    return standing(office.channel, office.trust, office.ledger, MODEL, office.clock.now())


def demonstrated() -> tuple[Bank, str]:
    """A champion that only the demonstration approver signed."""
    bank = Bank()
    digest = bank.ask("first")
    release.promote(bank.office, MODEL, digest)
    return bank, digest


def test_in_the_local_profile_a_demonstrated_champion_is_in_force_and_nothing_waits_but_it_is_said() -> None:
    bank, _ = demonstrated()

    assert inbox(bank.office) == []
    found = stands(bank.office)
    assert found.problem
    assert "promoted, not approved for production: a demonstration approval counts in the local profile only" in found.sentence
    assert found.caveat.startswith("Promoted, not approved")


def test_where_people_approve_it_waits_for_them_and_nothing_serves_it() -> None:
    bank, digest = demonstrated()
    office = production(bank)

    (wish,) = inbox(office)
    assert (wish.wanted.bundle, wish.in_force, wish.stale, wish.approvals) == (digest, True, False, ())
    with pytest.raises(NotApproved, match="local profile only"):
        served_release(bank.channel, PEOPLE, MODEL, now=NOON)
    with pytest.raises((Held, NotApproved)):
        release.promote(office, MODEL, digest)
    assert Event.REPROMOTED not in bank.events()


def test_people_sign_it_again_and_promote_writes_that_down_once() -> None:
    bank, digest = demonstrated()
    office = production(bank)

    sign_off(office, second(), MODEL, digest, comment="I read the evidence")
    pointer = release.promote(office, MODEL, digest)
    release.promote(office, MODEL, digest)

    assert pointer.sequence == 1
    (entry,) = office.noted(Event.REPROMOTED, MODEL, digest)
    assert (entry.facts["approvers"], entry.facts["pointer"]) == (["second"], 1)
    assert inbox(office) == []
    assert served_release(bank.channel, PEOPLE, MODEL, now=NOON).bundle.digest == digest
    assert stands(office).sentence.startswith("approved by second, until")
    assert stands(office).caveat == ""


def test_an_evidence_pack_built_after_the_demonstration_is_what_people_sign() -> None:
    bank, digest = demonstrated()
    pack = paper_evidence(digest, fairness="failed")
    bank.dossiers.replaced[digest] = pack
    evidence = sha256(pack[MANIFEST])
    note_registered(bank.office, MODEL, version=5, bundle=digest, evidence=evidence, run="run", actor="trainer")
    request(bank.office, replace(requested(bank.office, MODEL, digest), evidence=evidence))
    office = production(bank)

    (wish,) = inbox(office)
    assert (wish.wanted.evidence, wish.gates) == (evidence, ("fairness: failed",))
    sign_off(office, second(), MODEL, digest, comment="read", acceptance="limits are reviewed in June")
    release.promote(office, MODEL, digest)
    assert 'accepted in writing by second, "limits are reviewed in June": failed (fairness)' in stands(office).sentence


def test_a_champion_whose_approval_has_ended_waits_to_be_signed_again() -> None:
    bank = Bank(local=False)
    digest = bank.ask("first")
    sign_off(bank.office, validator(), MODEL, digest, comment="fine")
    release.promote(bank.office, MODEL, digest)
    assert inbox(bank.office) == []

    bank.clock.set(NOON + VALID_FOR + timedelta(days=1))
    (wish,) = inbox(bank.office)
    assert wish.in_force
    assert "expired" in stands(bank.office).sentence
    sign_off(bank.office, second(), MODEL, digest, comment="looked again")
    release.promote(bank.office, MODEL, digest)
    assert inbox(bank.office) == []
    assert bank.events()[-1] is Event.REPROMOTED


def test_a_signature_under_an_older_pack_does_not_stand_in_the_way_of_a_new_one() -> None:
    bank = Bank(local=False)
    digest = bank.ask("first")
    sign_off(bank.office, second(), MODEL, digest, comment="the first pack")
    pack = paper_evidence(digest, fairness="passed", auc="passed")
    bank.dossiers.replaced[digest] = pack
    bank.register(digest, sha256(pack[MANIFEST]), version=5)
    request(bank.office, replace(requested(bank.office, MODEL, digest), evidence=sha256(pack[MANIFEST])))

    with pytest.raises(Held, match="1 more approver"):
        release.promote(bank.office, MODEL, digest)
    sign_off(bank.office, validator(), MODEL, digest, comment="the second pack")
    release.promote(bank.office, MODEL, digest)
    assert bank.served() == digest


def test_who_signed_before_a_rejection_is_not_named_as_approving_after_it() -> None:
    bank = Bank(local=False)
    digest = bank.ask("first")
    sign_off(bank.office, validator(), MODEL, digest, comment="fine")
    bank.clock.set(NOON + timedelta(hours=1))
    reject(bank.office, validator(), MODEL, digest, reason="I was wrong about it")
    bank.clock.set(NOON + timedelta(hours=2))
    sign_off(bank.office, second(), MODEL, digest, comment="I looked again")
    release.promote(bank.office, MODEL, digest)

    found = stands(bank.office)
    assert ([approval.approver for approval in found.approvals], found.problem) == (["second"], "")
