"""From what was seen to a verdict: go on, roll back, or ask for promotion."""

from collections.abc import Mapping
from dataclasses import replace
from math import nan

import numpy as np
import pytest

from models.governance.fairness.groups import NOT_RECORDED
from models.guardrails import Guardrails
from monitoring.rollout.family import Paths
from monitoring.rollout.findings import Finding, Standing
from monitoring.rollout.judge import OTHER_GROUPS, POINTS, Seen, State, Verdict, judge
from monitoring.rollout.losses import evidence
from monitoring.rollout.observations import Pairs, Segments, Service, first_per_account, paired
from tests.rollouts import AGREED, LIMITS, SOUND, observed


def seen(count: int = 5_000, kept: tuple[float, float] = (0.6, 0.6), days: float = 3) -> Seen:
    return Seen(days, tuple(observed(count, kept)), SOUND, SOUND, AGREED)


def canary(given: Seen, limits: Guardrails = LIMITS, share: float = 0.5) -> Verdict:
    return judge(given, limits, mode="canary", share=share)


def finding(verdict: Verdict, name: str) -> Finding:
    return next(each for each in verdict.findings if each.name == name)


def test_alike_arms_on_enough_accounts_ask_for_promotion() -> None:
    verdict = canary(seen())

    assert verdict.state is State.ASK_FOR_PROMOTION
    assert {each.standing for each in verdict.findings} == {Standing.WITHIN}
    assert verdict.unseen == "No groups were judged: the policy has no fairness limits."
    assert verdict.sentence.endswith(verdict.unseen)


def test_alike_arms_on_too_few_accounts_go_on() -> None:
    verdict = canary(seen(3_999))

    assert verdict.state is State.GO_ON
    assert "3,999 of 4,000 accounts were seen" in verdict.sentence


def test_a_drop_in_favourable_decisions_is_rolled_back_and_named() -> None:
    verdict = canary(seen(kept=(0.6, 0.5)))

    assert verdict.state is State.ROLL_BACK
    assert finding(verdict, "favourable").standing is Standing.OUTSIDE
    assert finding(verdict, "favourable").e_value > 1 / LIMITS.false_alarms  # type: ignore[operator]
    assert "are favoured" in verdict.sentence


def test_the_family_alarms_at_twenty_times_what_it_began_with_and_not_before() -> None:
    paths = Paths({}, np.log([1.0, 12.0, 19.99, 20.01, 5.0]))

    assert paths.alarmed(LIMITS) == 4
    assert Paths({}, paths.whole[:3]).alarmed(LIMITS) is None


def test_a_canary_between_ten_and_twenty_goes_on() -> None:
    verdict = canary(seen(3_300, kept=(0.6, 0.55)))

    assert 10 < max(verdict.trace.e_values["family"]) < 20
    assert verdict.state is State.GO_ON


def test_a_rise_in_favourable_decisions_is_no_drop() -> None:
    assert finding(canary(seen(kept=(0.6, 0.65))), "favourable").standing is Standing.WITHIN


def test_who_was_alarmed_once_stays_alarmed() -> None:
    """Looking later, when the arms have become alike again, does not undo it."""
    harmed = [*observed(5_000, (0.6, 0.5)), *(replace(each, account=f"b{each.account}") for each in observed(60_000, seed=6))]
    verdict = canary(replace(seen(), observations=harmed))

    assert finding(verdict, "favourable").e_value < finding(verdict, "favourable").e_limit  # type: ignore[operator]
    assert verdict.state is State.ROLL_BACK


def test_only_the_first_answer_to_an_account_counts() -> None:
    given = seen(2_000)
    again = [replace(each, action="reduce", probability=0.9) for each in given.observations if each.arm == "canary"]

    verdict = canary(replace(given, observations=[*given.observations, *again, *again]))

    assert verdict == canary(given)
    assert len(first_per_account([*given.observations, *again])) == 2_000


def test_arms_that_are_not_as_they_were_drawn_are_rolled_back() -> None:
    """Somebody else chose who goes where, or answers are lost in one arm: then nothing else can be believed either."""
    given = [each for number, each in enumerate(observed(5_000)) if each.arm == "control" or number % 3]

    verdict = canary(replace(seen(), observations=given))

    assert finding(verdict, "arms").standing is Standing.OUTSIDE


def test_failures_of_the_canary_alone_are_rolled_back() -> None:
    failing = [
        replace(each, action="", probability=nan, failed=True) if number % 50 == 0 and each.arm == "canary" else each
        for number, each in enumerate(observed(5_000))
    ]

    verdict = canary(replace(seen(), observations=failing))

    assert finding(verdict, "failures").standing is Standing.OUTSIDE


def test_other_actions_are_seen_where_the_favourable_ones_are_as_many() -> None:
    harsh = [
        replace(each, action="reduce") if each.arm == "canary" and each.action == "review" else each for each in observed(5_000)
    ]

    verdict = canary(replace(seen(), observations=harsh))

    assert finding(verdict, "actions").standing is Standing.OUTSIDE
    assert finding(verdict, "favourable").standing is Standing.WITHIN


