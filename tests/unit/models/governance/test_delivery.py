"""What leaves a home, and what another one believes of it."""

from dataclasses import replace
from typing import Any

import pytest

from models.errors import Conflict, Held, Integrity, NoChampion, NotApproved
from models.governance import release, stop
from models.governance.checking import reject, sign_off
from models.governance.delivery import Opened, Parcel, opened, sent
from models.governance.ledger import Event
from models.governance.requests import Office
from models.governance.signing import Duty, Signer, Trust
from tests.fakes.channel import FakeChannel
from tests.fakes.ledger import FakeLedger
from tests.fakes.packs import FakePacks
from tests.office import MODEL, Bank, paper_bundle, paper_evidence, second, signer, trust, validator, witness


def dev() -> Signer:
    return signer("dev", Duty.DELIVER)


def receiving(bank: Bank | None = None, **changes: Any) -> Office:
    """A home that lets dev deliver, and where people approve."""
    office = (bank or Bank(local=False)).office
    keys = {**trust().keys, Duty.DELIVER: {"dev": dev().public()}}
    return replace(office, trust=Trust({**keys, **changes}, demonstration=bool(office.demonstration)))


def parcel_of(bank: Bank) -> Parcel:
    return sent(bank.office, FakePacks(), dev(), MODEL)


@pytest.fixture
def bank() -> Bank:
    """People approved "first" and promoted it."""
    made = Bank(local=False)
    digest = made.ask("first")
    for who in (validator(), second()):
        sign_off(made.office, who, MODEL, digest, comment="read all of it")
    release.promote(made.office, MODEL, digest)
    return made


def seen(parcel: Parcel, office: Office | None = None) -> Opened:
    return opened(office or receiving(), parcel, MODEL)


def test_what_people_signed_arrives_with_their_signatures(bank: Bank) -> None:
    found = seen(parcel_of(bank))
    assert found.bundle.digest == bank.served()
    assert {signed.signer for signed in found.approvals} == {"validator", "second"}
    assert (found.said.trainer, found.said.compared_with) == ("trainer", "")


def test_only_what_is_in_force_leaves_a_home() -> None:
    waiting = Bank()
    waiting.ask("first")
    with pytest.raises(NoChampion):
        parcel_of(waiting)


def test_what_is_stopped_is_not_sent(bank: Bank) -> None:
    stop.stop(bank.office, MODEL, asked_by="ana", reason="scores jumped")
    with pytest.raises(Conflict, match="is stopped here: scores jumped"):
        parcel_of(bank)


def test_what_its_approvals_do_not_carry_any_more_is_not_sent(bank: Bank) -> None:
    bank.channel.remove_approval(bank.served())  # type: ignore[attr-defined]
    with pytest.raises(NotApproved):
        parcel_of(bank)


def test_a_sender_that_is_not_listed_or_signed_with_another_key_is_not_believed(bank: Bank) -> None:
    parcel = parcel_of(bank)
    for listed in ({}, {"dev": signer("other", Duty.DELIVER).public()}):
        with pytest.raises(NotApproved):
            seen(parcel, receiving(**{Duty.DELIVER: listed}))


def test_a_publisher_is_no_sender(bank: Bank) -> None:
    parcel = parcel_of(bank)
    forged = replace(parcel, statement=signer("pipeline", Duty.PUBLISH).sign(parcel.statement.document))
    with pytest.raises(NotApproved, match="not trusted to deliver"):
        seen(forged)


@pytest.mark.parametrize("part", ["bundle", "evidence"])
def test_a_byte_that_differs_is_refused(part: str, bank: Bank) -> None:
    parcel = parcel_of(bank)
    files = dict(getattr(parcel, part))
    name = next(name for name in files if name != "manifest.json")
    with pytest.raises((Integrity, NotApproved)):
        seen(replace(parcel, **{part: {**files, name: files[name] + b" "}}))


def test_another_bundle_than_the_one_that_was_stated_is_refused_though_it_is_whole(bank: Bank) -> None:
    with pytest.raises(Integrity, match="not the one that was approved"):
        seen(replace(parcel_of(bank), bundle=paper_bundle("other").files))


def test_evidence_of_another_bundle_or_without_what_people_must_read_is_refused(bank: Bank) -> None:
    parcel = parcel_of(bank)
    lacking = {name: data for name, data in parcel.evidence.items() if name != "figures.json"}
    with pytest.raises(NotApproved, match="lacks"):
        seen(replace(parcel, evidence=lacking))
    with pytest.raises(NotApproved, match="no sealed evidence"):
        seen(replace(parcel, evidence={}))


def test_evidence_that_was_sealed_anew_is_not_what_was_stated(bank: Bank) -> None:
    parcel = parcel_of(bank)
    nicer = paper_evidence(bank.served(), fairness="passed", auc="passed")
    with pytest.raises(NotApproved, match="was stated"):
        seen(replace(parcel, evidence=nicer))


@pytest.mark.parametrize("said", [{"version": "1"}, {"trainer": None}, {"more": 1}])
def test_a_statement_of_another_form_is_refused_whoever_signed_it(said: dict[str, Any], bank: Bank) -> None:
    parcel = parcel_of(bank)
    with pytest.raises(Integrity, match="statement"):
        seen(replace(parcel, statement=dev().sign({**parcel.statement.document, **said})))


def test_who_does_not_count_here_is_named_with_the_reason(bank: Bank) -> None:
    found = seen(parcel_of(bank), receiving(**{Duty.APPROVE: {"second": second().public()}}))
    assert [signed.signer for signed in found.approvals] == ["second"]
    assert "not trusted to approve" in found.refused["validator"]


def test_a_demonstration_does_not_travel() -> None:
    laptop = Bank()
    release.promote(laptop.office, MODEL, laptop.ask("first"))
    assert parcel_of(laptop).approvals == ()


def test_what_was_compared_with_another_champion_is_refused(bank: Bank) -> None:
    parcel = parcel_of(bank)
    elsewhere = Bank(channel=FakeChannel(), ledger=FakeLedger(witness()))
    release.promote(elsewhere.office, MODEL, elsewhere.ask("other"))
    with pytest.raises(Conflict, match="was compared with nothing, and"):
        seen(parcel, receiving(elsewhere))


def test_what_people_rejected_here_since_needs_new_approvals_though_it_is_carried_again(bank: Bank) -> None:
    """The receiving ledger has their word, and promoting asks it: see `approvals_that_count`."""
    parcel = parcel_of(bank)
    here = Bank(local=False)
    digest = here.ask("first")
    reject(here.office, validator(), MODEL, digest, reason="not for this portfolio")
    for signed in seen(parcel, receiving(here)).approvals:
        here.channel.add_approval(digest, signed)
    with pytest.raises(Held, match="the bundle was rejected: not for this portfolio"):
        release.promote(here.office, MODEL, digest)
    assert Event.PROMOTED not in here.events()
