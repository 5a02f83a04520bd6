from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import pytest

from models.bundle import PARTS, Bundle, canonical
from models.clock import FixedClock, Month, end_of_day
from models.credit_default import USE_CASE
from models.errors import Integrity, NotFound
from models.governance.explanation.reasons import Reason
from models.governance.ledger import Event
from models.lake import SNAPSHOTS
from monitoring.decisions import spelled
from monitoring.monitor import Desk, due, monitor
from monitoring.report import MonthlyReport, ReportKey, missed, newest, rows
from monitoring.sealing import DECISIONS, EXPIRED
from monitoring.verdict import Level, Suggestion
from tests import months
from tests.fakes.lake import InMemoryLake
from tests.fakes.ledger import FakeLedger
from tests.fakes.reports import FakeReportStore
from tests.fakes.statistics import ArrayStatistics

JUNE, JULY, AUGUST = Month(2005, 6), Month(2005, 7), Month(2005, 8)
RECODED = (0.68, 0.12, 0.2)
WORSE = (0.4, 0.0, 0.6)


@dataclass
class Office:
    """A champion trained on June, and a desk that monitors it."""

    clock: FixedClock = field(default_factory=lambda: FixedClock(end_of_day(date(2005, 7, 31))))
    lake: InMemoryLake = field(default_factory=InMemoryLake)
    ledger: FakeLedger = field(default_factory=FakeLedger)
    reports: FakeReportStore = field(default_factory=FakeReportStore)
    renderer: months.FakeRenderer = field(default_factory=months.FakeRenderer)
    bundles: dict[str, Bundle] = field(default_factory=dict)

    def __post_init__(self) -> None:
        trained_on = self.lake.write(SNAPSHOTS, JUNE, months.accounts(JUNE), recorded_at=end_of_day(JUNE.last_day))
        self.champion = self.known(months.bundle(self.lake, trained_on))

    def known(self, bundle: Bundle) -> Bundle:
        self.bundles[bundle.digest] = bundle
        return bundle

    @property
    def desk(self) -> Desk:
        find, loaded = self.bundles.__getitem__, months.StatusScorer
        statistics = ArrayStatistics(self.lake)
        return Desk(self.lake, statistics, self.ledger, self.reports, self.renderer, find, loaded, self.clock)

    def decide(self, month: Month, **how: Any) -> dict[str, Any]:
        columns = months.accounts(month, **how)
        months.decide(self.lake, columns, self.champion, self.clock.now())
        return columns

    def monitor(self, month: Month) -> MonthlyReport:
        return monitor(USE_CASE, month, self.desk)[1]

    def record(self, event: Event, month: str) -> None:
        self.ledger.append(
            event, model=USE_CASE.name, actor="person", at=self.clock.now(), facts={"month": month, "what": "the coding changed"}
        )


@pytest.fixture
def office() -> Office:
    return Office()


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


def lived_through(office: Office, months_: list[Month]) -> list[MonthlyReport]:
    """Each month decided, matured and reported on, one after the other."""
    found = []
    for month in months_:
        office.clock.set(end_of_day(month.last_day))
        columns = office.decide(month)
        office.clock.set(end_of_day(month.plus(1).last_day))
        months.mature(office.lake, columns, office.clock.now(), months.outcome_codes(columns, seed=month.number))
        found.append(office.monitor(month))
    return found


def test_an_immature_month_has_an_estimate_and_nothing_realised(office: Office) -> None:
    office.decide(JULY)
    found = office.monitor(JULY)
    assert found.outlook
    assert found.outlook.compared is None
    assert found.outlook.estimate.whole.rows == months.ROWS
    assert set(found.outlook.estimate.populations) == {"all", "current", "already behind"}
    (row,) = rows([found])
    assert (row.auc, row.estimated_auc) == (None, found.outlook.estimate.whole.auc)


def test_once_matured_the_estimate_stands_beside_what_was_realised(office: Office) -> None:
    (found,) = lived_through(office, [JULY])
    assert found.outlook
    assert found.performance
    assert found.outlook.compared
    auc = next(miss for miss in found.outlook.compared.misses if (miss.reading, miss.measure) == ("comparable", "auc"))
    assert auc.realised == found.performance.as_coded.whole.auc
    assert abs(auc.difference) < 0.05
    assert sum(band.rows for band in found.outlook.calibration["comparable"]) == months.ROWS


def test_an_error_band_is_there_from_the_seventh_month_on_for_each_measure(office: Office) -> None:
    found = lived_through(office, [JULY.plus(n) for n in range(7)])
    assert [len(report.outlook.bands) for report in found if report.outlook] == [0, 0, 0, 0, 0, 0, 3]
    low, high = rows(found)[-1].ranges["auc"]
    assert low < high


