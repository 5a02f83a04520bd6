"""Which months are reported on now: those of which the newest report does not know what is known."""

from datetime import date

from models.clock import end_of_day
from models.credit_default import USE_CASE
from models.errors import Integrity
from models.governance.ledger import Event
from monitoring.monitor import due, monitor
from monitoring.report import MonthlyReport, ReportKey, missed
from monitoring.sealing import DECISIONS, EXPIRED
from monitoring.verdict import Level
from tests import months
from tests.desks import AUGUST, JULY, JUNE, Office
from tests.fakes.reports import FakeReportStore


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


def test_a_month_of_which_inputs_were_deleted_is_not_judged_any_more(office: Office) -> None:
    office.decide(JULY)
    (sealed,) = office.lake.versions(DECISIONS)
    facts = {**sealed.facts, EXPIRED: "1"}
    office.lake.write(DECISIONS, JULY, office.lake.read([sealed]), recorded_at=office.clock.now(), facts=facts)
    assert due(USE_CASE, office.desk) == []
