"""Roll-outs: signed, numbered, approved like a promotion where they decide, recorded, and ended whatever happens."""

from dataclasses import replace
from datetime import timedelta

import pytest

from models.channel import LAST_NUMBER
from models.errors import Conflict, Held, InputRefused, Integrity, NotApproved, NotFound
from models.governance import release
from models.governance.checking import sign_off
from models.governance.ledger import Event
from models.governance.rollout_records import reconcile, rollouts_as_recorded
from models.governance.rollouts import ask_for_promotion, end, end_newest, open_rollout
from models.governance.signing import Duty, Signed
from models.governance.stop import resume, stop
from models.governance.trial import challenger
from models.governance.verification import Finding
from models.rollout import End, Mode, Outcome, applying, newest
from tests.begun import WEEK, begun, paper_rollout, with_challenger
from tests.office import MODEL, NOON, Bank, contract_part, paper_bundle, paper_evidence_digest, pipeline, second, trust, validator


def in_force(bank: Bank) -> int:
    """The number of the roll-out that serving would obey; 0 for none."""
    found = applying(bank.channel, trust(), MODEL, bank.clock.now())
    return found.number if found else 0


def recorded(bank: Bank) -> list[Finding]:
    return list(rollouts_as_recorded(bank.ledger.entries(), bank.channel, trust, [MODEL]))


def findings(bank: Bank) -> list[str]:
    return [f"{each.where}: {each.problem}" for each in recorded(bank)]


def add(bank: Bank, number: int, document: Signed) -> None:
    bank.channel.add_rollout(MODEL, number, document)


def put(bank: Bank, number: int, document: Signed) -> None:
    """In the place of what was there."""
    bank.channel.remove_rollout(MODEL, number)  # type: ignore[attr-defined]
    add(bank, number, document)


def test_a_canary_begins_and_ends_and_the_ledger_has_both() -> None:
    bank, bundle = with_challenger()

    found = begun(bank, bundle)
    assert applying(bank.channel, trust(), MODEL, NOON) == found
    assert (found.challenger, found.champion, found.champion_version) == (bundle, paper_bundle("first").digest, 5)
    ended = end(bank.office, found, Outcome.ENDED, asked_by="ben", reason="seen enough", evidence="e" * 64)

    assert newest(bank.channel, trust(), MODEL) == ended
    assert in_force(bank) == 0
    noted = bank.ledger.entries(MODEL)[-2:]
    assert [(entry.event, entry.actor) for entry in noted] == [(Event.ROLLOUT_BEGUN, "ana"), (Event.ROLLOUT_ENDED, "ben")]
    assert (noted[0].facts["challenger"], noted[0].facts["share"]) == (bundle, 0.1)
    assert (noted[1].facts["rollout"], noted[1].facts["evidence"]) == (1, "e" * 64)
    assert findings(bank) == []
    assert bank.served() == paper_bundle("first").digest


def test_one_rollout_at_a_time_and_the_next_has_the_next_number() -> None:
    bank, bundle = with_challenger()
    first = begun(bank, bundle, Mode.SHADOW)
    with pytest.raises(Conflict, match="one at a time"):
        begun(bank, bundle)

    end(bank.office, first, Outcome.ENDED, asked_by="ana", reason="now for real")
    assert begun(bank, bundle).number == in_force(bank) == 3


def test_a_canary_needs_the_approvals_of_a_promotion() -> None:
    bank, bundle = with_challenger()
    bank.local = False
    with pytest.raises(Held, match="waiting for approval"):
        begun(bank, bundle)
    assert bank.channel.rollouts(MODEL) == 0

    for approver in (validator(), second()):
        sign_off(bank.office, approver, MODEL, bundle, comment="read it")
    assert begun(bank, bundle).number == in_force(bank)


def test_a_shadow_needs_a_registered_bundle_and_nobodys_approval() -> None:
    bank, _ = with_challenger()
    bank.local = False
    kept = paper_bundle("third")  # the gate kept the champion: nobody asked to promote it
    bank.channel.add_bundle(kept.digest, kept.files)
    with pytest.raises(NotFound, match="nobody registered"):
        begun(bank, kept.digest, Mode.SHADOW)

    bank.register(kept.digest, paper_evidence_digest(kept.digest), 3)
    with pytest.raises(NotFound, match="nobody asked"):
        begun(bank, kept.digest)
    assert begun(bank, kept.digest, Mode.SHADOW).challenger_version == 3


