"""What a monthly report says of what was decided."""

from dataclasses import replace
from datetime import UTC, date, datetime

import numpy as np
import pytest

from models.bundle import PARTS, Bundle, canonical
from models.clock import end_of_day
from models.credit_default import USE_CASE
from models.errors import NotFound
from models.governance.explanation.reasons import Reason
from models.governance.ledger import Event
from models.lake import SNAPSHOTS
from monitoring.decisions import spelled
from monitoring.monitor import monitor
from monitoring.report import newest, rows
from monitoring.sealing import DECISIONS
from monitoring.verdict import Level, Suggestion
from tests import months
from tests.desks import AUGUST, JULY, JUNE, Office

RECODED = (0.68, 0.12, 0.2)
WORSE = (0.4, 0.0, 0.6)


def test_a_quiet_month_is_green_before_and_after_its_outcomes_are_known(office: Office) -> None:
    columns = office.decide(JULY)
    before = office.monitor(JULY)
    office.clock.set(end_of_day(date(2005, 8, 31)))
    months.mature(office.lake, columns, office.clock.now(), months.outcome_codes(columns))
    after = office.monitor(JULY)

    assert (before.verdict.level, before.performance) == (Level.GREEN, None)
    assert before.maturity == "Outcomes mature on 2005-08-31; until then they are unknown, not good."
    assert after.verdict.level is Level.GREEN
    assert after.performance
    assert after.performance.as_coded.whole.rows == months.ROWS
    assert [document.name for document in after.documents] == ["drift.html", "classification.html"]


def test_a_quiet_month_has_every_statistic_and_none_that_is_beyond_its_limit(office: Office) -> None:
    office.decide(JULY)
    found = office.monitor(JULY).statistics
    assert found
    assert (found.rows, found.first) == (months.ROWS, None)
    assert {
        column.name: (column.missing, column.below, column.above, column.unseen) for column in found.quality
    } == dict.fromkeys([*USE_CASE.contract.inputs, "probability"], (0, 0, 0, 0))
    assert not any(distance.beyond_chance for distance in found.distances)
    assert {distance.name for distance in found.distances} == {
        *(name for name in USE_CASE.contract.inputs if not USE_CASE.contract[name].codes),
        "probability",
    }
    assert {segment.name: segment.score.state for segment in found.segments} == {
        "current": "stable",
        "already behind": "insufficient",
        "inactive": "insufficient",
    }


def test_a_segment_that_was_too_small_at_training_is_not_judged_however_large_it_is_now(office: Office) -> None:
    reference = dict(office.champion.part("reference.json"))
    small = reference["segments"]["current"] | {"rows": USE_CASE.policy.monitoring.minimum_rows - 1}
    parts = {name: office.champion.files[name] for name in PARTS}
    parts["reference.json"] = canonical(reference | {"segments": reference["segments"] | {"current": small}})
    office.champion = office.known(Bundle.seal(USE_CASE.name, parts, lineage=office.champion.lineage))
    office.decide(JULY)
    found = office.monitor(JULY).statistics
    assert found
    (segment,) = (each for each in found.segments if each.name == "current")
    assert segment.rows > USE_CASE.policy.monitoring.minimum_rows
    assert {segment.score.state, *(moved.state for moved in segment.inputs)} == {"insufficient"}


def test_values_that_the_contract_forbids_are_red_and_retrain_nothing(office: Office) -> None:
    columns = months.accounts(JULY)
    columns["bill_0"][:3] = [np.nan, 6e6, -6e6]
    months.decide(office.lake, columns, office.champion, office.clock.now())
    report = office.monitor(JULY)
    assert [finding.kind for finding in report.verdict.findings][:2] == ["no_value", "out_of_range"]
    assert (report.verdict.level, report.verdict.suggests) == (Level.RED, Suggestion.WAIT)


