"""What a judge sees of a roll-out in the log, and what it does about its verdict."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from models.clock import Month
from models.errors import Integrity, Misconfigured, NotFound
from models.governance import release
from models.governance.fairness.groups import NOT_RECORDED
from models.governance.ledger import Event
from models.governance.requests import requested
from models.governance.rollouts import begin, end
from models.governance.stop import stop
from models.governance.verification import Finding
from models.guardrails import Guardrails
from models.rollout import CANARY, CONTROL, End, Mode, Outcome, Rollout, newest
from monitoring.rollout.findings import Standing
from monitoring.rollout.judge import State
from monitoring.rollout.kept import check_verdicts
from monitoring.rollout.kept import kept as counted
from monitoring.rollout.limits import latency
from monitoring.rollout.observations import Pairs, Segments, paired
from monitoring.trials import Decided, Pair
from pipelines.rollout.judging import KEPT_EVERY, Bench, Judged, judge_rollout
from pipelines.rollout.seen import Groups, no_groups, seen
from tests.begun import WEEK, begun, paper_rollout, with_challenger
from tests.fakes.ledger import FakeLedger
from tests.fakes.verdicts import FakeVerdictStore
from tests.office import MODEL, NOON, Bank, paper_bundle, paper_evidence_digest, trust

JUNE, JULY, AUGUST = Month(2005, 6), Month(2005, 7), Month(2005, 8)
FEW = Guardrails(smallest_accounts=200, smallest_requests=50)
FIRST, SECOND = paper_bundle("first").digest, paper_bundle("second").digest


@dataclass
class PaperTrials:
    """What a test says was seen."""

    arms: list[Decided] = field(default_factory=list)
    scored: list[Pair] = field(default_factory=list)

    def keep(self, shadows: object) -> None:
        raise AssertionError("a judge writes nothing")

    def decided(self, model: str, rollout: int, challenger: str) -> Sequence[Decided]:
        return self.arms

    def pairs(self, model: str, rollout: int) -> Sequence[Pair]:
        return self.scored


@dataclass
class World:
    bank: Bank
    begun: Rollout
    trials: PaperTrials = field(default_factory=PaperTrials)
    verdicts: FakeVerdictStore = field(default_factory=FakeVerdictStore)
    groups: Groups = no_groups

    @property
    def bench(self) -> Bench:
        return Bench(self.bank.office, self.trials, self.verdicts, str, self.groups)

    def found(self) -> list[Finding]:
        return list(check_verdicts(self.verdicts, self.bank.ledger.entries()))

    def judge(self) -> Outcome | None:
        """How it ended the roll-out, if it did."""
        ended = judge_rollout(self.bench, MODEL).ended
        return ended.outcome if ended else None

    def saw(self, accounts: int, *, kept_by_canary: bool = True, failing: bool = False) -> None:
        """Two arms of as many accounts; the control keeps all of them."""
        action = "keep" if kept_by_canary else "reduce"
        for number in range(accounts // 2):
            self.trials.arms.append(Decided(f"a{number}", JULY, CONTROL, "keep", 0.1, failed=False))
            self.trials.arms.append(Decided(f"b{number}", JULY, CANARY, action, 0.1, failed=failing))
            self.trials.scored.append(Pair(f"b{number}", SECOND, action, FIRST, "keep", 0.002, 0.002))

    def saw_in_shadow(self, accounts: int, scored: str = "keep") -> None:
        self.trials.scored += [Pair(f"a{number}", FIRST, "keep", SECOND, scored, 0.002, 0.002) for number in range(accounts)]


def rolling(mode: Mode = Mode.CANARY, bundle: str = "", bank: Bank | None = None, limits: Guardrails = FEW) -> World:
    made, asked = (bank, bundle) if bank else with_challenger()
    begun = begin(
        made.office,
        MODEL,
        mode,
        bundle=asked,
        share=1 if mode is Mode.SHADOW else 0.5,
        ends=NOON + WEEK,
        asked_by="ana",
        reason="a look at it",
        guardrails=limits,
    )
    return World(made, begun)


def test_what_harms_is_rolled_back_with_the_verdict_as_evidence() -> None:
    world = rolling()
    world.saw(400, kept_by_canary=False)

    judged = judge_rollout(world.bench, MODEL)
    assert judged.ended
    assert (judged.ended.outcome, judged.ended.evidence) == (Outcome.ROLLED_BACK, judged.document.digest)
    assert judged.document.verdict.state is State.ROLL_BACK
    assert judged.document.ended
    assert newest(world.bank.channel, trust(), MODEL) == judged.ended
    assert world.bank.ledger.entries(MODEL)[-1].facts["evidence"] == judged.document.digest
    assert list(check_verdicts(world.verdicts, world.bank.ledger.entries())) == []
    assert len(list(check_verdicts(FakeVerdictStore(), world.bank.ledger.entries()))) == 1


def test_what_harms_is_taken_away_although_the_ledger_is_broken() -> None:
    world = rolling()
    world.saw(400, kept_by_canary=False)
    ledger = world.bank.ledger
    assert isinstance(ledger, FakeLedger)
    ledger._entries[-1] = replace(ledger._entries[-1], actor="somebody else")

    with pytest.raises(Integrity, match="is ended, but the ledger could not record it"):
        judge_rollout(world.bench, MODEL)
    assert isinstance(newest(world.bank.channel, trust(), MODEL), End)


def test_a_roll_back_is_in_the_ledger_although_an_older_document_cannot_be_read() -> None:
    bank, bundle = with_challenger()
    end(bank.office, begun(bank, bundle), Outcome.ENDED, asked_by="ana", reason="enough")
    world = rolling(bundle=bundle, bank=bank)
    world.saw(400, kept_by_canary=False)
    bank.channel.remove_rollout(MODEL, 1)  # type: ignore[attr-defined]

    with pytest.raises(Integrity, match="is ended, and the ledger has it, but"):
        judge_rollout(world.bench, MODEL)
    last = bank.ledger.entries(MODEL)[-1]
    assert (last.event, last.facts["number"], last.facts["outcome"]) == (Event.ROLLOUT_ENDED, 4, "rolled_back")


def test_too_little_is_no_verdict_and_it_goes_on() -> None:
    world = rolling()
    world.saw(100)
    assert world.judge() is None
    assert newest(world.bank.channel, trust(), MODEL) == world.begun


def test_where_all_holds_a_promotion_is_asked_for_and_none_is_made() -> None:
    world = rolling()
    world.saw(400)
    before = world.bank.channel.pointers(MODEL)

    assert world.judge() is Outcome.PROMOTION_ASKED
    assert world.bank.channel.pointers(MODEL) == before
    assert requested(world.bank.office, MODEL, SECOND).reason.startswith("Roll-out 1, a canary of 0.5: Every guardrail held")
    with pytest.raises(NotFound, match="no roll-out"):
        world.judge()


def test_of_a_shadow_the_promotion_is_asked_for_again_where_it_was_asked_for() -> None:
    world = rolling(Mode.SHADOW)
    world.saw_in_shadow(400)
    assert world.judge() is Outcome.PROMOTION_ASKED
    reason = requested(world.bank.office, MODEL, SECOND).reason
    assert reason.startswith("Roll-out 1, a shadow: Every guardrail held on 400 accounts: ask for promotion. ")
    assert "Groups and score were not judged in shadow" in reason


def test_a_shadow_of_what_the_gate_did_not_let_through_opens_no_way_around_it() -> None:
    bank, _ = with_challenger()
    kept = paper_bundle("third")
    bank.channel.add_bundle(kept.digest, kept.files)
    bank.register(kept.digest, paper_evidence_digest(kept.digest), 3)
    world = rolling(Mode.SHADOW, kept.digest, bank)
    world.saw_in_shadow(400)

    judged = judge_rollout(world.bench, MODEL)
    assert judged.ended
    assert judged.ended.outcome is Outcome.ENDED
    assert "the gate did not let it through" in judged.ended.reason
    assert bank.office.noted(Event.REQUESTED, MODEL, kept.digest) == []


def test_of_a_shadow_that_was_compared_with_another_champion_no_promotion_is_asked_for() -> None:
    """Its request is from before somebody promoted a third."""
    bank, bundle = with_challenger()
    release.promote(bank.office, MODEL, bank.ask("third", "first"))
    world = rolling(Mode.SHADOW, bundle, bank)
    world.saw_in_shadow(400)

    judged = judge_rollout(world.bench, MODEL)
    assert judged.ended
    assert judged.ended.outcome is Outcome.ENDED
    assert "Nobody asked to promote it beside this champion" in judged.ended.reason


@pytest.mark.parametrize("after", [WEEK, 10 * WEEK])
@pytest.mark.parametrize("mode", Mode)
def test_when_its_time_is_over_it_is_rolled_back_and_the_ledger_says_that_no_harm_was_seen(mode: Mode, after: timedelta) -> None:
    world = rolling(mode)
    world.saw(100)
    world.bank.clock.set(NOON + after)
    assert world.judge() is Outcome.ROLLED_BACK
    reason = world.bank.ledger.entries(MODEL)[-1].facts["reason"]
    assert reason.startswith("Roll back: its 7 days are over and ")
    assert "No harm was seen. Verdict " in reason


def test_enough_by_its_last_day_is_enough_also_if_it_is_judged_later() -> None:
    world = rolling()
    world.saw(400)
    world.bank.clock.set(NOON + 10 * WEEK)
    assert world.judge() is Outcome.PROMOTION_ASKED


def test_after_a_stop_nothing_is_asked_for() -> None:
    world = rolling()
    world.saw(400)
    stop(world.bank.office, MODEL, asked_by="on-call", reason="scores jump")
    assert world.judge() is Outcome.ENDED
    assert Event.REQUESTED not in world.bank.events()[-2:]


def test_after_another_promotion_nothing_is_asked_for() -> None:
    world = rolling()
    world.saw(400)
    release.promote(world.bank.office, MODEL, world.bank.ask("third", "first"))
    assert world.judge() is Outcome.ENDED


def test_a_verdict_that_says_nothing_new_is_kept_once_an_hour() -> None:
    world = rolling()
    world.saw(60)
    for minutes, kept in ((0, 1), (5, 1), (10, 1)):
        world.bank.clock.set(NOON + timedelta(minutes=minutes))
        world.judge()
        assert len(world.verdicts.verdicts(MODEL, 1)) == kept
    world.bank.clock.set(NOON + KEPT_EVERY)
    world.judge()
    assert len(world.verdicts.verdicts(MODEL, 1)) == 2
    world.saw(100)  # now there is enough for errors and agreement
    world.judge()
    assert len(world.verdicts.verdicts(MODEL, 1)) == 3


def test_a_verdict_to_go_on_is_named_in_the_ledger_and_what_is_forged_edited_or_deleted_is_found() -> None:
    world = rolling()
    world.saw(60)
    document = judge_rollout(world.bench, MODEL).document
    last = world.bank.ledger.entries(MODEL)[-1]
    assert (last.event, last.facts["verdict"], last.facts["state"]) == (Event.ROLLOUT_JUDGED, document.digest, "go on")
    assert world.found() == []

    claim = document.verdict.model_copy(update={"sentence": "Every guardrail held on 30,000 accounts: ask for promotion."})
    forged = document.model_copy(update={"verdict": claim, "recorded_at": (NOON + WEEK).isoformat()})
    world.verdicts.add(forged)
    assert [each.problem for each in world.found()] == [f"a verdict on roll-out 1 of {MODEL} that no record names"]
    assert counted(world.verdicts, world.bank.ledger.entries(), MODEL, 1) == [document]
    world.verdicts.remove(forged)

    world.verdicts.edited.add(document.digest)
    assert {each.problem for each in world.found()} == {
        "was edited, or is no verdict",
        f"the verdict {document.digest[:12]} on roll-out 1 of {MODEL} is gone, or another",
    }
    world.verdicts.remove(document)
    assert len(world.found()) == 1
    assert all(each.hint for each in world.found())


def test_an_edited_verdict_keeps_nobody_from_judging_and_the_next_is_kept() -> None:
    world = rolling()
    world.saw(60)
    world.verdicts.edited.add(judge_rollout(world.bench, MODEL).document.digest)
    world.bank.clock.set(NOON + timedelta(minutes=5))
    assert judge_rollout(world.bench, MODEL).kept
    world.bank.clock.set(NOON + timedelta(minutes=10))
    assert not judge_rollout(world.bench, MODEL).kept


def test_a_forged_verdict_does_not_keep_a_true_one_from_being_kept() -> None:
    world = rolling()
    world.saw(60)
    forged = judge_rollout(rolling().bench, MODEL).document
    world.verdicts.add(forged)
    assert judge_rollout(world.bench, MODEL).kept


def test_no_figure_leaves_for_the_channel_only_the_names_of_guardrails_and_the_verdict() -> None:
    """Serving reads the channel, and has no right to figures by audit column."""
    world = rolling(limits=replace(FEW, groups={"sex": ("female",)}))
    world.saw(400, kept_by_canary=False)
    world.groups = by_sex
    judged = judge_rollout(world.bench, MODEL)
    assert judged.ended
    names = [each.name for each in judged.document.verdict.findings if each.standing is Standing.OUTSIDE]

    assert any(each.name == "favourable by sex" for each in judged.document.verdict.findings)
    assert judged.ended.reason == f"Roll back: outside the limit is {', '.join(names)}. Verdict {judged.document.digest[:12]}."
    assert "%" not in str(world.bank.channel.rollout(MODEL, 2).document)
    assert "%" not in str(world.bank.ledger.entries(MODEL)[-1].facts)


def by_sex(accounts: Mapping[Month, Iterable[str]]) -> list[Segments]:
    return [Segments("sex", ("female",), {each: "female" for names in accounts.values() for each in names}, 10)]


def test_a_judge_sees_failures_as_failures_and_not_as_the_champions_decisions() -> None:
    trials = PaperTrials(
        [Decided("a", JULY, CONTROL, "keep", 0.1, failed=False), Decided("b", JULY, CANARY, "keep", 0.2, failed=True)]
    )
    found = seen(trials, paper_rollout(share=0.5), str, NOON + WEEK / 2)

    assert [(each.arm, each.action, each.failed) for each in found.observations] == [
        (CONTROL, "keep", False),
        (CANARY, "", True),
    ]
    assert (found.control.requests, found.canary.requests, found.canary.errors) == (1, 1, 1)
    assert (found.days, found.pairs) == (3.5, None)


def test_latencies_are_of_the_records_that_both_were_timed_for() -> None:
    """In a canary the challenger decided, in a shadow the champion did."""
    timed = [Pair(f"a{n}", "one", "keep", "other", "keep", 0.001 * n, 0.002 * n) for n in (1, 2, 3)]
    trials = PaperTrials(scored=[*timed, Pair("a4", "one", "keep", "other", "", 9.0, None)])
    few = Guardrails(smallest_requests=3)
    canary = seen(trials, paper_rollout(guardrails=few), str, NOON)
    shadow = seen(trials, paper_rollout(mode=Mode.SHADOW, share=1, guardrails=few), str, NOON)

    assert (canary.canary.p50, canary.control.p50) == (0.002, 0.004)
    assert (shadow.canary.p50, shadow.control.p50) == (0.004, 0.002)
    assert (shadow.canary.requests, shadow.canary.errors) == (4, 1)
    more = seen(trials, paper_rollout(guardrails=Guardrails(smallest_requests=4)), str, NOON)
    assert (more.canary.p50, more.canary.p99, more.control.p99) == (None, None, None)
    assert (more.canary.timed, canary.canary.timed) == (3, 3)
    said = latency(more.control, more.canary, Guardrails(smallest_requests=4))[1].text
    assert said == "How soon 99 of 100 requests are answered is not known: 3 of the 4 that it needs were timed."


def test_an_account_counts_once_also_under_two_keys_and_in_the_direction_of_the_champion() -> None:
    trials = PaperTrials(
        [Decided(name, JULY, CONTROL, "keep", 0.1, failed=False) for name in ("p1_a", "p2_a")],
        [Pair(name, "challenger", "review", "champion", "keep", None, None) for name in ("p1_a", "p2_a", "p1_b")],
    )

    def lift(account: str) -> str:
        return account.replace("p1_", "p2_")

    canary = seen(trials, paper_rollout(), lift, NOON)
    shadow = seen(trials, paper_rollout(mode=Mode.SHADOW, share=1), lift, NOON)
    assert {each.account for each in canary.observations} == {"p2_a"}
    assert canary.pairs == Pairs(accounts=2, agreed=0, champion_favourable=2, lost=2)
    assert shadow.pairs == Pairs(accounts=2, agreed=0, champion_favourable=0, gained=2)


def test_the_first_decision_about_an_account_is_what_counts_in_both_modes() -> None:
    first, later = ("a1", "champion", "keep", "challenger"), ("a1", "champion", "reduce", "challenger")
    trials = PaperTrials(scored=[Pair(*first, "review", None, None), Pair(*later, "reduce", None, None)])
    shadow = seen(trials, paper_rollout(mode=Mode.SHADOW, share=1), str, NOON).pairs
    canary = seen(trials, paper_rollout(), str, NOON).pairs

    assert shadow == paired([("keep", "review")])
    assert canary == paired([("review", "keep")])


def test_an_account_is_of_the_group_of_the_month_in_which_it_was_first_decided_upon() -> None:
    def by_month(accounts: Mapping[Month, Iterable[str]]) -> list[Segments]:
        of = {each: str(month) for month, names in accounts.items() for each in names}
        return [Segments("month", (str(JUNE), str(JULY)), of, 10)]

    decided = [Decided("a1", month, CONTROL, "keep", 0.1, failed=False) for month in (JULY, JUNE)]
    (found,) = seen(PaperTrials(decided), paper_rollout(), str, NOON, by_month).segments
    assert found.of == {"a1": str(JULY)}


def by_letter(accounts: Mapping[Month, Iterable[str]]) -> list[Segments]:
    """Of August there are no audit columns."""
    if AUGUST in accounts:
        raise NotFound("no audit columns")
    return [Segments("letter", ("a", "b"), {each: each[0] for names in accounts.values() for each in names}, 10)]


def test_groups_are_the_same_at_every_look_and_who_has_none_is_not_looked_at() -> None:
    nobody = seen(PaperTrials(), paper_rollout(), str, NOON, by_letter)
    trials = PaperTrials(
        [Decided(name, month, CONTROL, "keep", 0.1, failed=False) for name, month in (("a1", JULY), ("b1", AUGUST), ("b2", JULY))]
    )
    found = seen(trials, paper_rollout(), str, NOON, by_letter)
    assert [(each.column, each.groups, each.of) for each in nobody.segments] == [("letter", ("a", "b"), {})]
    assert [(each.column, each.groups, each.of) for each in found.segments] == [("letter", ("a", "b"), {"a1": "a", "b2": "b"})]


def test_a_canary_is_judged_also_where_the_keys_of_the_audit_columns_are_not() -> None:
    world = rolling()
    world.saw(400, kept_by_canary=False)

    def locked(_: Mapping[Month, Iterable[str]]) -> Sequence[Segments]:
        raise Misconfigured("keys/audit is not mounted")

    world.groups = locked
    judged = judge_rollout(world.bench, MODEL)
    assert judged.ended
    assert judged.ended.outcome is Outcome.ROLLED_BACK


def said_of_groups(judged: Judged) -> tuple[str, str]:
    found = next(each for each in judged.document.verdict.findings if each.name == "groups")
    return found.standing.value, found.text


def test_without_the_keys_of_the_audit_columns_nothing_passes_and_the_verdict_says_why() -> None:
    world = rolling()
    world.saw(400)

    def locked(_: Mapping[Month, Iterable[str]]) -> Sequence[Segments]:
        raise Misconfigured("keys/audit is not mounted")

    world.groups = locked
    judged = judge_rollout(world.bench, MODEL)
    assert judged.ended is None
    assert said_of_groups(judged) == ("insufficient", "Not judged by group: keys/audit is not mounted.")
    assert "too little is known of groups" in judged.document.verdict.sentence


def by_parity(accounts: Mapping[Month, Iterable[str]]) -> list[Segments]:
    """Groups that have accounts in both arms; of August there are no audit columns."""
    if AUGUST in accounts:
        raise NotFound("no audit columns")
    names = [each for part in accounts.values() for each in part]
    return [Segments("parity", ("0", "1"), {each: str(int(each[1:]) % 2) for each in names}, 10)]


def test_of_a_month_without_audit_columns_nothing_passes_as_soon_as_a_group_may_be_in_it() -> None:
    world = rolling(limits=replace(FEW, groups={"parity": ("0", "1")}))
    world.saw(400)
    world.groups = by_parity
    late = [Decided(f"b{number}", AUGUST, CANARY, "keep", 0.1, failed=False) for number in range(1_000, 1_009)]
    world.trials.arms += late
    assert seen(world.trials, world.begun, str, NOON, by_parity).ungrouped == ""

    world.trials.arms.append(Decided("b1009", AUGUST, CANARY, "keep", 0.1, failed=False))
    judged = judge_rollout(world.bench, MODEL)
    assert judged.ended is None
    assert "10 accounts are of months without audit columns: 2005-08" in said_of_groups(judged)[1]


def by_register(accounts: Mapping[Month, Iterable[str]]) -> list[Segments]:
    """By two columns; the audit table does not have whoever's name begins with "n", and knows of "m" by one column alone."""
    names = [each for part in accounts.values() for each in part]
    one = {each: NOT_RECORDED if each[0] in "nm" else str(int(each[1:]) % 2) for each in names}
    other = {each: NOT_RECORDED if each[0] == "n" else "0" for each in names}
    return [Segments("one", ("0", "1", NOT_RECORDED), one, 10), Segments("other", ("0", NOT_RECORDED), other, 10)]


