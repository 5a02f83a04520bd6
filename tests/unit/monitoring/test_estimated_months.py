"""What was estimated of a month beside what came true, month after month."""

from models.clock import Month, end_of_day
from monitoring.report import MonthlyReport, rows
from tests import months
from tests.desks import JULY, Office


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