def test_a_shift_among_current_accounts_alone_is_found_though_the_whole_hides_it(office: Office) -> None:
    columns = months.accounts(JULY)
    current = columns["status_0"] <= 0
    columns["bill_0"] = np.where(current, columns["bill_0"] * 1.12, columns["bill_0"])
    months.decide(office.lake, columns, office.champion, office.clock.now())
    found = office.monitor(JULY).statistics
    assert found
    (segment,) = (each for each in found.segments if each.name == "current")
    assert segment.rows == int(current.sum())
    assert segment.share == pytest.approx(current.mean())
    whole = next(distance for distance in found.distances if distance.name == "bill_0")
    assert whole.wasserstein > 0


def test_a_retrained_champion_is_compared_with_the_first_approved_one_too(office: Office) -> None:
    office.ledger.append(
        Event.PROMOTED,
        model=USE_CASE.name,
        actor="pipeline",
        at=office.clock.now(),
        facts={"version": 1, "bundle": office.champion.digest, "reason": "the first"},
    )
    first = office.champion
    later = office.lake.write(SNAPSHOTS, JULY, months.accounts(JULY, behind=WORSE), recorded_at=end_of_day(JULY.last_day))
    office.champion = office.known(months.bundle(office.lake, later))
    office.clock.set(end_of_day(date(2005, 9, 1)))
    office.decide(AUGUST, behind=WORSE)
    report = office.monitor(AUGUST)

    assert report.score
    assert report.statistics
    assert report.score.state == "stable"
    since = report.statistics.first
    assert since
    assert (since.version, since.bundle, since.score.state) == (1, first.digest, "alarm")
    assert {moved.name: moved.state for moved in since.inputs}["status_0"] == "alarm"
    assert "since_first" in [finding.kind for finding in report.verdict.findings]


def test_a_bundle_of_before_segments_and_distances_is_monitored_without_them(office: Office) -> None:
    reference = office.champion.part("reference.json")
    older = {name: part for name, part in reference.items() if name not in ("fine", "segments", "first_reasons")}
    policy = office.champion.part("policy.json")
    limits = {name: limit for name, limit in policy["monitoring"].items() if name not in ("segments", "favourable_rate")}
    parts = {
        "reference.json": canonical(older),
        "policy.json": canonical(policy | {"monitoring": limits}),
    }
    files = {name: data for name, data in office.champion.files.items() if name in PARTS} | parts
    office.champion = office.known(Bundle.seal(USE_CASE.name, files, lineage=office.champion.lineage))
    office.decide(JULY)
    report = office.monitor(JULY)
    assert report.statistics
    assert report.outlook
    assert (report.verdict.level, report.statistics.segments, report.statistics.distances) == (Level.GREEN, (), ())
    assert (report.statistics.reasons, list(report.outlook.estimate.populations)) == (None, ["all"])


def test_a_first_approved_version_that_is_gone_costs_the_report_one_comparison(office: Office) -> None:
    def lost(digest: str) -> Bundle:
        if digest == "f" * 64:
            raise NotFound("there is no bundle ffffffffffff")
        return office.bundles[digest]

    facts = {"version": 1, "bundle": "f" * 64, "reason": "the first"}
    office.ledger.append(Event.PROMOTED, model=USE_CASE.name, actor="pipeline", at=office.clock.now(), facts=facts)
    office.decide(JULY)
    report = monitor(USE_CASE, JULY, replace(office.desk, bundle=lost))[1]
    assert report.verdict.level is Level.GREEN
    assert report.statistics
    assert report.statistics.first is None
    assert "Not compared with the first approved version: there is no bundle ffffffffffff." in report.notes


def test_other_first_reasons_than_at_training_are_said(office: Office) -> None:
    columns = months.accounts(JULY, rows=8_000)
    log = months.log_of(columns, office.champion)
    log["reasons"] = np.where(log["reasons"] != "", spelled([Reason("R4", "group", "text", 0.5)]), "")
    office.lake.write(DECISIONS, JULY, log, recorded_at=office.clock.now(), facts={"model": USE_CASE.name})
    report = office.monitor(JULY)
    assert report.statistics
    assert report.statistics.reasons
    assert report.statistics.reasons.current[3] == sum(report.statistics.reasons.current)
    assert "reason_mix" in [finding.kind for finding in report.verdict.findings]


