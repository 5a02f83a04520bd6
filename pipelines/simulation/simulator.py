"""A source of months that never happened, made of accounts that did.

Every month is a bootstrap of the pool, drawn with replacement and with the weights of the covariate shift in force. Its
outcomes are drawn afresh from the stated probability, moved by the concept and calibration shifts in force, so no model
can remember them and the best possible prediction is known. Months are independent draws: an account's history does not
run on from one month to the next.
"""

from dataclasses import dataclass
from datetime import date
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from models.clock import Month
from models.errors import NotFound
from models.usecase import Cohort
from pipelines.simulation.pool import Floats, Pool, sigmoid
from pipelines.simulation.scenario import Scenario


@dataclass(frozen=True)
class Truth:
    """What only the simulator knows of a month, row by row as in its cohort."""

    month: Month
    probability: Floats  # of going bad: the best possible prediction
    bad: NDArray[np.bool_]  # as first reported
    corrected: NDArray[np.bool_]  # after the restatement


class Simulator:
    """A `Source` with the truth beside it. Equal pool and scenario give equal months, in any order of asking."""

    def __init__(self, pool: Pool, scenario: Scenario, *, outcome_delay: int = 1) -> None:
        self.scenario = scenario
        self._pool = pool
        self._delay = outcome_delay
        self._drawn = lru_cache(maxsize=None)(self._draw)

    def months(self) -> list[Month]:
        return self.scenario.calendar()

    def last(self) -> Month:
        return self.scenario.calendar()[-1]

    def reported_on(self, month: Month) -> date:
        """The last day of the month in which the cohort's outcome is first reported."""
        return month.plus(self._delay + self.scenario.delay(month)).last_day

    def cohort(self, month: Month, as_of: date) -> Cohort:
        if month not in self.months() or month.last_day > as_of:
            raise NotFound(
                f"scenario {self.scenario.name} has no cohort {month} as of {as_of}",
                hint=f"it has {self.months()[0]} to {self.months()[-1]}, each from its last day on",
            )
        rows, accounts = self._drawn(month)
        columns = {name: values[rows] for name, values in self._pool.columns.items()}
        audit = {name: values[rows] for name, values in self._pool.audit.items()}
        columns |= {"account_id": accounts, "snapshot_month": np.full(len(rows), str(month))}
        return Cohort(month, columns, audit | {"account_id": accounts}, self._codes(month, as_of), self._pool.coding)

    def truth(self, month: Month) -> Truth:
        rows, _ = self._drawn(month)
        probability = self.probability(month)[rows]
        dice = self._dice(month, "outcome")
        bad = dice.random(len(rows)) < probability
        turned = self._dice(month, "restatement").random(len(rows)) < self.scenario.restated(month)
        return Truth(month, probability, bad, bad ^ turned)

    def probability(self, month: Month) -> Floats:
        """Of going bad in this month, for every row of the pool."""
        base, slopes = self._pool.log_odds, self.scenario.slopes(month)
        moved = base + sum((size * self._pool.factors[factor] for factor, size in slopes.items()), np.zeros(len(base)))
        if slopes:
            moved = moved + _offset(moved, float(sigmoid(base).mean()))
        return sigmoid(moved + self.scenario.intercept(month))

    def weights(self, month: Month) -> Floats:
        """The chance of each row of the pool in one draw; they sum to 1."""
        tilt = self.scenario.tilt(month)
        log_weight = sum((size * self._pool.factors[factor] for factor, size in tilt.items()), np.zeros(len(self._pool)))
        weight = np.exp(log_weight - log_weight.max())
        return np.asarray(weight / weight.sum())

    def _draw(self, month: Month) -> tuple[NDArray[np.int64], NDArray[np.str_]]:
        """Rows of the pool, and an account number for each: a second copy of A00017 is A00017-2."""
        chosen = self._dice(month, "accounts").choice(len(self._pool), self.scenario.accounts, p=self.weights(month))
        names = self._pool.columns["account_id"][chosen]
        order = np.lexsort((chosen, names))
        rows, names = chosen[order], names[order]
        first = np.r_[True, names[1:] != names[:-1]]
        copy = np.arange(len(names)) - np.maximum.accumulate(np.where(first, np.arange(len(names)), 0)) + 1
        return rows, np.array([name if n == 1 else f"{name}-{n}" for name, n in zip(names, copy, strict=True)])

    def _codes(self, month: Month, as_of: date) -> NDArray[np.int64] | None:
        """None until reported; the corrected codes from a month later on."""
        reported = self.reported_on(month)
        if as_of < reported:
            return None
        truth = self.truth(month)
        known = truth.corrected if as_of >= Month.of(reported).plus(1).last_day else truth.bad
        rows, _ = self._drawn(month)
        real, dice = self._pool.codes[rows], self._dice(month, "codes")
        other = np.where(
            self._pool.bad[rows],
            dice.choice(self._pool.codes[~self._pool.bad], len(rows)),
            dice.choice(self._pool.codes[self._pool.bad], len(rows)),
        )
        return np.where(known == self._pool.bad[rows], real, other)

    def _dice(self, month: Month, purpose: str) -> np.random.Generator:
        return np.random.default_rng([self.scenario.seed, month.year, month.number, *purpose.encode()])


def _offset(log_odds: Floats, rate: float) -> float:
    """The intercept that gives these log-odds a mean probability of `rate`, by bisection."""
    low, high = -20.0, 20.0
    for _ in range(60):
        middle = (low + high) / 2
        if sigmoid(log_odds + middle).mean() < rate:
            low = middle
        else:
            high = middle
    return (low + high) / 2