def test_a_contract_that_parts_from_the_champions_is_refused_whatever_its_version() -> None:
    bank, bundle = with_challenger(contract=contract_part(version=2, most=1000))
    for mode in Mode:
        with pytest.raises(Integrity, match="bill_0: the range became narrower"):
            begun(bank, bundle, mode)
    assert bank.channel.rollouts(MODEL) == 0


def test_the_champion_is_no_challenger_and_neither_is_what_was_compared_with_another() -> None:
    bank, bundle = with_challenger()
    with pytest.raises(Conflict, match="is the champion"):
        begun(bank, paper_bundle("first").digest)
    third = bank.ask("third", "first")
    release.promote(bank.office, MODEL, third)
    with pytest.raises(Conflict, match="was compared with"):
        begun(bank, bundle)


@pytest.mark.parametrize("share", [0, 0.6, 1])
def test_a_share_that_is_none_is_refused(share: float) -> None:
    bank, bundle = with_challenger()
    with pytest.raises(InputRefused, match="share"):
        begun(bank, bundle, share=share)


def test_nobody_begins_or_ends_one_without_a_reason() -> None:
    bank, bundle = with_challenger()
    with pytest.raises(InputRefused):
        begun(bank, bundle, reason=" ")
    found = begun(bank, bundle)
    with pytest.raises(InputRefused):
        end(bank.office, found, Outcome.ENDED, asked_by="", reason="because")


def test_a_stop_ends_it_for_good() -> None:
    bank, bundle = with_challenger()
    begun(bank, bundle)
    stop(bank.office, MODEL, asked_by="on-call", reason="scores jump")
    assert in_force(bank) == 0
    with pytest.raises(Conflict, match="is stopped"):
        begun(bank, bundle)

    resume(bank.office, MODEL, asked_by="on-call", reason="it was the feed")
    assert in_force(bank) == 0
    assert begun(bank, bundle).number == in_force(bank) == 2


def test_a_promotion_and_the_way_back_from_it_end_it_for_good() -> None:
    bank, bundle = with_challenger()
    begun(bank, bundle)
    third = bank.ask("third", "first")
    release.promote(bank.office, MODEL, third)
    assert in_force(bank) == 0

    release.roll_back(bank.office, MODEL, away_from=third, asked_by="on-call", reason="worse")
    assert bank.served() == paper_bundle("first").digest
    assert in_force(bank) == 0


def test_it_is_over_when_its_time_is() -> None:
    bank, bundle = with_challenger()
    begun(bank, bundle)
    bank.clock.set(NOON + WEEK - timedelta(seconds=1))
    assert in_force(bank) == 1
    bank.clock.set(NOON + WEEK)
    assert in_force(bank) == 0


def test_a_challenger_that_was_rolled_back_needs_approvals_signed_since() -> None:
    bank, bundle = with_challenger()
    release.promote(bank.office, MODEL, bundle)
    release.roll_back(bank.office, MODEL, away_from=bundle, asked_by="on-call", reason="worse")
    bank.clock.set(NOON + timedelta(hours=1))
    document = paper_rollout(
        number=1, challenger=bundle, champion=paper_bundle("first").digest, pointer=3, started_at=bank.clock.now().isoformat()
    )
    with pytest.raises(NotApproved, match="was rolled back: worse"):
        challenger(bank.channel, trust(), document, bank.clock.now())

    with pytest.raises(Held):
        begun(bank, bundle)
    for approver in (validator(), second()):
        sign_off(bank.office, approver, MODEL, bundle, comment="read it again")
    begun(bank, bundle)
    assert in_force(bank) == 1


def test_serving_counts_the_approvals_of_a_canary_and_asks_none_of_a_shadow() -> None:
    bank, bundle = with_challenger()
    document = paper_rollout(challenger=bundle, champion=paper_bundle("first").digest)
    with pytest.raises(NotApproved):
        challenger(bank.channel, trust(), document, NOON)

    shadow = replace(document, mode=Mode.SHADOW, share=1)
    assert challenger(bank.channel, trust(), shadow, NOON).bundle.digest == bundle


