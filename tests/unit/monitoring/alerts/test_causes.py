"""When a finding calls somebody, and how urgently."""

from typing import get_args

import pytest

from models.alerting import Alerting, Severity
from monitoring.alerts.causes import causes, standing
from monitoring.alerts.kinds import KINDS, Nature
from monitoring.report import MonthlyReport
from monitoring.verdict import Finding, Kind, Level
from tests.alerting import LIMITS, finding, month

SHIFTED = finding("score_shift", level=Level.AMBER)


def called(*reports: MonthlyReport, alerting: Alerting | None = None) -> dict[tuple[str, str], Severity]:
    found = causes(reports, LIMITS, alerting or Alerting())
    return {(cause.kind, cause.subject): cause.severity for cause in found}


def test_every_finding_but_that_of_other_versions_is_a_kind_of_alert() -> None:
    assert set(get_args(Kind)) - set(KINDS) == {"other_bundles"}


@pytest.mark.parametrize("kind", [kind for kind, each in KINDS.items() if each.nature is Nature.INVARIANT])
def test_a_broken_invariant_pages_in_its_first_window(kind: Kind) -> None:
    broken = finding(kind, "status_0")
    if KINDS[kind].speaks == "clock":
        (found,) = standing([broken], "2005-11-01", "credit_default", Alerting())
        assert found.severity is Severity.PAGE
    else:
        assert called(month("2005-08"), month("2005-09", broken, matured=True)) == {(kind, "status_0"): Severity.PAGE}


def test_a_statistical_limit_warns_in_its_first_window() -> None:
    assert called(month("2005-08"), month("2005-09", SHIFTED)) == {("score_shift", "score"): Severity.WARNING}


def test_it_pages_when_two_of_three_windows_and_the_latest_pass_it() -> None:
    quiet, passed = month("2005-08"), month("2005-07", SHIFTED)

    (found,) = causes([month("2005-09", SHIFTED), quiet, passed], LIMITS, Alerting())

    assert (found.severity, found.windows, found.since) == (Severity.PAGE, ("2005-07", "2005-09"), "2005-09")


def test_two_windows_that_are_over_call_nobody() -> None:
    assert called(month("2005-07", SHIFTED), month("2005-08", SHIFTED), month("2005-09")) == {}


def test_windows_longer_ago_than_the_policy_looks_at_do_not_count() -> None:
    long_ago = [month("2005-05", SHIFTED), month("2005-06"), month("2005-07")]

    assert called(*long_ago, month("2005-08", SHIFTED)) == {("score_shift", "score"): Severity.WARNING}


def test_an_input_that_is_coded_otherwise_is_not_called_shifted_too() -> None:
    recoded, shifted, other = (
        finding("code_mix", "status_0"),
        finding("input_shift", "status_0"),
        finding("input_shift", "bill_0"),
    )

    assert called(month("2005-09", shifted, recoded, other)) == {
        ("code_mix", "status_0"): Severity.PAGE,
        ("input_shift", "bill_0"): Severity.WARNING,
    }


def test_one_input_after_another_is_no_repetition() -> None:
    first, second = (finding("input_shift", name, Level.AMBER) for name in ("bill_0", "payment_0"))

    assert called(month("2005-08", first), month("2005-09", second)) == {("input_shift", "payment_0"): Severity.WARNING}


def test_concept_drift_pages_in_the_first_matured_window() -> None:
    """The month decided on last has no outcomes yet: it does not silence the one that has."""
    fell = finding("auc_drop", "all")

    assert called(month("2005-08", fell, matured=True), month("2005-09")) == {("auc_drop", "all"): Severity.PAGE}


def test_what_is_said_of_inputs_of_a_matured_month_is_over_when_the_newest_month_is_quiet() -> None:
    assert called(month("2005-08", finding("code_mix", "status_0"), matured=True), month("2005-09")) == {}


def test_decisions_follow_the_score_and_never_page() -> None:
    mix = finding("decision_shift", "decisions", Level.AMBER)

    assert called(*(month(name, mix) for name in ("2005-07", "2005-08", "2005-09"))) == {
        ("decision_shift", "decisions"): Severity.WARNING
    }


def test_a_use_case_may_make_a_kind_milder() -> None:
    milder = Alerting(severities={"volume": Severity.WARNING})

    assert called(month("2005-09", finding("volume", "2005-09")), alerting=milder) == {("volume", ""): Severity.WARNING}


def test_the_same_of_the_month_as_a_whole_is_one_alert_through_the_months() -> None:
    (found,) = causes([month(name, finding("volume", name)) for name in ("2005-08", "2005-09")], LIMITS, Alerting())

    assert (found.subject, found.since, found.window) == ("", "2005-08", "2005-09")


def test_a_quiet_month_and_no_month_call_nobody() -> None:
    assert called() == called(month("2005-09", finding("other_bundles", "2005-09", Level.GREEN))) == {}


def test_pages_come_before_warnings() -> None:
    found = causes([month("2005-09", SHIFTED, finding("missing", "2005-09"))], LIMITS, Alerting())

    assert [cause.kind for cause in found] == ["missing", "score_shift"]


def test_the_evidence_is_the_report_of_the_month() -> None:
    (found,) = causes([month("2005-09", SHIFTED)], LIMITS, Alerting())

    assert found.evidence == "/models/credit_default/reports/2005-09"


def test_what_is_late_or_held_stays_about_its_own_month() -> None:
    told = [
        finding("outcomes_late", "2005-08"),
        Finding(kind="hold", level=Level.HELD, subject="2005-09 status_0", text="h"),
        finding("unavailable", "service"),
        finding("report_late", "", Level.AMBER),
    ]

    found = {cause.kind: cause.window for cause in standing(told, "2005-11-01", "credit_default", Alerting())}

    assert found == {
        "outcomes_late": "2005-08",
        "hold": "2005-09 status_0",
        "unavailable": "2005-11-01",
        "report_late": "2005-11-01",
    }
