"""Which months are due, and which of them have not come."""

from datetime import UTC, date, datetime, time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.clock import Month, end_of_day
from models.lake import SNAPSHOTS
from models.usecase import Cohort
from pipelines.freshness import between, missing
from tests.fakes.lake import InMemoryLake

START = Month(2005, 5)
months = st.integers(0, 30).map(START.plus)


class Feed:
    """A source that says which months it has; `last` is None while it goes on."""

    def __init__(self, offered: set[Month], last: Month | None = None) -> None:
        self._offered, self._last = offered, last

    def months(self) -> list[Month]:
        return sorted(self._offered)

    def last(self) -> Month | None:
        return self._last

    def cohort(self, month: Month, as_of: date) -> Cohort:
        raise AssertionError("what is due must not depend on what can be read")


def lake_with(*held: Month) -> InMemoryLake:
    lake = InMemoryLake()
    for month in held:
        lake.write(SNAPSHOTS, month, {"account_id": np.array(["A1"])}, recorded_at=end_of_day(month.last_day))
    return lake


def lost(offered: set[Month], as_of: date, *held: Month, last: Month | None = None, now: datetime | None = None) -> list[str]:
    return [str(month) for month in missing(Feed(offered, last), lake_with(*held), as_of, now or end_of_day(as_of))]


MAY, JUNE, JULY, AUGUST = (Month(2005, number) for number in range(5, 9))


def test_a_gap_between_months_is_missing() -> None:
    assert lost({MAY, JULY}, JULY.last_day) == ["2005-06"]


def test_a_gap_is_seen_across_what_the_lake_has_and_what_the_source_offers() -> None:
    assert lost({AUGUST}, AUGUST.last_day, MAY, JUNE) == ["2005-07"]


def test_the_newest_months_are_missing_though_no_later_one_gives_them_away() -> None:
    assert lost({MAY, JUNE}, date(2005, 9, 2)) == ["2005-07", "2005-08"]


def test_a_month_is_due_when_its_last_day_is_over_and_not_before() -> None:
    evening = datetime.combine(JULY.last_day, time(18), UTC)
    assert lost({MAY, JUNE}, date(2005, 7, 30)) == []
    assert lost({MAY, JUNE}, JULY.last_day, now=evening) == []
    assert lost({MAY, JUNE}, JULY.last_day, now=end_of_day(JULY.last_day)) == ["2005-07"]


def test_a_day_in_the_past_misses_nothing_that_came_due_later() -> None:
    assert lost({MAY, JUNE}, JUNE.last_day, now=end_of_day(date(2026, 1, 1))) == []


def test_a_source_that_has_ended_owes_nothing_more_but_still_its_gaps() -> None:
    assert lost({MAY, JULY}, date(2026, 1, 1), last=JULY) == ["2005-06"]


def test_of_a_source_that_never_delivered_nothing_is_known_to_be_due() -> None:
    assert lost(set(), AUGUST.last_day) == []


@pytest.mark.parametrize(
    ("first", "end", "count"), [(MAY, MAY, 0), (MAY, JULY, 2), (JULY, MAY, 0), (Month(2005, 12), Month(2006, 2), 2)]
)
def test_the_months_between(first: Month, end: Month, count: int) -> None:
    assert between(first, end) == [first.plus(index) for index in range(count)]


@given(st.sets(months, min_size=1), st.sets(months), months)
def test_what_came_and_what_is_missing_make_up_the_calendar(offered: set[Month], held: set[Month], newest: Month) -> None:
    found = missing(Feed(offered), lake_with(*held), newest.last_day, end_of_day(newest.last_day))
    came = {month for month in offered | held if month <= newest}
    assert not set(found) & came
    assert sorted([*found, *came]) == between(min(offered | held), newest.plus(1))
