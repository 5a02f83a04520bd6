"""What people type, read: days, months, instants, lists, numbers, and numbers of trials."""

from argparse import ArgumentTypeError
from datetime import UTC, date, datetime

from models.clock import Month, end_of_day

FEWEST_TRIALS = 2  # one of each model family


def day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise ArgumentTypeError(f"{text!r} is not a day; write it as 2005-08-31") from error


def month(text: str) -> Month:
    try:
        return Month.parse(text)
    except ValueError as error:
        raise ArgumentTypeError(f"{text!r} is not a month; write it as 2005-08") from error


def instant(text: str) -> datetime:
    """A day means its end; without a zone it is UTC."""
    try:
        if len(text) == len("2005-08-31"):
            return end_of_day(date.fromisoformat(text))
        read = datetime.fromisoformat(text)
    except ValueError as error:
        raise ArgumentTypeError(f"{text!r} is not an instant; write 2005-08-31 or 2005-08-31T12:00") from error
    return read if read.tzinfo else read.replace(tzinfo=UTC)


def trials(text: str) -> int:
    """At least one for each model family: 0 does not mean the default."""
    if not text.isdecimal() or int(text) < FEWEST_TRIALS:
        raise ArgumentTypeError(f"{text!r} is not a number of trials; give {FEWEST_TRIALS} or more, or leave it out")
    return int(text)


def count(text: str) -> int:
    """A whole number above 0; underscores and commas may divide it."""
    plain = text.replace(",", "").replace("_", "")
    if not plain.isdecimal() or int(plain) < 1:
        raise ArgumentTypeError(f"{text!r} is not a number of them; write 1000000")
    return int(plain)


def listed(text: str) -> list[str]:
    """Names separated by commas."""
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names:
        raise ArgumentTypeError("it is empty; write names, separated by commas")
    return names