def test_another_distribution_of_the_score_is_seen_where_the_actions_are_the_same() -> None:
    moved = [
        replace(each, probability=0.15) if each.arm == "canary" and each.action == "keep" and number % 3 == 0 else each
        for number, each in enumerate(observed(5_000))
    ]

    verdict = canary(replace(seen(), observations=moved))

    assert finding(verdict, "score").standing is Standing.OUTSIDE
    assert "of the score makes up" in finding(verdict, "score").text


@pytest.mark.parametrize(
    ("name", "served"),
    [
        ("error_rate", replace(SOUND, errors=60)),
        ("error_rise", replace(SOUND, errors=40)),
        ("latency_p50", replace(SOUND, p50=0.0031)),
        ("latency_p99", replace(SOUND, p99=0.0121)),
    ],
)
def test_a_canary_that_serves_badly_is_rolled_back(name: str, served: Service) -> None:
    verdict = canary(replace(seen(), canary=served))

    assert verdict.state is State.ROLL_BACK
    assert finding(verdict, name).standing is Standing.OUTSIDE


def test_on_too_few_requests_no_limit_is_judged_and_none_is_passed() -> None:
    verdict = canary(replace(seen(), canary=Service(requests=99, errors=50, p50=1.0, p99=9.0)))

    for name in ("error_rate", "error_rise", "latency_p50", "latency_p99"):
        assert finding(verdict, name).standing is Standing.INSUFFICIENT
        assert "99 of the 100 that it needs" in finding(verdict, name).text
    assert verdict.state is State.GO_ON


def test_what_was_not_measured_is_no_pass() -> None:
    verdict = canary(replace(seen(), canary=replace(SOUND, p99=None)))

    assert verdict.state is State.GO_ON
    assert "too little is known of latency_p99" in verdict.sentence


def test_too_little_agreement_is_rolled_back() -> None:
    verdict = canary(replace(seen(), pairs=replace(AGREED, agreed=899)))

    assert verdict.state is State.ROLL_BACK
    assert finding(verdict, "agreement").standing is Standing.OUTSIDE


def test_a_roll_out_that_did_not_pass_in_time_is_ended() -> None:
    for given in (seen(500, days=LIMITS.longest_days), replace(seen(500, days=6.99999), over=True)):
        verdict = canary(given)

        assert verdict.state is State.ROLL_BACK
        assert f"its {given.days:.3g} days are over and 500 of 4,000 accounts were seen. No harm was seen." in verdict.sentence


def test_enough_on_the_last_day_is_enough() -> None:
    assert canary(replace(seen(), over=True)).state is State.ASK_FOR_PROMOTION


def test_before_anybody_was_answered_it_goes_on() -> None:
    verdict = canary(Seen(days=0))

    assert verdict.state is State.GO_ON
    assert verdict.accounts == 0


def test_it_says_that_it_tells_nothing_about_default() -> None:
    assert "nothing about default" in canary(seen()).on_default


def test_a_shadow_is_judged_on_the_same_observed() -> None:
    enough = replace(AGREED, accounts=5_000, agreed=4_900, champion_favourable=3_000, lost=80, gained=30)
    given = Seen(3, (), SOUND, SOUND, enough)

    assert judge(given, LIMITS, mode="shadow", share=0).state is State.ASK_FOR_PROMOTION
    assert "Groups and score were not judged in shadow" in judge(given, LIMITS, mode="shadow", share=0).sentence
    harsher = replace(given, pairs=replace(enough, lost=131))
    assert judge(harsher, LIMITS, mode="shadow", share=0).state is State.ROLL_BACK


def shadowed(pairs: Pairs) -> Finding:
    return finding(judge(Seen(3, (), SOUND, SOUND, pairs), LIMITS, mode="shadow", share=0), "favourable")


def test_a_shadows_drop_that_may_be_chance_ends_nothing_before_the_figure_counts() -> None:
    early = shadowed(Pairs(accounts=1_000, agreed=960, champion_favourable=600, lost=32, gained=8))
    assert (early.value, early.standing) == (0.024, Standing.INSUFFICIENT)
    assert "on 4,000 accounts the figure counts" in early.text

    late = shadowed(Pairs(accounts=4_000, agreed=3_840, champion_favourable=2_400, lost=128, gained=32))
    assert (late.value, late.standing) == (0.024, Standing.OUTSIDE)
    assert "The figure counts, on 4,000 accounts" in late.text


def test_a_shadows_drop_that_is_proven_ends_it_at_once() -> None:
    found = shadowed(Pairs(accounts=1_000, agreed=900, champion_favourable=600, lost=85, gained=15))
    assert found.standing is Standing.OUTSIDE
    assert found.e_value is not None
    assert found.e_value > 20
    assert "proven to be more" in found.text


