"""Each injected delivery is refused or held by the ingest as it is, in the first month; an untouched one is not."""

from datetime import date

import numpy as np
import pytest

from models.errors import BatchRejected
from models.lake import SNAPSHOTS
from pipelines.drills.injectors.deliveries import Faulty, emptied, recoded, scaled, stuck
from pipelines.drills.injectors.deliveries import doubled as twice
from tests.fakes.source import AUGUST, JULY, SomeAccounts
from tests.intake import Bank

BEFORE = date(2005, 7, 31)


@pytest.fixture
def bank() -> Bank:
    """It knows May to July; August comes next."""
    made = Bank()
    made.ingest(BEFORE)
    return made


def test_the_same_delivery_without_a_fault_is_taken_in(bank: Bank) -> None:
    assert bank.ingest(AUGUST.last_day).holds == ()
    assert bank.months(SNAPSHOTS)[-1] == AUGUST


def test_last_months_file_goes_to_quarantine(bank: Bank) -> None:
    bank.source = Faulty(bank.source, AUGUST, stuck)  # type: ignore[assignment]
    with pytest.raises(BatchRejected, match=r"repeated content: 100\.0% of the rows are those of 2005-07"):
        bank.ingest(AUGUST.last_day)


def test_a_delivery_of_everything_twice_goes_to_quarantine(bank: Bank) -> None:
    bank.source = Faulty(bank.source, AUGUST, twice)  # type: ignore[assignment]
    with pytest.raises(BatchRejected, match="row count"):
        bank.ingest(AUGUST.last_day)


def test_a_recoded_status_is_held_for_a_person(bank: Bank) -> None:
    bank.source = Faulty(bank.source, AUGUST, recoded("status_0", 0, 1, 0.25))  # type: ignore[assignment]
    assert [hold.what for hold in bank.ingest(AUGUST.last_day).holds] == ["the coding of status_0 seems to have changed"]


def test_a_fault_begins_with_its_month_and_touches_only_what_it_names() -> None:
    source = SomeAccounts()
    faulty = Faulty(source, AUGUST, scaled({"bill_0": 1e-3}))
    before, now, right = (
        where.cohort(month, AUGUST.last_day) for where, month in ((faulty, JULY), (faulty, AUGUST), (source, AUGUST))
    )
    assert np.array_equal(before.columns["bill_0"], source.cohort(JULY, AUGUST.last_day).columns["bill_0"])
    assert np.allclose(now.columns["bill_0"] * 1_000, right.columns["bill_0"])
    assert all(np.array_equal(now.columns[name], right.columns[name]) for name in right.columns if name != "bill_0")


def test_values_are_emptied_in_the_share_that_is_asked_for_and_the_same_every_time() -> None:
    faulty = Faulty(SomeAccounts(), AUGUST, emptied("payment_0", 0.05))
    one, other = (np.isnan(faulty.cohort(AUGUST, AUGUST.last_day).columns["payment_0"]) for _ in range(2))
    assert np.array_equal(one, other)
    assert one.mean() == pytest.approx(0.05, abs=0.01)