def test_vintages_grow_with_every_month_that_matures(office: Office) -> None:
    newest = lived_through(office, [JULY.plus(n) for n in range(3)])[-1].outlook
    assert newest
    assert [(each.month, len(each.shares)) for each in newest.vintages] == [("2005-07", 3), ("2005-08", 2), ("2005-09", 1)]
    assert list(newest.vintages[0].shares) == sorted(newest.vintages[0].shares)


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


def test_pages_show_the_same_accounts_of_training_and_of_the_month(office: Office) -> None:
    office.decide(JULY)
    office.monitor(JULY)
    drawn = office.renderer.drawn[0]
    assert sorted(drawn["reference"]["account_id"]) == sorted(drawn["current"]["account_id"])
    np.testing.assert_allclose(drawn["reference"]["probability"], months.probabilities(drawn["reference"]))


def test_a_page_that_cannot_be_drawn_costs_no_figures(office: Office) -> None:
    office.decide(JULY)
    office.renderer.broken = True
    report = office.monitor(JULY)
    assert (report.documents, report.reconciliation) == ((), ())
    assert report.notes == ("A page is missing: the page could not be drawn",)
    assert report.score


def test_a_drift_page_is_drawn_once_for_the_same_decisions(office: Office) -> None:
    office.decide(JULY)
    first, again = office.monitor(JULY), office.monitor(JULY)
    assert len(office.renderer.drawn) == 1
    assert (again.documents, again.reconciliation) == (first.documents, first.reconciliation)
    for key in office.reports.keys(USE_CASE.name):
        assert office.reports.document(key, "drift.html") == b"<p>drift</p>"


def test_late_decisions_get_a_new_drift_page(office: Office) -> None:
    office.decide(JULY, rows=1_900)
    office.monitor(JULY)
    office.decide(JULY)
    office.monitor(JULY)
    assert len(office.renderer.drawn) == 2


def test_a_page_that_could_not_be_drawn_is_drawn_the_next_time(office: Office) -> None:
    office.decide(JULY)
    office.renderer.broken = True
    office.monitor(JULY)
    office.renderer.broken = False
    assert [document.name for document in office.monitor(JULY).documents] == ["drift.html"]


def test_training_data_that_are_gone_cost_the_drift_page_only(office: Office) -> None:
    gone = replace(office.lake.history(SNAPSHOTS, JUNE)[0], digest="0" * 64)
    lineage = {"partitions": [{"table": SNAPSHOTS, "month": "2005-06", "version": 1, "digest": gone.digest}]}
    parts = {name: data for name, data in office.champion.files.items() if name != "manifest.json"}
    office.champion = office.known(Bundle.seal(USE_CASE.name, parts, lineage=lineage))
    office.decide(JULY)
    report = office.monitor(JULY)
    assert report.documents == ()
    assert "no snapshots 2005-06" in report.notes[0]


def test_too_few_decisions_get_no_pages(office: Office) -> None:
    office.decide(JULY, rows=100)
    report = office.monitor(JULY)
    assert report.documents == ()
    assert [finding.kind for finding in report.verdict.findings] == ["insufficient"]


def test_every_figure_names_the_partition_it_came_from(office: Office) -> None:
    columns = office.decide(JULY)
    office.clock.set(end_of_day(date(2005, 8, 31)))
    months.mature(office.lake, columns, office.clock.now(), months.outcome_codes(columns))
    assert [(source.table, source.month) for source in office.monitor(JULY).sources] == [
        ("decisions", "2005-07"),
        ("outcomes", "2005-07"),
    ]


def test_the_newest_month_and_the_newest_matured_one_are_due(office: Office) -> None:
    assert due(USE_CASE, office.desk) == []
    columns = office.decide(JULY)
    assert due(USE_CASE, office.desk) == [JULY]
    office.clock.set(end_of_day(date(2005, 8, 31)))
    office.decide(AUGUST)
    months.mature(office.lake, columns, office.clock.now(), months.outcome_codes(columns))
    assert due(USE_CASE, office.desk) == [AUGUST, JULY]


def test_a_month_that_was_never_reported_on_is_due_and_one_to_come_is_not(office: Office) -> None:
    office.decide(JULY)
    office.decide(AUGUST)
    assert due(USE_CASE, office.desk) == [JULY], "it is July: August has not begun"
    office.clock.set(end_of_day(date(2005, 8, 31)))
    assert due(USE_CASE, office.desk) == [AUGUST, JULY]
    monitor(USE_CASE, JULY, office.desk)
    assert due(USE_CASE, office.desk) == [AUGUST]