@pytest.mark.parametrize(("true", "differ", "most"), [(0.01, 0.04, 0), (0.02, 0.04, 15)])
def test_shadows_whose_drop_is_allowed_are_seldom_ended_however_often_one_looks(true: float, differ: float, most: int) -> None:
    """300 shadows, looked at after every 50 accounts: 5 % may be ended where the drop is all that is allowed."""
    generator = np.random.default_rng(6)
    chances = [(differ + true) / 2, (differ - true) / 2, 1 - differ]
    ended = 0
    for _ in range(300):
        counts = generator.multinomial(50, chances, size=400).cumsum(axis=0)
        looks = (Pairs(int(each.sum()), 0, 0, int(each[0]), int(each[1])) for each in counts)
        ended += any(evidence(pairs, 0.02) >= 20 for pairs in looks)
    assert ended <= most


def test_pairs_are_counted_from_both_actions() -> None:
    pairs = paired([("keep", "keep"), ("keep", "review"), ("reduce", "keep"), ("keep", "reduce")])

    assert pairs == Pairs(accounts=4, agreed=1, champion_favourable=3, lost=2, gained=1)
    assert pairs.drop == 0.25


def test_the_chart_has_the_first_and_the_last_look_and_is_no_longer_than_it_must() -> None:
    trace = canary(seen()).trace

    assert trace.accounts[0] == 1
    assert trace.accounts[-1] == 5_000
    assert len(trace.accounts) <= POINTS
    assert all(len(values) == len(trace.accounts) for values in trace.e_values.values())


SEX = ("male", "female", NOT_RECORDED)


def by_sex(given: Seen, recorded: Mapping[str, str], names: tuple[str, ...] = SEX) -> Verdict:
    """With the column that was signed; whoever is not in `recorded` is not recorded."""
    of = {each.account: recorded.get(each.account, NOT_RECORDED) for each in given.observations}
    limits = replace(LIMITS, groups={"sex": SEX})
    return canary(replace(given, segments=[Segments("sex", names, of, 30)]), limits)


def test_where_nobodys_group_is_known_nothing_passes() -> None:
    verdict = by_sex(seen(), {})

    assert verdict.state is State.GO_ON
    assert finding(verdict, "favourable by sex").standing is Standing.INSUFFICIENT
    assert "nobody's group by sex is known" in finding(verdict, "favourable by sex").text


def test_a_few_whose_group_is_known_are_too_few_however_many_are_not_recorded() -> None:
    given = seen()
    verdict = by_sex(given, {each.account: "male" for each in given.observations[:40]})

    assert verdict.state is State.GO_ON
    assert finding(verdict, "favourable by sex").standing is Standing.INSUFFICIENT
    assert "fewer than two groups by sex have 30 accounts in both arms yet" in finding(verdict, "favourable by sex").text


@pytest.mark.parametrize(("each", "many"), [(1, 4_600), (2, 4_499), (2, 70)])
def test_one_group_or_many_who_are_not_recorded_are_no_pass(each: int, many: int) -> None:
    given = seen()
    verdict = by_sex(given, {one.account: SEX[number % each] for number, one in enumerate(given.observations[:many])})

    assert verdict.state is State.GO_ON
    assert f"{5_000 - many:,} of 5,000 accounts are not recorded by sex" in finding(verdict, "favourable by sex").text


def test_a_tenth_that_is_not_recorded_is_few() -> None:
    given = seen()
    verdict = by_sex(given, {one.account: SEX[number % 2] for number, one in enumerate(given.observations[:4_500])})
    assert finding(verdict, "favourable by sex").standing is Standing.WITHIN


def test_harm_to_those_who_are_not_recorded_is_found_all_the_same() -> None:
    verdict = by_sex(seen(kept=(0.6, 0.3)), {})

    assert verdict.state is State.ROLL_BACK
    assert finding(verdict, "favourable by sex").standing is Standing.OUTSIDE
    assert "Of sex not recorded, 28.6 % in the canary" in finding(verdict, "favourable by sex").text


def test_where_the_groups_are_known_and_alike_all_is_within() -> None:
    given = seen()
    verdict = by_sex(given, {each.account: SEX[number % 2] for number, each in enumerate(given.observations)})

    assert verdict.state is State.ASK_FOR_PROMOTION
    assert finding(verdict, "favourable by sex").standing is Standing.WITHIN


def test_groups_other_than_those_that_were_signed_are_said_and_nothing_passes() -> None:
    given = seen()
    recorded = {each.account: SEX[number % 2] for number, each in enumerate(given.observations)}
    verdict = by_sex(given, recorded, names=("male", "female", "other", NOT_RECORDED))

    assert verdict.state is State.GO_ON
    assert finding(verdict, "groups").standing is Standing.INSUFFICIENT
    assert OTHER_GROUPS in finding(verdict, "groups").text


def test_a_verdict_survives_being_written_and_read() -> None:
    verdict = canary(seen(300))

    assert Verdict.model_validate_json(verdict.model_dump_json()) == verdict
