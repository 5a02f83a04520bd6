"""The real panel, read as a bank would have met it: month by month, and no outcome before its time."""

from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.clock import Month
from models.contract import REQUEST_ROLES, Role
from models.credit_default import USE_CASE
from models.credit_default.source import BY_LABEL, BY_STATUS, MONTHS, Panel, published, table
from models.errors import Integrity, NotFound

END = date(2005, 12, 31)
days = st.dates(date(2005, 4, 1), date(2006, 1, 31))


@pytest.fixture(scope="module")
def panel() -> Panel:
    return Panel(table())


def test_there_are_five_cohorts_of_30000_accounts(panel: Panel) -> None:
    assert [str(month) for month in panel.months()] == ["2005-05", "2005-06", "2005-07", "2005-08", "2005-09"]
    for month in panel.months():
        cohort = panel.cohort(month, END)
        assert len(np.unique(cohort.columns["account_id"])) == 30_000
        assert set(cohort.columns["snapshot_month"]) == {str(month)}


@given(month=st.sampled_from(MONTHS), as_of=days)
def test_no_outcome_is_known_before_its_month_is_over(month: Month, as_of: date) -> None:
    panel = Panel({name: values[:5] for name, values in table().items()})
    if as_of < month.last_day:
        with pytest.raises(NotFound):
            panel.cohort(month, as_of)
    else:
        assert (panel.cohort(month, as_of).outcome_codes is not None) == (as_of >= month.plus(1).last_day)


def test_as_of_dates_are_inclusive(panel: Panel) -> None:
    june = Month(2005, 6)

    assert panel.cohort(june, date(2005, 7, 31)).outcome_codes is not None
    assert panel.cohort(june, date(2005, 7, 31) - timedelta(days=1)).outcome_codes is None


def test_audit_columns_are_kept_apart(panel: Panel) -> None:
    cohort = panel.cohort(Month(2005, 7), END)

    assert set(cohort.columns) == set(USE_CASE.contract.named(*REQUEST_ROLES))
    assert set(cohort.audit) == set(USE_CASE.contract.named(Role.KEY, Role.AUDIT))


def test_the_month_before_is_the_history_of_the_next(panel: Panel) -> None:
    june, july = panel.cohort(Month(2005, 6), END).columns, panel.cohort(Month(2005, 7), END).columns

    for name in ("status", "bill", "payment"):
        np.testing.assert_array_equal(june[f"{name}_0"], july[f"{name}_1"])


def test_the_outcome_is_the_status_of_the_month_after(panel: Panel) -> None:
    june, july = panel.cohort(Month(2005, 6), END), panel.cohort(Month(2005, 7), END)

    np.testing.assert_array_equal(june.outcome_codes, july.columns["status_0"])
    assert june.coding == BY_STATUS


def test_the_last_outcome_is_the_published_label(panel: Panel) -> None:
    september = panel.cohort(Month(2005, 9), END)

    assert september.coding == BY_LABEL
    assert set(np.unique(september.outcome_codes)) == {0, 1}
    assert np.mean(september.outcome_codes) == pytest.approx(0.2212)


@pytest.mark.parametrize("month", MONTHS)
def test_every_value_obeys_the_contract(panel: Panel, month: Month) -> None:
    cohort = panel.cohort(month, END)
    values = {**cohort.columns, **cohort.audit, "outcome_code": cohort.outcome_codes}

    for column in USE_CASE.contract.columns:
        found = values[column.name]
        assert np.issubdtype(found.dtype, column.dtype), column.name
        if column.codes:
            assert set(np.unique(found).tolist()) <= column.codes.keys(), column.name
        elif column.kind == "number":
            assert column.minimum <= found.min() <= found.max() <= column.maximum, column.name


def test_the_published_columns_are_restored_from_the_one_hot_ones() -> None:
    # Figures of the publication (Yeh & Lien 2009): 11,888 men; education and marriage counts of the public data set.
    counts = {
        name: dict(zip(*np.unique(table()[name], return_counts=True), strict=True)) for name in ("SEX", "EDUCATION", "MARRIAGE")
    }

    assert counts["SEX"] == {1: 11_888, 2: 18_112}
    assert counts["EDUCATION"] == {0: 14, 1: 10_585, 2: 14_030, 3: 4_917, 4: 123, 5: 280, 6: 51}
    assert counts["MARRIAGE"] == {0: 54, 1: 13_659, 2: 15_964, 3: 323}


def test_another_file_is_refused() -> None:
    with pytest.raises(Integrity, match="SHA-256"):
        published(b"ID,LIMIT_BAL\n1,2\n")
