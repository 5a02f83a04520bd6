"""A canary before a release takes a champion's place in production, and who answers for going without."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from models.credit_default import USE_CASE
from models.errors import Conflict, Held, InputRefused, NotApproved
from models.governance import release
from models.governance.checking import sign_off
from models.governance.inbox import waiting
from models.governance.ledger import Event
from models.governance.requests import request, requested
from models.governance.rollouts import end
from models.governance.signing import Duty, Trust
from models.governance.waivers import skipped, waive, waived
from models.guardrails import Guardrails
from models.rollout import Mode, Outcome
from tests.begun import begun
from tests.office import MODEL, Bank, paper_bundle, second, signer, trust, validator

WHY = "the champion reduces half of all accounts"


def production() -> tuple[Bank, str]:
    """A bank that decides about customers and serves "first", and the digest of "second", which everybody approved."""
    bank = Bank(local=False, canaries=True)
    release.promote(bank.office, MODEL, signed(bank, bank.ask("first")))
    return bank, signed(bank, bank.ask("second", "first"))


def signed(bank: Bank, bundle: str) -> str:
    for approver in (validator(), second()):
        sign_off(bank.office, approver, MODEL, bundle, comment="read it")
    return bundle


def tried(bank: Bank, bundle: str, outcome: Outcome = Outcome.PROMOTION_ASKED, mode: Mode = Mode.CANARY) -> None:
    end(bank.office, begun(bank, bundle, mode), outcome, asked_by="judge of roll-outs", reason="as it was seen")


def promote(bank: Bank, bundle: str) -> str:
    return release.promote(bank.office, MODEL, bundle).reason


def lacking(bank: Bank) -> str:
    (wish,) = waiting(bank.office, MODEL, bank.served())
    return wish.untried


def found(bank: Bank, by: Trust | None = None) -> list[str]:
    return [each.problem for each in skipped(bank.ledger.entries(), bank.channel, lambda: by or trust(), [MODEL])]


def skip(bank: Bank, bundle: str) -> None:
    """As an earlier release of the platform did, or somebody in another profile."""
    release.promote(replace(bank.office, canaries=False), MODEL, bundle)


def test_a_release_without_a_canary_waits_and_the_message_says_which_command_gives_it() -> None:
    bank, bundle = production()
    with pytest.raises(Held, match="not tried as a canary beside the champion") as held:
        promote(bank, bundle)
    assert "make canary CHALLENGER=6" in held.value.hint
    assert f"make waive-canary BUNDLE={bundle[:12]}" in held.value.hint
    assert "not tried as a canary" in lacking(bank)
    assert bank.served() == paper_bundle("first").digest


def test_one_that_passed_brings_it_into_force() -> None:
    bank, bundle = production()
    tried(bank, bundle)
    assert lacking(bank) == ""
    assert promote(bank, bundle) == "second is better"
    assert bank.served() == bundle
    assert found(bank) == []


@pytest.mark.parametrize(
    ("outcome", "mode", "problem"),
    [
        (Outcome.ROLLED_BACK, Mode.CANARY, "roll-out 1, was rolled back by judge of roll-outs: as it was seen"),
        (Outcome.ENDED, Mode.CANARY, "roll-out 1, was ended by"),
        (Outcome.PROMOTION_ASKED, Mode.SHADOW, "not tried as a canary"),
    ],
)
def test_a_trial_that_did_not_pass_or_decided_nothing_is_none(outcome: Outcome, mode: Mode, problem: str) -> None:
    bank, bundle = production()
    tried(bank, bundle, outcome, mode)
    with pytest.raises(Held, match=problem):
        promote(bank, bundle)


def test_an_open_canary_and_one_whose_time_is_over_are_said() -> None:
    bank, bundle = production()
    begun(bank, bundle)
    assert lacking(bank) == "its canary, roll-out 1, has no verdict yet"
    bank.clock.set(bank.clock.now() + timedelta(days=8))
    assert "its time was over" in lacking(bank)


def test_the_newest_canary_counts_and_only_beside_the_pointer_that_is_in_force() -> None:
    bank, bundle = production()
    tried(bank, bundle)
    tried(bank, bundle, Outcome.ROLLED_BACK)
    with pytest.raises(Held, match="roll-out 3, was rolled back"):
        promote(bank, bundle)
    tried(bank, bundle)
    promote(bank, bundle)

    bank.clock.set(bank.clock.now() + timedelta(minutes=1))
    release.roll_back(bank.office, MODEL, away_from=bundle, asked_by="on-call", reason="scores jump")
    bank.clock.set(bank.clock.now() + timedelta(minutes=1))
    signed(bank, bundle)
    with pytest.raises(Held, match="not tried as a canary"):
        promote(bank, bundle)


def test_the_first_champion_a_roll_back_and_a_renewal_owe_none() -> None:
    bank, bundle = production()
    tried(bank, bundle)
    promote(bank, bundle)
    assert promote(bank, bundle) == "second is better"
    release.roll_back(bank.office, MODEL, away_from=bundle, asked_by="on-call", reason="scores jump")
    assert bank.served() == paper_bundle("first").digest
    assert found(bank) == []


def test_where_no_customers_are_and_for_what_little_hangs_on_none_is_asked_for() -> None:
    little = {"inventory": small()}
    for bank, changes in ((Bank(local=False), {}), (Bank(local=False, canaries=True), little)):
        release.promote(bank.office, MODEL, signed(bank, bank.ask("first")))
        bundle = signed(bank, bank.ask("second", "first", **changes))
        assert promote(bank, bundle) == "second is better"


def small() -> bytes:
    """Of the lowest tier."""
    inventory = USE_CASE.inventory.model_dump(mode="json")
    return json.dumps(inventory | {"purpose_class": "supports people at work"}).encode()


def test_a_champion_that_changed_meanwhile_is_said_first() -> None:
    bank, bundle = production()
    third = signed(bank, bank.ask("third", "first"))
    tried(bank, third)
    promote(bank, third)
    with pytest.raises(Conflict, match="points at"):
        promote(bank, bundle)


def test_a_canary_on_fewer_accounts_than_the_tier_asks_for_does_not_begin_and_does_not_count() -> None:
    bank, bundle = production()
    few = Guardrails(smallest_accounts=999)
    with pytest.raises(InputRefused, match="1,000 accounts at least, not on 999"):
        begun(bank, bundle, guardrails=few)
    assert bank.channel.rollouts(MODEL) == 0

    bank.canaries = False
    end(bank.office, begun(bank, bundle, guardrails=few), Outcome.PROMOTION_ASKED, asked_by="judge", reason="well")
    bank.canaries = True
    with pytest.raises(Held, match="was judged on 999 accounts, and the tier asks for 1,000"):
        promote(bank, bundle)


def test_approvers_answer_for_going_without_and_pointer_and_ledger_say_who_and_why() -> None:
    bank, bundle = production()
    assert waive(bank.office, validator(), MODEL, bundle, reason=WHY) == 1
    assert waive(bank.office, validator(), MODEL, bundle, reason=WHY) == 1, "one person is one"
    with pytest.raises(Held):
        promote(bank, bundle)

    assert waive(bank.office, second(), MODEL, bundle, reason="there is no time for one") == 0
    (wish,) = waiting(bank.office, MODEL, bank.served())
    assert f"validator: {WHY}; second: there is no time for one" in wish.waived
    assert wish.waived in promote(bank, bundle)
    assert bank.ledger.entries(MODEL)[-1].facts["reason"].endswith(wish.waived)
    waivers = [entry.actor for entry in bank.ledger.entries(MODEL) if entry.event is Event.CANARY_WAIVED]
    assert waivers == ["validator", "validator", "second"]
    assert found(bank) == []


def test_a_canary_that_was_begun_since_says_more_than_those_who_waived_it_before() -> None:
    bank, bundle = production()
    for approver in (validator(), second()):
        waive(bank.office, approver, MODEL, bundle, reason=WHY)
    bank.clock.set(bank.clock.now() + timedelta(minutes=1))
    tried(bank, bundle, Outcome.ROLLED_BACK)
    with pytest.raises(Held, match="was rolled back"):
        promote(bank, bundle)

    bank.clock.set(bank.clock.now() + timedelta(minutes=1))
    for approver in (validator(), second()):
        waive(bank.office, approver, MODEL, bundle, reason="the champion is worse by far")
    assert "the champion is worse by far" in promote(bank, bundle)


def test_nobody_answers_who_made_it_or_may_not_approve_or_gives_no_reason_or_where_nothing_is_lacking() -> None:
    bank, bundle = production()
    with pytest.raises(NotApproved, match="cannot answer for it"):
        waive(bank.office, signer("trainer", Duty.APPROVE), MODEL, bundle, reason=WHY)
    with pytest.raises(NotApproved, match="not trusted to approve"):
        waive(bank.office, signer("stranger", Duty.APPROVE), MODEL, bundle, reason=WHY)
    with pytest.raises(NotApproved, match="is no reason"):
        waive(bank.office, validator(), MODEL, bundle, reason="urgent")
    with pytest.raises(Conflict, match="lacks no canary"):
        waive(bank.office, validator(), MODEL, paper_bundle("first").digest, reason=WHY)
    tried(bank, bundle)
    with pytest.raises(Conflict, match="lacks no canary"):
        waive(bank.office, validator(), MODEL, bundle, reason=WHY)
    assert Event.CANARY_WAIVED not in bank.events()


def test_who_asks_for_an_override_of_it_later_does_not_answer_for_it_as_well() -> None:
    bank, bundle = production()
    for approver in (validator(), second()):
        waive(bank.office, approver, MODEL, bundle, reason=WHY)
    assert waived(bank.office, requested(bank.office, MODEL, bundle))
    overriding = replace(requested(bank.office, MODEL, bundle), override="the floor is too high", requester="validator")
    request(bank.office, overriding)
    assert waived(bank.office, overriding) == ""


def test_an_entry_that_nobody_signed_as_it_stands_answers_for_nothing() -> None:
    bank, bundle = production()
    other = signed(bank, bank.ask("another", "first"))
    for approver in (validator(), second()):
        waive(bank.office, approver, MODEL, other, reason=WHY)
    for entry in [entry for entry in bank.ledger.entries(MODEL) if entry.event is Event.CANARY_WAIVED]:
        bank.office.note(Event.CANARY_WAIVED, MODEL, entry.actor, {**entry.facts, "bundle": bundle})
    with pytest.raises(Held):
        promote(bank, bundle)


def test_verify_finds_what_came_into_force_untried_until_people_answer_for_it() -> None:
    bank, bundle = production()
    skip(bank, bundle)
    assert found(bank) == ["it is in force, and it was not tried as a canary beside the champion whose place it takes"]

    waive(bank.office, validator(), MODEL, bundle, reason="promoted before canaries were asked for")
    assert len(found(bank)) == 1
    waive(bank.office, second(), MODEL, bundle, reason="promoted before canaries were asked for")
    assert found(bank) == []
    without = Trust({**trust().keys, Duty.APPROVE: {"second": second().public()}})
    assert len(found(bank, without)) == 1, "nobody ever admitted the other one"
    bank.office.note(Event.TRUSTED, "", "admin", {"name": "validator", "key": validator().public(), "reason": "validates"})
    assert found(bank, without) == [], "who left since signed it all the same"
