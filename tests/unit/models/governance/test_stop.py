"""The stop switch: signed, numbered, recorded, and never kept from working by anything but the channel itself."""

from dataclasses import asdict, replace
from datetime import timedelta

import pytest

from models.errors import Conflict, Integrity, NoChampion, NotApproved, NotFound, Unavailable
from models.governance import release
from models.governance.approval import VALID_FOR
from models.governance.ledger import Entry, Event
from models.governance.signing import Duty
from models.governance.stop import Stop, newest, reconcile, resume, stand_in, stop, stop_at
from tests.fakes.ledger import FakeLedger
from tests.office import MODEL, Bank, paper_bundle, pipeline, signer, trust


def serving(*contents: str) -> Bank:
    bank, before = Bank(), ""
    for content in contents or ("first",):
        release.promote(bank.office, MODEL, bank.ask(content, before))
        before = content
    return bank


def stopped(bank: Bank, reason: str = "scores jump", fallback: str = "") -> Stop:
    return stop(bank.office, MODEL, asked_by="on-call", reason=reason, fallback=fallback)


def in_force(bank: Bank) -> Stop | None:
    return newest(bank.channel, trust(), MODEL)


def test_a_model_is_stopped_and_goes_on_and_the_ledger_has_both() -> None:
    bank = serving()
    assert in_force(bank) is None

    stopped(bank)
    assert in_force(bank) == Stop(MODEL, 1, True, "scores jump", "on-call", bank.clock.now().isoformat())
    resume(bank.office, MODEL, asked_by="on-call", reason="it was the feed")

    found = in_force(bank)
    assert found is not None
    assert (found.sequence, found.stopped) == (2, False)
    noted = [(e.event, e.actor, e.facts["reason"]) for e in bank.ledger.entries(MODEL)[-2:]]
    assert noted == [(Event.STOPPED, "on-call", "scores jump"), (Event.RESUMED, "on-call", "it was the feed")]
    assert bank.served() == paper_bundle("first").digest


def test_stopping_twice_for_the_same_reason_is_stopping_once() -> None:
    bank = serving()
    assert stopped(bank) == stopped(bank)
    assert stopped(bank, "and now the feed, too").sequence == 2
    assert bank.events().count(Event.STOPPED) == 2


def test_only_what_is_served_can_be_stopped_and_only_what_is_stopped_goes_on() -> None:
    with pytest.raises(NoChampion):
        stopped(Bank())
    with pytest.raises(Conflict, match="is not stopped"):
        resume(serving().office, MODEL, asked_by="on-call", reason="why not")


def test_a_fallback_is_an_approved_bundle_of_this_model_that_is_not_in_force_itself() -> None:
    bank = serving("first", "second")
    first = paper_bundle("first").digest

    found = stopped(bank, fallback=first)
    standing = stand_in(bank.channel, trust(), found, bank.clock.now())
    assert (standing.bundle.digest, standing.pointer.version) == (first, len("first"))

    with pytest.raises(Conflict, match="is the one in force"):
        stopped(bank, "other", fallback=paper_bundle("second").digest)
    with pytest.raises(NotFound, match="nobody asked"):
        stopped(bank, "other", fallback="f" * 64)
    with pytest.raises(NotApproved, match="nobody approved"):
        stopped(bank, "other", fallback=bank.ask("third", "second"))
    bank.clock.set(bank.clock.now() + VALID_FOR + timedelta(1))
    with pytest.raises(NotApproved, match="expired"):
        stopped(bank, "other", fallback=first)
    assert bank.channel.stops(MODEL) == 1


def test_a_document_signed_by_nobody_trusted_or_played_again_or_of_tomorrow_is_refused() -> None:
    bank = serving()
    stopped(bank)
    resume(bank.office, MODEL, asked_by="on-call", reason="fine again")
    mallory = signer("mallory", Duty.PUBLISH)

    forged = replace(stop_at(bank.channel, trust(), MODEL, 2), sequence=3)
    for signed, error, said in (
        (mallory.sign(asdict(forged)), NotApproved, "mallory"),
        (bank.channel.stop(MODEL, 1), Integrity, "says it is 1"),
        (pipeline().sign({"model": MODEL, "sequence": 3}), Integrity, "cannot be read"),
    ):
        tried = Bank(channel=bank.channel, ledger=bank.ledger)
        tried.channel._stops[MODEL].pop(3, None)  # type: ignore[attr-defined]
        tried.channel.add_stop(MODEL, 3, signed)
        with pytest.raises(error, match=said):
            in_force(tried)


def test_a_ledger_that_is_away_keeps_nobody_from_stopping_a_model_and_is_completed_later() -> None:
    class Away(FakeLedger):
        def entries(self, model: str | None = None) -> list[Entry]:
            raise Unavailable("the ledger does not answer")

    bank = serving()
    with pytest.raises(Integrity, match="is stopped, but the ledger could not record it"):
        stopped(Bank(channel=bank.channel, ledger=Away()))

    found = in_force(bank)
    assert found is not None
    assert found.stopped
    reconcile(bank.office, MODEL)
    reconcile(bank.office, MODEL)
    assert bank.events().count(Event.STOPPED) == 1