def test_of_accounts_that_the_audit_table_does_not_have_nothing_passes_as_soon_as_a_group_may_be_in_them() -> None:
    groups = {"one": ("0", "1", NOT_RECORDED), "other": ("0", NOT_RECORDED)}
    world = rolling(limits=replace(FEW, groups=groups))
    world.saw(400)
    world.groups = by_register
    strangers = [Decided(f"n{number}", JULY, CANARY, "keep", 0.1, failed=False) for number in range(9)]
    known_by_one = [Decided(f"m{number}", JULY, CANARY, "keep", 0.1, failed=False) for number in range(9)]
    world.trials.arms += [*strangers, *known_by_one]
    assert seen(world.trials, world.begun, str, NOON, by_register).ungrouped == ""

    world.trials.arms.append(Decided("n9", JUNE, CONTROL, "keep", 0.1, failed=False))
    judged = judge_rollout(world.bench, MODEL)
    assert judged.ended is None
    assert said_of_groups(judged) == ("insufficient", "Not judged by group: 10 accounts are not in the audit table.")


def test_months_and_accounts_that_the_audit_table_does_not_have_count_together() -> None:
    decided = [Decided(f"a{number}", AUGUST, CONTROL, "keep", 0.1, failed=False) for number in range(4)]
    decided += [Decided(f"n{number}", JULY, CONTROL, "keep", 0.1, failed=False) for number in range(6)]

    def partly(accounts: Mapping[Month, Iterable[str]]) -> list[Segments]:
        if AUGUST in accounts:
            raise NotFound("no audit columns")
        return by_register(accounts)

    said = seen(PaperTrials(decided), paper_rollout(), str, NOON, partly).ungrouped
    assert said == "4 accounts are of months without audit columns: 2005-08; 6 accounts are not in the audit table"
    assert seen(PaperTrials(decided[:-1]), paper_rollout(), str, NOON, partly).ungrouped == ""
