"""What people type is read, or refused by name before anything starts."""

from argparse import ArgumentTypeError
from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest

from models.clock import Month, end_of_day
from pipelines.commands.arguments import day, instant, month, trials


@pytest.mark.parametrize("text", ["0", "1", "-4", "many", "2.5", ""])
def test_a_number_of_trials_that_is_none_is_refused_and_never_means_the_default(text: str) -> None:
    with pytest.raises(ArgumentTypeError, match="is not a number of trials; give 2 or more, or leave it out"):
        trials(text)


@pytest.mark.parametrize(
    ("read", "text"), [(day, "31.8.2005"), (day, "2005-02-30"), (month, "2005-13"), (month, "May"), (instant, "yesterday")]
)
def test_what_cannot_be_read_is_refused_by_name(read: Callable[[str], object], text: str) -> None:
    with pytest.raises(ArgumentTypeError, match=f"'{text}' is not a"):
        read(text)


@pytest.mark.parametrize(
    ("read", "text", "found"),
    [
        (trials, "2", 2),
        (day, "2005-08-31", date(2005, 8, 31)),
        (month, "2005-08", Month(2005, 8)),
        (instant, "2005-09-15T12:00", datetime(2005, 9, 15, 12, tzinfo=UTC)),
        (instant, "2005-09-15T12:00+02:00", datetime(2005, 9, 15, 10, tzinfo=UTC)),
    ],
)
def test_what_can_be_read(read: Callable[[str], object], text: str, found: object) -> None:
    assert read(text) == found


def test_a_day_is_known_to_its_end() -> None:
    assert instant("2005-09-15") == end_of_day(date(2005, 9, 15))
