"""The stop switch: signed, numbered, recorded, and never kept from working by anything but the channel itself."""

from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import datetime, timedelta

import pytest

from models.errors import Conflict, Integrity, NoChampion, NotApproved, NotFound, Unavailable
from models.governance import release
from models.governance.approval import VALID_FOR
from models.governance.audit import Records, audit
from models.governance.checking import reject, sign_off
from models.governance.ledger import Entry, Event
from models.governance.requests import request, requested
from models.governance.signing import Duty
from models.governance.stop import Stop, newest, reconcile, resume, stand_in, stop, stop_at
from tests.fakes.ledger import FakeLedger
from tests.office import MODEL, Bank, paper_bundle, pipeline, second, signer, trust, validator

FIRST = paper_bundle("first").digest


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


@pytest.mark.parametrize("seen", [1, None])
def test_a_stop_that_comes_while_somebody_resumes_stays_in_force(seen: int | None) -> None:
    """After the look at what is in force, and before the document is written."""
    bank = serving()
    stopped(bank)

    class Meanwhile:
        def now(self) -> datetime:
            bank.clock.set(bank.clock.now() + timedelta(seconds=1))
            stopped(bank, "and now the feed, too")
            return bank.clock.now()

    office = replace(bank.office, clock=Meanwhile())
    with pytest.raises(Conflict, match="stopped anew since: stop 2"):
        resume(office, MODEL, asked_by="ana", reason="it was the feed", sequence=seen)
    found = in_force(bank)
    assert found
    assert (found.sequence, found.stopped, found.reason) == (2, True, "and now the feed, too")


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
    third = bank.ask("third", "second")
    sign_off(bank.office, validator(), MODEL, third, comment="it may be promoted")
    with pytest.raises(NotApproved, match="was never in force"):
        stopped(bank, "other", fallback=third)
    bank.clock.set(bank.clock.now() + VALID_FOR + timedelta(1))
    with pytest.raises(NotApproved, match="expired"):
        stopped(bank, "other", fallback=first)
    assert bank.channel.stops(MODEL) == 1


def rejected(bank: Bank) -> str:
    reject(bank.office, second(), MODEL, FIRST, reason="young accounts fare worse")
    return "was rejected: young accounts fare worse"


def rolled_back(bank: Bank) -> str:
    """And something else came after it: the roll-back is not the newest word any more."""
    release.promote(bank.office, MODEL, bank.ask("third", "second"))
    for content in ("third", "second"):
        away_from = paper_bundle(content).digest
        release.roll_back(bank.office, MODEL, away_from=away_from, asked_by="on-call", reason="too strict")
    release.promote(bank.office, MODEL, bank.ask("fourth", "first"))
    return "was rolled back: too strict"


@pytest.mark.parametrize(("withdraw", "content"), [(rejected, "first"), (rolled_back, "second")])
def test_what_was_withdrawn_stands_in_only_after_a_later_approval(withdraw: Callable[[Bank], str], content: str) -> None:
    bank, fallback = serving("first", "second"), paper_bundle(content).digest
    bank.clock.set(bank.clock.now() + timedelta(hours=1))
    why = withdraw(bank)

    with pytest.raises(NotApproved, match=why):
        stopped(bank, fallback=fallback)
    assert bank.channel.stops(MODEL) == 0
    bank.clock.set(bank.clock.now() + timedelta(hours=1))
    sign_off(bank.office, validator(), MODEL, fallback, comment="the fault was elsewhere")
    assert stopped(bank, fallback=fallback).fallback == fallback


def evidence_edited(bank: Bank) -> str:
    bank.dossiers.replaced[FIRST] = {}
    return "evidence"


def registered_otherwise(bank: Bank) -> str:
    bank.register(FIRST, "e" * 64)
    return "was not registered as it is asked for"


def override_forged(bank: Bank) -> str:
    request(bank.office, replace(requested(bank.office, MODEL, FIRST), override="says who", requester="validator"))
    sign_off(bank.office, second(), MODEL, FIRST, comment="fine")
    return "nobody signed the override"


@pytest.mark.parametrize("tamper", [evidence_edited, registered_otherwise, override_forged])
def test_what_would_not_be_promoted_again_does_not_stand_in(tamper: Callable[[Bank], str]) -> None:
    bank = serving("first", "second")
    why = tamper(bank)

    with pytest.raises(NotApproved, match=why):
        stopped(bank, fallback=FIRST)


def test_a_fallback_needs_as_many_approvers_as_when_it_was_promoted() -> None:
    bank = serving("first")
    edited = bank.ask("second", "first", policy=b'{"cut_off":0.1}')
    for who in (validator(), second()):
        sign_off(bank.office, who, MODEL, edited, comment="I saw the new costs")
    release.promote(bank.office, MODEL, edited)
    last = bank.ask("third", policy=b'{"cut_off":0.1}')
    request(bank.office, replace(requested(bank.office, MODEL, last), compared_with=edited))
    release.promote(bank.office, MODEL, last)
    found = Stop(MODEL, 1, stopped=True, reason="r", asked_by="on-call", at=bank.clock.now().isoformat(), fallback=edited)

    assert stand_in(bank.channel, trust(), found, bank.clock.now()).needed == 2


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
    with pytest.raises(Integrity, match=r"is stopped, but the ledger could not record it"):
        stopped(Bank(channel=bank.channel, ledger=Away()))

    found = in_force(bank)
    assert found is not None
    assert found.stopped
    reconcile(bank.office, MODEL)
    reconcile(bank.office, MODEL)
    assert bank.events().count(Event.STOPPED) == 1


