"""A scenario is data: which months, how many accounts, and the list of shifts with their start and size.

Sizes are in units that mean the same everywhere: log-odds, and standard deviations of a factor over the pool.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from models.clock import Month


@dataclass(frozen=True)
class Ramp:
    """Nothing before `start`, then in `months` equal steps to the full size, which is reached in the last of them."""

    start: Month
    months: int = 1

    def share(self, month: Month) -> float:
        """Between 0 and 1."""
        return min(max(_distance(self.start, month) + 1, 0) / self.months, 1.0)

    def __str__(self) -> str:
        return f"from {self.start}" if self.months == 1 else f"growing from {self.start} to {self.start.plus(self.months - 1)}"


@dataclass(frozen=True)
class CovariateShift:
    """The portfolio changes, the relation does not: an account is drawn with weight exp(sum of tilt x factor)."""

    ramp: Ramp
    tilt: Mapping[str, float]  # log weight per standard deviation, by factor

    def sentence(self) -> str:
        return f"Covariate shift, {self.ramp}: drawing weights of {_listed(self.tilt)} (log weight per standard deviation)."


@dataclass(frozen=True)
class ConceptShift:
    """The relation changes at an equal bad rate of the undrifted portfolio: slopes are added, the intercept gives way."""

    ramp: Ramp
    slopes: Mapping[str, float]  # log-odds per standard deviation, by factor

    def sentence(self) -> str:
        return f"Concept shift, {self.ramp}: slopes of {_listed(self.slopes)} (log-odds per standard deviation), bad rate kept."


@dataclass(frozen=True)
class CalibrationShift:
    """Everybody's odds change by one factor; the order of accounts does not."""

    ramp: Ramp
    log_odds: float

    def sentence(self) -> str:
        return f"Calibration shift, {self.ramp}: {self.log_odds:+.2f} log-odds for every account."


@dataclass(frozen=True)
class LabelDelay:
    """Outcomes of cohorts from `start` on become known `months` months later than they should."""

    start: Month
    months: int

    def sentence(self) -> str:
        return f"Label delay, from {self.start}: outcomes arrive {self.months} month{'s' * (self.months > 1)} late."


@dataclass(frozen=True)
class Restatement:
    """A `share` of the outcomes of cohorts from `start` on is turned round one month after it was first reported."""

    start: Month
    share: float

    def sentence(self) -> str:
        return f"Restatement, from {self.start}: {self.share:.1%} of outcomes are corrected a month later."


Shift = CovariateShift | ConceptShift | CalibrationShift | LabelDelay | Restatement
S = TypeVar("S", CovariateShift, ConceptShift, CalibrationShift, LabelDelay, Restatement)


@dataclass(frozen=True)
class Scenario:
    name: str
    title: str
    first: Month
    months: int
    accounts: int  # drawn each month
    seed: int
    shifts: tuple[Shift, ...] = ()

    def calendar(self) -> list[Month]:
        return [self.first.plus(index) for index in range(self.months)]

    def of(self, kind: type[S]) -> list[S]:
        return [shift for shift in self.shifts if isinstance(shift, kind)]

    def tilt(self, month: Month) -> dict[str, float]:
        """The covariate shift in force: log weight by factor."""
        return _summed([(shift.ramp.share(month), shift.tilt) for shift in self.of(CovariateShift)])

    def slopes(self, month: Month) -> dict[str, float]:
        """The concept shift in force: log-odds by factor."""
        return _summed([(shift.ramp.share(month), shift.slopes) for shift in self.of(ConceptShift)])

    def intercept(self, month: Month) -> float:
        """The calibration shift in force, in log-odds."""
        return sum(shift.ramp.share(month) * shift.log_odds for shift in self.of(CalibrationShift))

    def delay(self, month: Month) -> int:
        return sum(shift.months for shift in self.of(LabelDelay) if month >= shift.start)

    def restated(self, month: Month) -> float:
        return sum(shift.share for shift in self.of(Restatement) if month >= shift.start)


def _summed(parts: list[tuple[float, Mapping[str, float]]]) -> dict[str, float]:
    total: dict[str, float] = {}
    for share, sizes in parts:
        for factor, size in sizes.items():
            total[factor] = total.get(factor, 0.0) + share * size
    return {factor: size for factor, size in total.items() if size}


def _distance(start: Month, month: Month) -> int:
    return (month.year - start.year) * 12 + month.number - start.number


def _listed(sizes: Mapping[str, float]) -> str:
    return ", ".join(f"{factor} {size:+.2f}" for factor, size in sizes.items())
