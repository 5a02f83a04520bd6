"""Past decisions, made again from what the log has."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from models.bundle import Bundle, canonical
from models.channel import release
from models.clock import FixedClock, Month
from models.errors import Expired, Integrity, NotFound
from models.governance.doubt.rule import Rule
from models.governance.ledger import Entry, Event
from models.governance.stop import Stop
from monitoring.chain import ChainKeys
from monitoring.custody import note
from monitoring.decisions import LoggedDecision, Review
from monitoring.redecision import Past, Published, edit, ensure_same, find, redecide, told
from monitoring.sealing import DECISIONS, seal_all
from serving.answers.answer import Ask
from serving.answers.loaded import LoadedModel
from tests.answering import Answering
from tests.bundles import MODEL, NOW, USE_CASE, Office, fake_bundle, records
from tests.fakes.channel import FakeChannel
from tests.fakes.decisions import InMemoryDecisionLog
from tests.fakes.lake import InMemoryLake
from tests.fakes.ledger import FakeLedger
from tests.fakes.scorer import FakeScorer
from tests.rings import ACCOUNTS, log_keys
from tests.rules import all_familiar, plain

KEPT, REVIEWED, REDUCED, EXCUSED, STRANGE = range(5)
ASKED = records(
    {"status_0": 0, "credit_limit": 900.0},
    {"status_0": 2},
    {"status_0": 5, "status_1": 0},
    {"status_0": 8},
    {"status_0": 5, "bill_0": 100_001.0},
)


def doubting() -> Bundle:
    """A bundle whose rule finds bills above 100,000 strange."""
    usual = all_familiar(USE_CASE.contract)
    ranges = tuple(replace(each, high=100_000.0) if each.column == "bill_0" else each for each in usual.ranges)
    rule = Rule.made(USE_CASE.policy, plain(USE_CASE.contract, USE_CASE.policy).intervals, replace(usual, ranges=ranges))
    return fake_bundle(0.02, parts={"uncertainty.json": canonical(rule.to_dict())})


BUNDLE, ONCE = doubting(), Published(frozenset({1}), frozenset({"a drill"}))


@pytest.fixture
def log() -> InMemoryDecisionLog:
    """What the service itself wrote."""
    log, office, channel = InMemoryDecisionLog(), Office(), FakeChannel()
    office.promote(channel, BUNDLE)
    served = Answering(log, FixedClock(NOW), ACCOUNTS.pseudonym, lambda: "id")
    served.swap(LoadedModel.load(release(channel, office.trust, MODEL, now=NOW), FakeScorer, 100))
    served.answer(Ask(MODEL, json.dumps({"records": ASKED}).encode(), "r1"))
    assert {log.find(f"id-{number}").action for number in range(len(ASKED))} == {"keep", "review", "reduce"}
    return log


@pytest.mark.parametrize("number", range(len(ASKED)))
def test_what_the_service_decided_comes_out_the_same(log: InMemoryDecisionLog, number: int) -> None:
    assert redecide(log.find(f"id-{number}"), BUNDLE, FakeScorer, ONCE) == []


@pytest.mark.parametrize("number", range(len(ASKED)))
def test_so_does_what_was_sealed(log: InMemoryDecisionLog, number: int) -> None:
    lake = InMemoryLake()
    seal_all(log, lake, MODEL, recorded_at=NOW)
    found = find(InMemoryDecisionLog(), lake, f"id-{number}").decision
    assert replace(found, request_id="r1") == log.find(f"id-{number}")
    assert redecide(found, BUNDLE, FakeScorer, ONCE) == []


def ensure_unedited(log: InMemoryDecisionLog, entries: list[Entry], keys: Callable[[], ChainKeys], decision_id: str) -> None:
    past = find(log, InMemoryLake(), decision_id)
    ensure_same(past, edit(log, entries, keys, past), [], entries)


def edited(log: InMemoryDecisionLog, number: int, **changes: Any) -> str:
    """The first difference of a decision that was edited in the log."""
    return redecide(replace(log.find(f"id-{number}"), **changes), BUNDLE, FakeScorer, ONCE)[0].sentence


def test_an_edited_score_action_or_flag_is_named_with_both_values(log: InMemoryDecisionLog) -> None:
    score = log.find("id-0").probability
    assert edited(log, KEPT, probability=score + 1e-9) == f"decision.probability: {score + 1e-9} as recorded, {score} now"
    assert edited(log, REDUCED, action="review") == "decision.action: review as recorded, reduce now"
    assert "out_of_distribution" in edited(log, STRANGE, out_of_distribution=())


def test_an_edited_reason_is_named(log: InMemoryDecisionLog) -> None:
    reasons = log.find("id-2").reasons
    assert reasons
    other = (replace(reasons[0], text="Income insufficient"), *reasons[1:])
    assert "decision.reasons[0].text: Income insufficient as recorded" in edited(log, REDUCED, reasons=other)
    assert "decision.reasons" in edited(log, REDUCED, reasons=())
    assert "decision.no_notice" in edited(log, REDUCED, no_notice="because")


def test_another_model_version_or_bundle_is_named(log: InMemoryDecisionLog) -> None:
    assert edited(log, REDUCED, model="other") == f"decision.model: other as recorded, {MODEL} now"
    assert edited(log, REDUCED, version=2) == "decision.version: 2 as recorded, 1 now"
    assert "decision.bundle" in edited(log, REDUCED, bundle="c" * 64)


def test_a_fallback_that_nobody_signed_is_named_and_one_that_was_is_the_same(log: InMemoryDecisionLog) -> None:
    assert "decision.fallback: made up as recorded" in edited(log, REDUCED, fallback="made up")
    assert redecide(replace(log.find("id-2"), fallback="a drill"), BUNDLE, FakeScorer, ONCE) == []


def test_what_the_channel_says_of_a_bundle_is_read_from_its_signed_documents() -> None:
    office, channel = Office(), FakeChannel()
    first, second = fake_bundle(0.1), fake_bundle(0.2)
    for version, bundle in enumerate((first, second), start=3):
        office.promote(channel, bundle, version=version)
    said = Stop(MODEL, 1, True, "a drill", "on-call", NOW.isoformat(), first.digest, 3)
    channel.add_stop(MODEL, 1, office.publisher.sign({"nobody": "can read it"}))
    channel.add_stop(MODEL, 2, office.publisher.sign(replace(said, sequence=2).to_document()))
    assert Published.of(channel, office.trust, MODEL, first.digest) == Published(frozenset({3}), frozenset({"a drill"}))
    assert Published.of(channel, office.trust, MODEL, second.digest) == Published(frozenset({4}), frozenset())


@pytest.mark.parametrize(
    "changes",
    [{"account_id": "p1_99"}, {"month": Month(2005, 6)}, {"recorded_at": NOW.replace(year=2004)}, {"request_id": "r2"}],
)
def test_what_no_model_determines_is_sealed(log: InMemoryDecisionLog, changes: dict[str, Any]) -> None:
    for number in range(len(ASKED)):
        ensure_unedited(log, [], log_keys, f"id-{number}")
    log.decisions["id-2"] = replace(log.find("id-2"), **changes)
    with pytest.raises(Integrity, match="id-2 is not as it was answered: it was edited"):
        ensure_unedited(log, [], log_keys, "id-2")


def ledger_of(event: Event, **facts: Any) -> list[Entry]:
    ledger = FakeLedger()
    ledger.append(event, model=MODEL, actor="pipeline", at=NOW, facts=facts)
    return ledger.entries()


NOTED = ledger_of(Event.DECISIONS_SEALED, lanes={}, sealed=[], adopted=0)


def test_inputs_that_retention_deleted_are_no_edit_and_others_are(log: InMemoryDecisionLog) -> None:
    log.decisions["id-2"] = replace(log.find("id-2"), inputs={})
    ensure_unedited(log, ledger_of(Event.INPUTS_EXPIRED, before=(NOW + timedelta(days=1)).isoformat()), log_keys, "id-2")
    for entries in ([], ledger_of(Event.INPUTS_EXPIRED, before=NOW.isoformat())):
        with pytest.raises(Integrity, match="its inputs were deleted, and the ledger has no retention that did it"):
            ensure_unedited(log, entries, log_keys, "id-2")


def test_a_record_without_a_seal_is_trusted_only_until_the_ledger_expects_one(log: InMemoryDecisionLog) -> None:
    log.seals = {key: seal for key, seal in log.seals.items() if "id-2" not in key}
    ensure_unedited(log, [], log_keys, "id-2")
    with pytest.raises(Integrity, match="it has no seal"):
        ensure_unedited(log, NOTED, log_keys, "id-2")
    log.decisions["id-2"] = replace(log.find("id-2"), inputs={})
    with pytest.raises(Integrity, match="no retention that did it"):
        ensure_unedited(log, [], log_keys, "id-2")


def test_an_edited_input_changes_what_comes_out(log: InMemoryDecisionLog) -> None:
    inputs = {**log.find("id-2").inputs, "status_0": 4}
    assert "decision.probability" in edited(log, REDUCED, inputs=inputs)


def test_another_bundle_is_not_the_one_that_decided(log: InMemoryDecisionLog) -> None:
    assert redecide(log.find("id-2"), fake_bundle(0.03), FakeScorer, ONCE)


def test_a_decision_whose_inputs_were_deleted_is_expired_and_not_different(log: InMemoryDecisionLog) -> None:
    with pytest.raises(Expired, match="past its retention") as error:
        redecide(replace(log.find("id-2"), inputs={}), BUNDLE, FakeScorer, ONCE)
    assert "ledger" in error.value.hint


def test_an_unknown_decision_is_looked_for_in_the_log_and_among_the_sealed() -> None:
    with pytest.raises(NotFound, match="neither in the log nor sealed"):
        find(InMemoryDecisionLog(), InMemoryLake(), "id-9")


def test_a_decision_is_told_in_words_without_the_account(log: InMemoryDecisionLog) -> None:
    decision: LoggedDecision = log.find("id-2")
    text = "\n".join(told(Past(decision)))
    assert f"on {Month(2005, 7)}" in text
    assert decision.reasons[0].text in text
    assert decision.account_id not in text


def reviewed(log: InMemoryDecisionLog) -> Past:
    """What a person made of the account that was sent to review."""
    reasons = log.find("id-2").reasons
    log.review(Review("id-1", "reduce", "vera", "policy", "", NOW, reasons=reasons))
    return find(log, InMemoryLake(), "id-1")


def test_a_person_s_outcome_and_its_reasons_are_told_too(log: InMemoryDecisionLog) -> None:
    past = reviewed(log)
    text = "\n".join(told(past))
    assert "by vera: reduce (policy)" in text
    assert log.find("id-2").reasons[0].text in text
    assert edit(log, NOTED, log_keys, past) == ""


def test_an_edited_review_is_named(log: InMemoryDecisionLog) -> None:
    past = reviewed(log)
    log.reviews["id-1"] = replace(log.reviews["id-1"], outcome="keep")
    assert "of its review: it was edited" in edit(log, NOTED, log_keys, past)


class Sealed:
    """The log lost a decision after its month was sealed and noted."""

    def __init__(self, log: InMemoryDecisionLog) -> None:
        self.lake = InMemoryLake()
        self.ledger = FakeLedger()
        seal_all(log, self.lake, MODEL, recorded_at=NOW)
        note(log, self.lake, self.ledger, MODEL, actor="pipeline", at=NOW)
        self.log = InMemoryDecisionLog()

    def judged(self) -> str:
        past, entries = find(self.log, self.lake, "id-2"), self.ledger.entries()
        with pytest.raises(Integrity) as refused:
            ensure_same(past, edit(self.log, entries, log_keys, past), [], entries)
        return refused.value.problem


def test_a_decision_that_only_its_sealed_month_has_is_missed_although_it_comes_out_the_same(log: InMemoryDecisionLog) -> None:
    home = Sealed(log)
    assert home.judged() == "decision id-2 was taken out of the log, which never loses one"
    assert "not in the log: read from the sealed month 2005-07" in "\n".join(told(find(home.log, home.lake, "id-2")))


def test_a_rewritten_sealed_month_vouches_for_nothing(log: InMemoryDecisionLog) -> None:
    home = Sealed(log)
    (part,) = home.lake.versions(DECISIONS)
    columns = {**home.lake.read([part])}
    columns["account_id"] = columns["account_id"][::-1].copy()
    home.lake.write(DECISIONS, part.month, columns, recorded_at=NOW, facts=part.facts)
    assert "the sealed month 2005-07 is not what the ledger noted last" in home.judged()


def test_a_sealed_month_that_nobody_noted_vouches_for_nothing(log: InMemoryDecisionLog) -> None:
    home = Sealed(log)
    home.ledger = FakeLedger()
    home.ledger.append(Event.DECISIONS_SEALED, model="", actor="pipeline", at=NOW, facts=NOTED[0].facts)
    assert "is not in the ledger: nobody here sealed it" in home.judged()