def taken_away(bank: Bank, number: int) -> None:
    bank.channel._stops[MODEL].pop(number)  # type: ignore[attr-defined]


def test_the_number_of_a_stop_that_was_taken_away_is_not_given_to_another() -> None:
    bank = serving()
    stopped(bank)
    taken_away(bank, 1)
    assert in_force(bank) is None
    assert stopped(bank).sequence == 2, "the same words, and a document of its own: the first is not there any more"
    resume(bank.office, MODEL, asked_by="on-call", reason="fine again")
    noted = [entry.facts["sequence"] for entry in bank.ledger.entries(MODEL) if entry.event in (Event.STOPPED, Event.RESUMED)]
    assert noted == [1, 2, 3]


def test_a_model_whose_stop_was_taken_away_does_not_simply_go_on() -> None:
    bank = serving()
    stopped(bank)
    stopped(bank, "and now the feed, too")
    taken_away(bank, 2)
    with pytest.raises(Integrity, match="stop 2 of credit_default is in the ledger and not on the release channel"):
        resume(bank.office, MODEL, asked_by="on-call", reason="fine again")
    assert stopped(bank, "until it is understood").sequence == 3


def test_a_number_that_was_given_to_another_document_is_told_and_stops_all_the_same() -> None:
    bank = serving()
    said = stopped(bank)
    taken_away(bank, 1)
    bank.channel.add_stop(MODEL, 1, pipeline().sign(asdict(replace(said, stopped=False, reason="all is well"))))
    with pytest.raises(Integrity, match=r"is stopped, and the ledger has it, but stop 1 .* is another document than"):
        stopped(bank)
    found = in_force(bank)
    assert found is not None
    assert (found.sequence, found.stopped) == (2, True)
    assert bank.ledger.entries(MODEL)[-1].facts["sequence"] == 2


def planted(bank: Bank, number: int, document: Stop | None = None) -> None:
    """In the place of whatever was there: signed by nobody who may."""
    signed = signer("mallory", Duty.PUBLISH).sign(document.to_document() if document else {"x": 1})
    bank.channel._stops.setdefault(MODEL, {})[number] = signed  # type: ignore[attr-defined]


def problems(bank: Bank) -> list[str]:
    records = Records(bank.ledger.entries(), bank.ledger.heads(), bank.channel, trust(), bank.dossiers)
    return [finding.where for finding in audit(records) if "stop" in finding.where]


def test_a_stop_is_in_the_ledger_although_an_older_document_cannot_be_read_and_is_missed_when_it_is_taken_away() -> None:
    bank = serving()
    stopped(bank)
    resume(bank.office, MODEL, asked_by="on-call", reason="fine again")
    sound = bank.channel.stop(MODEL, 1)
    planted(bank, 1, stop_at(bank.channel, trust(), MODEL, 1))

    with pytest.raises(Integrity, match=r"is stopped, and the ledger has it, but .*mallory"):
        stopped(bank, "the feed is wrong")
    last = bank.ledger.entries(MODEL)[-1]
    assert (last.event, last.facts["sequence"], last.facts["reason"]) == (Event.STOPPED, 3, "the feed is wrong")

    taken_away(bank, 3)
    bank.channel._stops[MODEL][1] = sound  # type: ignore[attr-defined]
    assert problems(bank) == [f"stop 3 of {MODEL}"]


@pytest.mark.parametrize("number", [1, 90_000_000])
@pytest.mark.timeout(20)
def test_a_newest_document_that_nobody_can_read_is_stopped_and_resumed_over(number: int) -> None:
    bank = serving()
    planted(bank, number)
    resume(bank.office, MODEL, asked_by="on-call", reason="it says nothing")
    planted(bank, number + 2)
    found = stopped(bank)
    assert (in_force(bank), found.sequence, found.over[-1]) == (found, number + 3, number + 2)
    assert bank.ledger.entries(MODEL)[-1].facts["over"] == [*found.over]
    assert problems(bank) == []
    for each in (number, number + 2):
        taken_away(bank, each)
    assert problems(bank) == []


def test_the_same_words_over_a_newest_document_that_nobody_can_read_are_a_document_of_their_own() -> None:
    bank = serving()
    stopped(bank)
    planted(bank, 2)
    found = stopped(bank)
    assert (found.sequence, found.over, in_force(bank)) == (3, (2,), found)
    assert stopped(bank) == found


def test_what_the_ledger_knows_is_not_stopped_over_in_silence() -> None:
    bank = serving()
    planted(bank, 1, stopped(bank))
    with pytest.raises(Integrity, match=r"is let go on, and the ledger has it, but .*mallory"):
        resume(bank.office, MODEL, asked_by="on-call", reason="fine again")
    assert problems(bank) == [f"stop 1 of {MODEL}"]
