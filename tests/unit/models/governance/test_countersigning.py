"""Signatures that are made elsewhere: what comes back counts only if it is what would be signed now."""

from datetime import timedelta
from typing import Any

import pytest

from models.errors import Conflict, NotApproved
from models.governance.checking import draft_approval, draft_rejection
from models.governance.countersigning import SIGNED_WITHIN, take_approval, take_rejection
from models.governance.ledger import Event
from models.governance.release import promote
from models.governance.signing import Duty, Signer
from tests.office import MODEL, Bank, paper_bundle, paper_evidence, second, signer, validator


@pytest.fixture
def bank() -> Bank:
    return Bank(local=False)


def draft(bank: Bank, bundle: str, name: str = "validator", **words: str) -> dict[str, Any]:
    return draft_approval(bank.office, name, MODEL, bundle, **{"comment": "read and sound", **words})  # type: ignore[arg-type]


def signature(document: dict[str, Any], who: Signer | None = None) -> str:
    return (who or validator()).sign(document).signature


def test_a_signature_made_elsewhere_approves_and_the_ledger_names_who_signed(bank: Bank) -> None:
    bundle = bank.ask("first")
    document = draft(bank, bundle)
    approval = take_approval(bank.office, "validator", document, signature(document))
    assert (approval.approver, approval.comment) == ("validator", "read and sound")
    entry = bank.office.noted(Event.APPROVED, MODEL, bundle)[-1]
    assert entry.actor == "validator"
    assert promote(bank.office, MODEL, bundle, asked_by="ana").asked_by == "ana"


def test_blanks_and_line_ends_around_a_pasted_signature_do_no_harm(bank: Bank) -> None:
    document = draft(bank, bank.ask("first"))
    text = signature(document)
    take_approval(bank.office, "validator", document, f"  {text[:40]}\r\n{text[40:]} \n")


def test_a_word_that_was_changed_after_signing_does_not_count(bank: Bank) -> None:
    document = draft(bank, bank.ask("first"))
    text = signature(document)
    with pytest.raises(NotApproved, match="signature"):
        take_approval(bank.office, "validator", document | {"comment": "read and splendid"}, text)
    with pytest.raises(NotApproved, match="needed differ"):
        take_approval(bank.office, "validator", document | {"needed": 0}, signature(document | {"needed": 0}))


def test_what_has_changed_since_must_be_signed_anew(bank: Bank) -> None:
    bundle = bank.ask("first")
    document = draft(bank, bundle)
    bank.dossiers.replaced[bundle] = paper_evidence(bundle, fairness="failed")
    with pytest.raises(NotApproved):
        take_approval(bank.office, "validator", document, signature(document))


@pytest.mark.parametrize("later", [SIGNED_WITHIN + timedelta(seconds=1), timedelta(seconds=-1)])
def test_a_draft_of_yesterday_or_of_tomorrow_is_not_taken(bank: Bank, later: timedelta) -> None:
    document = draft(bank, bank.ask("first"))
    bank.clock.set(bank.clock.now() + later)
    with pytest.raises(NotApproved, match="not of the last 12 hours"):
        take_approval(bank.office, "validator", document, signature(document))


@pytest.mark.parametrize("at", [None, "soon", "2005-09-01T12:00:00"])
def test_a_document_that_does_not_say_when_is_not_taken(bank: Bank, at: str | None) -> None:
    document = draft(bank, bank.ask("first")) | {"approved_at": at}
    with pytest.raises(NotApproved, match="does not say when"):
        take_approval(bank.office, "validator", document, signature(document))


def test_nobody_signs_in_another_s_name_or_untrusted(bank: Bank) -> None:
    bundle = bank.ask("first")
    document = draft(bank, bundle)
    with pytest.raises(NotApproved, match="does not match"):
        take_approval(bank.office, "validator", document, signature(document, second()))
    stranger = signer("stranger", Duty.APPROVE)
    document = draft(bank, bundle, "stranger")
    with pytest.raises(NotApproved, match="not trusted"):
        take_approval(bank.office, "stranger", document, signature(document, stranger))


def test_whoever_trained_it_gets_nothing_to_sign(bank: Bank) -> None:
    with pytest.raises(NotApproved, match="cannot approve it"):
        draft(bank, bank.ask("first"), "trainer")


def test_a_rejection_made_elsewhere_is_recorded_with_its_signature(bank: Bank) -> None:
    bundle = bank.ask("first")
    document = draft_rejection(bank.office, MODEL, bundle, reason="the data are stale")
    take_rejection(bank.office, "validator", document, signature(document))
    entry = bank.office.noted(Event.REJECTED, MODEL, bundle)[-1]
    assert (entry.actor, entry.facts["reason"]) == ("validator", "the data are stale")
    assert entry.facts["signed"]["signature"] == signature(document)


def test_what_is_in_force_cannot_be_rejected_even_if_it_was_not_when_it_was_signed(bank: Bank) -> None:
    bundle = bank.ask("first")
    no = draft_rejection(bank.office, MODEL, bundle, reason="the data are stale")
    document = draft(bank, bundle)
    take_approval(bank.office, "validator", document, signature(document))
    promote(bank.office, MODEL, bundle)
    assert bank.served() == paper_bundle("first").digest
    with pytest.raises(Conflict, match="in force"):
        take_rejection(bank.office, "validator", no, signature(no))
