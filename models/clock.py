"""Time is injected: nothing else in the platform asks the machine what time it is."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Protocol, Self

from models.errors import Misconfigured


class Clock(Protocol):
    def now(self) -> datetime:
        """The current instant, aware, in UTC."""
        ...


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)


class FixedClock:
    """A clock that only moves when it is told to: tests and replays."""

    def __init__(self, instant: datetime) -> None:
        self._instant = instant

    def now(self) -> datetime:
        return self._instant

    def set(self, instant: datetime) -> None:
        self._instant = instant


class FileClock:
    """A clock read from a file, so that several processes can live in the same replayed month."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def now(self) -> datetime:
        try:
            return datetime.fromisoformat(self._path.read_text().strip())
        except (OSError, ValueError) as error:
            raise Misconfigured(f"{self._path} holds no instant", hint="STEWARD_CLOCK_FILE is for replays; unset it") from error

    def set(self, instant: datetime) -> None:
        waiting = self._path.with_suffix(".tmp")
        waiting.write_text(instant.isoformat())
        waiting.replace(self._path)


def end_of_day(day: date) -> datetime:
    """As-of dates are inclusive: the last microsecond of `day`, UTC."""
    return datetime.combine(day, time.max, UTC)


@dataclass(frozen=True, order=True)
class Month:
    """A calendar month. `str(Month(2005, 7)) == "2005-07"`."""

    year: int
    number: int

    @classmethod
    def parse(cls, text: str) -> Self:
        year, number = text.split("-")
        if not 1 <= int(number) <= 12:
            raise ValueError(f"{text!r} is not a month; write it as 2005-07")
        return cls(int(year), int(number))

    @classmethod
    def of(cls, day: date) -> Self:
        return cls(day.year, day.month)

    def __str__(self) -> str:
        return f"{self.year:04d}-{self.number:02d}"

    def plus(self, months: int) -> "Month":
        index = self.year * 12 + self.number - 1 + months
        return Month(index // 12, index % 12 + 1)

    @property
    def first_day(self) -> date:
        return date(self.year, self.number, 1)

    @property
    def last_day(self) -> date:
        return self.plus(1).first_day - timedelta(days=1)