def test_outcomes_of_two_months_that_come_at_once_make_both_due(office: Office) -> None:
    july = office.decide(JULY)
    office.monitor(JULY)
    office.clock.set(end_of_day(date(2005, 9, 30)))
    august = office.decide(AUGUST)
    office.monitor(AUGUST)
    for columns in (july, august):
        months.mature(office.lake, columns, office.clock.now(), months.outcome_codes(columns))
    assert due(USE_CASE, office.desk) == [AUGUST, JULY]
    for month in (JULY, AUGUST):
        assert office.monitor(month).performance
    assert due(USE_CASE, office.desk) == [AUGUST]


def test_a_month_is_due_again_once_its_outcomes_were_restated_or_decisions_came_after_its_report(office: Office) -> None:
    columns = office.decide(JULY)
    office.clock.set(end_of_day(date(2005, 9, 30)))
    months.mature(office.lake, columns, office.clock.now(), months.outcome_codes(columns))
    office.monitor(JULY)
    august = office.decide(AUGUST)
    months.mature(office.lake, august, office.clock.now(), months.outcome_codes(august))
    office.monitor(AUGUST)
    assert due(USE_CASE, office.desk) == [AUGUST]
    months.mature(office.lake, columns, office.clock.now(), months.outcome_codes(columns)[::-1])
    assert due(USE_CASE, office.desk) == [AUGUST, JULY]
    office.monitor(JULY)
    months.decide(office.lake, {name: values[:900] for name, values in columns.items()}, office.champion, office.clock.now())
    assert due(USE_CASE, office.desk) == [AUGUST, JULY]


def test_a_month_whose_report_is_damaged_is_reported_on_anew_and_keeps_no_later_month_from_it(office: Office) -> None:
    class Damaged(FakeReportStore):
        damaged: ReportKey | None = None

        def read(self, key: ReportKey) -> MonthlyReport:
            if key == self.damaged:
                raise Integrity("the report is damaged", hint="run the monitoring of that month again")
            return super().read(key)

    office.reports = store = Damaged()
    office.decide(JULY)
    store.damaged = monitor(USE_CASE, JULY, office.desk)[0]
    office.clock.set(end_of_day(date(2005, 8, 31)))
    office.decide(AUGUST)
    assert due(USE_CASE, office.desk) == [AUGUST, JULY]
    for month in (JULY, AUGUST):  # oldest first, as the flow does
        assert office.monitor(month).decisions
    assert due(USE_CASE, office.desk) == [AUGUST]


def test_an_older_month_that_is_read_anew_is_not_held_by_what_came_up_later(office: Office) -> None:
    office.decide(JULY)
    office.clock.set(end_of_day(date(2005, 8, 31)))
    office.decide(AUGUST)
    office.record(Event.HOLD_OPENED, str(AUGUST))
    assert [office.monitor(month).verdict.level for month in (JULY, AUGUST)] == [Level.GREEN, Level.HELD]
    office.record(Event.HOLD_OPENED, str(JUNE))
    assert office.monitor(JULY).verdict.level is Level.HELD


def test_a_month_is_not_measured_by_its_own_miss(office: Office) -> None:
    columns = office.decide(JULY)
    office.clock.set(end_of_day(date(2005, 9, 30)))
    months.mature(office.lake, columns, office.clock.now(), months.outcome_codes(columns))
    office.monitor(JULY)
    assert missed(office.reports, USE_CASE.name, str(JULY)) == []
    assert {miss.month for miss in missed(office.reports, USE_CASE.name, str(AUGUST))} == {str(JULY)}


def test_a_drift_page_of_a_release_that_did_not_check_it_is_drawn_anew(office: Office) -> None:
    office.decide(JULY)
    report = office.monitor(JULY)
    unchecked = tuple(each.model_copy(update={"recomputed": None}) for each in report.reconciliation)
    office.reports.add(report.model_copy(update={"reconciliation": unchecked}), {"drift.html": b"old"})
    assert len(office.renderer.drawn) == 1
    assert all(each.recomputed is not None for each in office.monitor(JULY).reconciliation)
    assert len(office.renderer.drawn) == 2


def test_a_month_of_which_inputs_were_deleted_is_not_judged_any_more(office: Office) -> None:
    office.decide(JULY)
    (sealed,) = office.lake.versions(DECISIONS)
    facts = {**sealed.facts, EXPIRED: "1"}
    office.lake.write(DECISIONS, JULY, office.lake.read([sealed]), recorded_at=office.clock.now(), facts=facts)
    assert due(USE_CASE, office.desk) == []


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
