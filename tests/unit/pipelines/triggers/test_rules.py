"""Each trigger fires on its own evidence, and on nothing else."""

from dataclasses import replace
from datetime import timedelta

import pytest

from models.clock import end_of_day
from models.governance.retrainings import Trigger, TriggerKind
from models.policy import ReReview, RetrainingRules
from monitoring.verdict import Level
from pipelines.triggers.rules import fired
from pipelines.triggers.situation import Seen
from tests.situations import CHAMPION, OCTOBER, cohorts, finding, reported, situation

NONE = RetrainingRules()
AMBER = finding("favourable_rate", Level.AMBER, "Fewer are kept.")


def only(found: list[Trigger]) -> Trigger:
    (trigger,) = found
    return trigger


def test_nothing_fires_in_a_quiet_month() -> None:
    assert fired(situation(reported("2005-10")), RetrainingRules(every_months=12, matured_cohorts=6, re_review=ReReview())) == []


def test_realised_performance_and_drift_are_told_apart_and_each_cites_its_own_report() -> None:
    drifted = reported("2005-10", finding("input_shift", text="bill_0 has shifted."))
    worse = reported("2005-09", finding("calibration", text="20 % went bad."))

    performance, drift = fired(situation(drifted, worse), NONE)
    assert (performance.kind, performance.sentence, performance.evidence) == (
        TriggerKind.PERFORMANCE,
        "20 % went bad.",
        (worse.cited,),
    )
    assert (drift.kind, drift.sentence, drift.evidence) == (TriggerKind.DRIFT, "bill_0 has shifted.", (drifted.cited,))


def test_drift_of_which_the_meaning_is_not_settled_is_no_trigger() -> None:
    assert fired(situation(reported("2005-10", finding("input_shift"), finding("code_mix"))), NONE) == []


@pytest.mark.parametrize(("fresh", "fires"), [(0, False), (2, False), (3, True)])
def test_cohorts_that_matured_since_are_a_trigger_from_the_policys_number_on(fresh: int, *, fires: bool) -> None:
    champion = replace(CHAMPION, fresh=cohorts(fresh))
    found = fired(situation(champion=champion), RetrainingRules(matured_cohorts=3))
    assert bool(found) is fires
    if fires:
        assert (only(found).kind, only(found).evidence) == (TriggerKind.MATURED, champion.fresh)


@pytest.mark.parametrize(("months", "fires"), [(1, True), (2, True), (3, False), (None, False)])
def test_the_schedule_asks_for_a_new_champion_by_the_age_of_what_it_knows(months: int | None, *, fires: bool) -> None:
    assert bool(fired(situation(), RetrainingRules(every_months=months))) is fires  # as of August; it is October


@pytest.mark.parametrize(("days", "fires"), [(29, True), (30, True), (31, False)])
def test_an_approval_that_is_about_to_end_calls_for_a_review(days: int, *, fires: bool) -> None:
    champion = replace(CHAMPION, approved_until=end_of_day(OCTOBER) + timedelta(days=days))
    found = fired(situation(champion=champion), RetrainingRules(re_review=ReReview(approval_days=30)))
    assert [trigger.kind for trigger in found] == [TriggerKind.RE_REVIEW] * fires


MONTHS = ("2005-10", "2005-09", "2005-08")


def test_a_small_finding_that_lasts_calls_for_a_review_and_cites_every_month() -> None:
    reports = [reported(month, AMBER) for month in MONTHS]
    trigger = only(fired(situation(before=reports), RetrainingRules(re_review=ReReview())))
    assert (trigger.kind, trigger.sentence) == (TriggerKind.RE_REVIEW, "For 3 months in a row: Fewer are kept.")
    assert trigger.evidence == tuple(seen.cited for seen in reports)


@pytest.mark.parametrize(
    "reports",
    [
        [reported(month, AMBER) for month in MONTHS[:2]],
        [reported(month, AMBER) for month in ("2005-10", "2005-09", "2005-07")],
        [reported("2005-10", AMBER), reported("2005-09"), reported("2005-08", AMBER)],
        [*(reported(month, AMBER) for month in MONTHS[:2]), reported("2005-08", AMBER, bundle="d" * 64)],
        [*(reported(month, AMBER) for month in MONTHS[:2]), reported("2005-08", AMBER.model_copy(update={"subject": "other"}))],
    ],
    ids=["too few", "a month between", "not in the middle", "another model", "another subject"],
)
def test_a_small_finding_that_comes_and_goes_does_not(reports: list[Seen]) -> None:
    assert fired(situation(before=reports), RetrainingRules(re_review=ReReview())) == []
