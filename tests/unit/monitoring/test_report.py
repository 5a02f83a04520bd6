import json

import pytest
from pydantic import ValidationError

from models.clock import Month, end_of_day
from models.credit_default import USE_CASE
from monitoring.monitor import monitor
from monitoring.report import MonthlyReport, counting, newest, rows
from tests import months
from tests.alerting import month
from tests.unit.monitoring.test_monitor import JULY, Office


@pytest.fixture
def office() -> Office:
    return Office()


def test_a_report_survives_json(office: Office) -> None:
    columns = office.decide(JULY)
    office.clock.set(end_of_day(Month(2005, 8).last_day))
    months.mature(office.lake, columns, office.clock.now(), months.outcome_codes(columns))
    report = office.monitor(JULY)
    assert MonthlyReport.from_dict(json.loads(json.dumps(report.to_dict()))) == report


def test_a_report_with_a_field_that_nobody_knows_is_refused(office: Office) -> None:
    report = office.monitor(JULY).to_dict()
    with pytest.raises(ValidationError):
        MonthlyReport.from_dict(report | {"surprise": 1})


def test_a_row_leaves_unknown_figures_open(office: Office) -> None:
    office.decide(JULY)
    (row,) = rows([office.monitor(JULY)])
    assert (row.auc, row.actual, row.comparable_auc) == (None, None, None)
    assert row.psi_score is not None
    assert row.psi_max is not None
    assert row.psi_max_input in USE_CASE.contract.inputs


def test_rows_come_oldest_month_first_whatever_the_order_given(office: Office) -> None:
    reports = [office.monitor(each) for each in (Month(2005, 8), Month(2005, 7))]
    assert [row.month for row in rows(reports)] == ["2005-07", "2005-08"]


def test_alerts_are_findings_that_change_the_colour(office: Office) -> None:
    office.decide(JULY, rows=100)
    (row,) = rows([office.monitor(JULY)])
    assert row.alerts == ("Only 100 decisions: too few for statistics, which need 500.",)


def test_the_newest_report_of_each_month_newest_month_first(office: Office) -> None:
    for each in (Month(2005, 7), Month(2005, 8), Month(2005, 7)):
        last, _ = monitor(USE_CASE, each, office.desk)
    found = [key for key, _ in newest(office.reports, USE_CASE.name)]
    assert [key.month for key in found] == ["2005-08", "2005-07"]
    assert found[1] == last


def test_the_newest_month_and_the_newest_matured_one_say_how_a_model_is_now() -> None:
    told = [month("2005-10"), month("2005-09"), month("2005-08", matured=True), month("2005-07", matured=True)]
    assert [report.month for report in counting(told)] == ["2005-10", "2005-08"]
    assert [report.month for report in counting(told[2:])] == ["2005-08"]
    assert counting([]) == []