def test_a_document_beside_another_champion_is_refused() -> None:
    bank, bundle = with_challenger()
    with pytest.raises(Integrity, match="beside another champion"):
        challenger(bank.channel, trust(), paper_rollout(mode=Mode.SHADOW, share=1, challenger=bundle), NOON)


def test_a_document_signed_by_nobody_who_may_is_refused() -> None:
    bank, _ = with_challenger()
    add(bank, 1, validator().sign(paper_rollout().to_document()))
    with pytest.raises(NotApproved):
        newest(bank.channel, trust(), MODEL)


def test_an_edited_document_is_refused() -> None:
    bank, bundle = with_challenger()
    begun(bank, bundle)
    signed = bank.channel.rollout(MODEL, 1)
    add(bank, 2, replace(signed, document={**signed.document, "number": 2, "share": 0.5}))
    with pytest.raises(NotApproved):
        newest(bank.channel, trust(), MODEL)


def test_a_document_that_is_played_again_is_refused() -> None:
    bank, bundle = with_challenger()
    end(bank.office, begun(bank, bundle), Outcome.ENDED, asked_by="ana", reason="enough")
    add(bank, 3, bank.channel.rollout(MODEL, 1))
    with pytest.raises(Integrity, match="played again"):
        newest(bank.channel, trust(), MODEL)


@pytest.mark.parametrize("change", [{"mode": "coup"}, {"guardrails": {"drop": 2}}, {"share": 1}, {"further": 1}])
def test_a_document_that_cannot_be_read_is_refused(change: dict[str, object]) -> None:
    bank, _ = with_challenger()
    add(bank, 1, pipeline().sign(paper_rollout().to_document() | change))
    with pytest.raises(Integrity, match="cannot be read"):
        newest(bank.channel, trust(), MODEL)


def test_the_first_end_counts() -> None:
    bank, bundle = with_challenger()
    found = begun(bank, bundle)
    first = end(bank.office, found, Outcome.ROLLED_BACK, asked_by="judge", reason="fewer are kept")
    again = end(bank.office, found, Outcome.PROMOTION_ASKED, asked_by="judge", reason="all is well")

    assert again == first
    assert bank.events().count(Event.ROLLOUT_ENDED) == 1
    begun(bank, bundle)
    with pytest.raises(Conflict, match="not the newest"):
        end(bank.office, found, Outcome.ENDED, asked_by="ana", reason="late")


def test_what_a_killed_command_left_unrecorded_is_recorded_by_the_next() -> None:
    bank, _ = with_challenger()
    add(bank, 1, pipeline().sign(paper_rollout().to_document()))
    assert findings(bank) == [f"roll-out document 1 of {MODEL}: published, and not in the ledger"]

    reconcile(bank.office, MODEL)
    reconcile(bank.office, MODEL)
    assert bank.events().count(Event.ROLLOUT_BEGUN) == 1
    assert findings(bank) == []


def test_an_end_that_a_killed_command_left_unrecorded_is_recorded_although_nothing_is_open_any_more() -> None:
    """The hint of `make verify` is to be followed."""
    bank, bundle = with_challenger()
    first = begun(bank, bundle)
    left = End(MODEL, 2, first.number, Outcome.ENDED, NOON.isoformat(), "ana", "enough")
    add(bank, 2, pipeline().sign(left.to_document()))
    assert findings(bank) == [f"roll-out document 2 of {MODEL}: published, and not in the ledger"]

    with pytest.raises(NotFound, match="no roll-out"):
        end_newest(bank.office, MODEL, asked_by="ana", reason="enough")
    assert findings(bank) == []
    assert bank.events().count(Event.ROLLOUT_ENDED) == 1