def test_monitoring_again_adds_a_report_and_touches_none(office: Office) -> None:
    office.decide(JULY)
    first, _ = monitor(USE_CASE, JULY, office.desk)
    kept = office.reports.read(first)
    second, _ = monitor(USE_CASE, JULY, office.desk)

    assert office.reports.keys(USE_CASE.name) == [second, first]
    assert office.reports.read(first) == kept
    assert [key for key, _ in newest(office.reports, USE_CASE.name)] == [second]


def test_a_month_nobody_decided_on_is_reported_as_missing(office: Office) -> None:
    report = office.monitor(JULY)
    assert (report.verdict.level, report.decisions, report.bundle) == (Level.RED, 0, "")
    assert [finding.kind for finding in report.verdict.findings] == ["missing"]


def test_outcomes_that_are_overdue_are_not_taken_for_good_ones(office: Office) -> None:
    office.decide(JULY)
    office.clock.set(end_of_day(date(2005, 9, 10)))
    report = office.monitor(JULY)
    assert report.performance is None
    assert report.maturity == "Outcomes should have matured on 2005-08-31, but none are known: run the ingest."


def test_outcomes_recorded_before_they_matured_are_not_looked_at(office: Office) -> None:
    columns = office.decide(JULY)
    months.mature(office.lake, columns, office.clock.now(), months.outcome_codes(columns))
    assert office.monitor(JULY).performance is None


def test_a_report_knows_only_what_was_known_then(office: Office) -> None:
    office.decide(JULY)
    office.clock.set(datetime(2005, 7, 1, tzinfo=UTC))
    assert office.monitor(JULY).decisions == 0


def test_a_changed_coding_is_noticed_held_and_after_acceptance_retrained(office: Office) -> None:
    office.decide(AUGUST, behind=RECODED)
    noticed = office.monitor(AUGUST).verdict
    office.record(Event.HOLD_OPENED, "2005-08")
    held = office.monitor(AUGUST).verdict
    office.record(Event.HOLD_RELEASED, "2005-08")
    accepted = office.monitor(AUGUST).verdict

    assert (noticed.level, noticed.suggests) == (Level.RED, Suggestion.WAIT)
    assert "status_0 is coded differently: code 1" in noticed.sentence
    assert (held.level, held.suggests) == (Level.HELD, Suggestion.WAIT)
    assert (accepted.level, accepted.suggests) == (Level.RED, Suggestion.RETRAIN)


def test_a_late_month_that_released_its_own_hold_settles_no_change_of_coding(office: Office) -> None:
    office.decide(AUGUST, behind=RECODED)
    facts = {"month": "2005-08", "what": "the snapshots have not come", "column": "", "reason": "they have come"}
    office.ledger.append(Event.HOLD_RELEASED, model=USE_CASE.name, actor="ingest", at=office.clock.now(), facts=facts)
    assert office.monitor(AUGUST).verdict.suggests is Suggestion.WAIT


def test_a_hold_released_before_the_training_data_says_nothing_about_a_new_change(office: Office) -> None:
    office.record(Event.HOLD_OPENED, "2005-05")
    office.record(Event.HOLD_RELEASED, "2005-05")
    office.decide(AUGUST, behind=RECODED)
    assert office.monitor(AUGUST).verdict.suggests is Suggestion.WAIT


def test_a_drop_from_recoded_outcomes_is_put_down_to_the_definition(office: Office) -> None:
    columns = office.decide(JULY)
    office.clock.set(end_of_day(date(2005, 8, 31)))
    months.mature(office.lake, columns, office.clock.now(), months.outcome_codes(columns, recoded=True))
    report = office.monitor(JULY)

    assert [finding.kind for finding in report.verdict.findings] == ["definition"]
    assert report.performance
    assert report.performance.attribution
    assert report.performance.attribution.definition < report.performance.attribution.model


def test_the_bundle_that_answered_most_is_monitored_and_the_others_are_named(office: Office) -> None:
    columns = months.accounts(JULY)
    other = office.known(months.bundle(office.lake, office.lake.history(SNAPSHOTS, JUNE)[0], auc=0.8))
    few = {name: values[:100] for name, values in columns.items()}
    logs = months.log_of(few, other, version=2), months.log_of(columns, office.champion)
    both = {name: np.concatenate([log[name] for log in logs]) for name in logs[0]}
    office.lake.write("decisions", JULY, both, recorded_at=office.clock.now())

    report = office.monitor(JULY)

    assert (report.bundle, report.version, report.decisions) == (office.champion.digest, 1, months.ROWS)
    assert report.other_bundles == {other.digest: 100}
    assert report.score
    assert sum(report.score.current) == months.ROWS