@pytest.mark.parametrize("planted", ["nothing", "the first again", "signed by nobody who may"])
def test_what_nobody_can_read_is_ended_over_by_a_person_and_the_next_can_begin(planted: str) -> None:
    bank, bundle = with_challenger()
    first = begun(bank, bundle)
    documents = {
        "nothing": Signed({}, "nobody", Duty.PUBLISH, ""),
        "the first again": bank.channel.rollout(MODEL, 1),
        "signed by nobody who may": validator().sign(paper_rollout(number=2).to_document()),
    }
    add(bank, 2, documents[planted])
    with pytest.raises((Integrity, NotApproved)) as of_next:
        begun(bank, bundle)
    with pytest.raises((Integrity, NotApproved)) as of_judge:
        open_rollout(bank.office, MODEL)
    assert all("make end-rollout BY=" in refused.value.hint for refused in (of_next, of_judge))
    assert ["make end-rollout" in each.hint for each in recorded(bank)] == [True]

    ended = end_newest(bank.office, MODEL, asked_by="ana", reason="somebody writes there")
    assert (ended.number, ended.rollout, ended.over, ended.reason) == (3, first.number, (2,), "somebody writes there")
    assert newest(bank.channel, trust(), MODEL) == ended
    assert bank.ledger.entries(MODEL)[-1].facts["over"] == [2]
    assert findings(bank) == []
    bank.channel.remove_rollout(MODEL, 2)  # type: ignore[attr-defined]
    assert (findings(bank), in_force(bank)) == ([], 0)
    assert begun(bank, bundle).number == in_force(bank) == 4


@pytest.mark.timeout(20)
def test_a_document_under_a_high_number_keeps_nobody_busy_and_is_passed_over_with_the_gap_before_it() -> None:
    bank, bundle = with_challenger()
    begun(bank, bundle)
    add(bank, 90_000_000, validator().sign(paper_rollout().to_document()))

    gap, planted = sorted(findings(bank))
    assert gap == f"roll-out document 2 of {MODEL}: the channel has no roll-out documents 2 to 89999999 of {MODEL}"
    assert planted.startswith(f"roll-out document 90000000 of {MODEL}: ")
    ended = end_newest(bank.office, MODEL, asked_by="ana", reason="somebody writes there")
    assert (ended.number, ended.over) == (90_000_001, (2, 90_000_000))
    assert findings(bank) == []
    assert begun(bank, bundle).number == 90_000_002


def test_behind_the_last_number_nothing_can_be_written_so_it_is_to_be_taken_away() -> None:
    bank, bundle = with_challenger()
    begun(bank, bundle)
    for number, command in ((LAST_NUMBER - 1, "make end-rollout"), (LAST_NUMBER, f"take document {LAST_NUMBER} away")):
        add(bank, number, validator().sign(paper_rollout().to_document()))
        assert all(command in each.hint for each in recorded(bank))
        with pytest.raises((Integrity, NotApproved, NotFound)) as of_ledger:
            reconcile(bank.office, MODEL)
        with pytest.raises((Integrity, NotApproved)) as of_newest:
            newest(bank.channel, trust(), MODEL)
        assert all(command in refused.value.hint for refused in (of_ledger, of_newest))


def test_what_the_ledger_knows_is_not_passed_over() -> None:
    bank, bundle = with_challenger()
    begun(bank, bundle)
    bank.channel.remove_rollout(MODEL, 1)  # type: ignore[attr-defined]
    add(bank, 1, validator().sign(paper_rollout().to_document()))

    with pytest.raises(Integrity, match=r"Whatever was rolled out of .* is ended, and the ledger has it, but"):
        end_newest(bank.office, MODEL, asked_by="ana", reason="somebody writes there")
    assert isinstance(newest(bank.channel, trust(), MODEL), End)
    assert ["put it back" in each.hint for each in recorded(bank)] == [True]


def test_an_end_is_in_the_ledger_although_an_older_document_cannot_be_read_and_is_missed_when_it_is_taken_away() -> None:
    bank, bundle = with_challenger()
    for reason in ("a first look", "and now"):
        found = begun(bank, bundle, reason=reason)
        if found.number == 1:
            end(bank.office, found, Outcome.ENDED, asked_by="ana", reason="enough")
    sound = bank.channel.rollout(MODEL, 1)
    put(bank, 1, replace(sound, document={**sound.document, "share": 0.5}))

    with pytest.raises(Integrity, match=f"Roll-out 3 of {MODEL} is ended, and the ledger has it, but .*signature"):
        end_newest(bank.office, MODEL, asked_by="ben", reason="scores jump")
    last = bank.ledger.entries(MODEL)[-1]
    assert (last.event, last.actor, last.facts["number"]) == (Event.ROLLOUT_ENDED, "ben", 4)

    bank.channel.remove_rollout(MODEL, 4)  # type: ignore[attr-defined]
    put(bank, 1, sound)
    assert [finding.split(":")[0] for finding in findings(bank)] == [f"roll-out document 4 of {MODEL}"]
    with pytest.raises(Integrity, match="in the ledger and not on the release channel"):
        reconcile(bank.office, MODEL)