def test_a_month_of_a_canary_is_about_the_champion_also_if_the_challenger_decided_more(office: Office) -> None:
    columns = months.accounts(JULY)
    other = office.known(months.bundle(office.lake, office.lake.history(SNAPSHOTS, JUNE)[0], auc=0.8))
    half = len(columns["account_id"]) // 2 - 100
    parts = {name: values[:half] for name, values in columns.items()}, {name: values[half:] for name, values in columns.items()}
    logs = months.log_of(parts[0], office.champion), months.log_of(parts[1], other, version=2)
    both = {name: np.concatenate([log[name] for log in logs]) for name in logs[0]}
    office.lake.write("decisions", JULY, both, recorded_at=office.clock.now())
    assert office.monitor(JULY).bundle == other.digest

    facts = {"number": 1, "challenger": other.digest}
    office.ledger.append(Event.ROLLOUT_BEGUN, model=USE_CASE.name, actor="ana", at=office.clock.now(), facts=facts)
    report = office.monitor(JULY)
    assert (report.bundle, report.decisions) == (office.champion.digest, half)
    assert report.other_bundles == {other.digest: len(columns["account_id"]) - half}

    facts = {"bundle": other.digest, "previous": office.champion.digest}
    office.ledger.append(Event.PROMOTED, model=USE_CASE.name, actor="ana", at=office.clock.now(), facts=facts)
    assert office.monitor(JULY).bundle == other.digest


def test_every_figure_names_the_partition_it_came_from(office: Office) -> None:
    columns = office.decide(JULY)
    office.clock.set(end_of_day(date(2005, 8, 31)))
    months.mature(office.lake, columns, office.clock.now(), months.outcome_codes(columns))
    assert [(source.table, source.month) for source in office.monitor(JULY).sources] == [
        ("decisions", "2005-07"),
        ("outcomes", "2005-07"),
    ]


def test_decisions_and_accounts_are_counted_apart(office: Office) -> None:
    columns = months.accounts(JULY)
    logs = months.log_of(columns, office.champion), months.log_of({k: v[:300] for k, v in columns.items()}, office.champion)
    twice = {name: np.concatenate([log[name] for log in logs]) for name in logs[0]}
    office.lake.write(DECISIONS, JULY, twice, recorded_at=office.clock.now(), facts={"model": USE_CASE.name})
    report = office.monitor(JULY)
    assert (report.decisions, report.accounts) == (months.ROWS + 300, months.ROWS)
    assert report.verdict.sentence.startswith("All quiet: 2,300 decisions on 2,000 accounts look like the training data")


def test_two_outcomes_are_neither_judged_nor_drawn_nor_shown(office: Office) -> None:
    columns = office.decide(JULY)
    office.clock.set(end_of_day(date(2005, 8, 31)))
    two = {name: values[:2] for name, values in columns.items()}
    months.mature(office.lake, two, office.clock.now(), months.outcome_codes(two))
    report = office.monitor(JULY)
    (row,) = rows([report])
    assert [document.name for document in report.documents] == ["drift.html"]
    assert "Too few outcomes for a page of them." in report.notes
    assert row.alerts == ("Outcomes are known of only 2 accounts: too few to judge, which needs 500.",)
    assert (row.predicted, row.actual, row.auc, row.brier, row.comparable_actual) == (None,) * 5
    assert (row.few_outcomes, row.few_decisions) == (True, False)
    assert row.psi_score is not None


def test_one_decision_is_said_to_be_one_and_shows_no_shift(office: Office) -> None:
    office.decide(JULY, rows=1)
    (row,) = rows([office.monitor(JULY)])
    assert row.alerts == ("Only 1 decision: too few for statistics, which need 500.",)
    assert (row.psi_score, row.psi_max, row.psi_max_input, row.few_decisions) == (None, None, "", True)