def test_an_end_is_in_the_ledger_although_an_older_document_is_another_than_the_ledger_knows() -> None:
    bank, bundle = with_challenger()
    end(bank.office, begun(bank, bundle), Outcome.ENDED, asked_by="ana", reason="enough")
    found = begun(bank, bundle)
    put(bank, 1, pipeline().sign(paper_rollout(share=0.5).to_document()))

    with pytest.raises(Integrity, match=r"and the ledger has it, but .* is another than ledger entry"):
        end(bank.office, found, Outcome.ROLLED_BACK, asked_by="judge", reason="fewer are kept")
    assert bank.ledger.entries(MODEL)[-1].facts["number"] == 4


def test_what_is_ended_over_everything_is_no_roll_out_of_a_number_and_its_number_was_never_given() -> None:
    """The first document cannot be read, and the second, an end, was taken away."""
    bank, bundle = with_challenger()
    end(bank.office, begun(bank, bundle), Outcome.ENDED, asked_by="ana", reason="enough")
    bank.channel.remove_rollout(MODEL, 2)  # type: ignore[attr-defined]
    put(bank, 1, validator().sign(paper_rollout().to_document()))

    with pytest.raises(Integrity, match="Whatever was rolled out of"):
        end_newest(bank.office, MODEL, asked_by="ana", reason="somebody writes there")
    ended = newest(bank.channel, trust(), MODEL)
    assert isinstance(ended, End)
    assert (ended.number, ended.rollout, ended.over) == (3, 0, (1,))


def test_an_end_that_was_taken_away_is_noticed_and_its_number_not_given_away() -> None:
    bank, bundle = with_challenger()
    found = begun(bank, bundle)
    end(bank.office, found, Outcome.ENDED, asked_by="ana", reason="enough")
    bank.channel.remove_rollout(MODEL, 2)  # type: ignore[attr-defined]

    assert [finding.split(":")[0] for finding in findings(bank)] == [f"roll-out document 2 of {MODEL}"]
    with pytest.raises(Integrity, match="in the ledger and not on the release channel"):
        begun(bank, bundle)
    with pytest.raises(Integrity, match="is ended, and the ledger has it, but"):
        end(bank.office, found, Outcome.ENDED, asked_by="ana", reason="enough")
    ended = newest(bank.channel, trust(), MODEL)
    assert isinstance(ended, End)
    assert ended.number == 3


def test_a_number_that_was_given_to_another_document_is_found() -> None:
    bank, bundle = with_challenger()
    begun(bank, bundle)
    bank.channel.remove_rollout(MODEL, 1)  # type: ignore[attr-defined]
    add(bank, 1, pipeline().sign(paper_rollout(share=0.5).to_document()))

    assert [finding.partition(": ")[2] for finding in findings(bank)] == [
        f"does not say what the signed roll-out document 1 of {MODEL} says"
    ]
    with pytest.raises(Integrity, match="another than ledger entry"):
        reconcile(bank.office, MODEL)


def test_a_promotion_is_asked_for_with_what_was_seen_and_never_done() -> None:
    bank, bundle = with_challenger()
    found = begun(bank, bundle)
    before = bank.channel.pointers(MODEL)

    wanted = ask_for_promotion(bank.office, found, reason="roll-out 1: all guardrails held")
    end(bank.office, found, Outcome.PROMOTION_ASKED, asked_by="judge", reason="all guardrails held")
    assert bank.channel.pointers(MODEL) == before
    assert (wanted.bundle, wanted.reason) == (bundle, "roll-out 1: all guardrails held")
    assert release.promote(bank.office, MODEL, bundle).bundle == bundle


def test_what_is_open_is_found_also_when_it_lapsed() -> None:
    bank, bundle = with_challenger()
    with pytest.raises(NotFound, match="no roll-out"):
        open_rollout(bank.office, MODEL)
    found = begun(bank, bundle)
    bank.clock.set(NOON + 2 * WEEK)
    assert open_rollout(bank.office, MODEL) == found
