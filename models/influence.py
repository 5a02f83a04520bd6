"""Measures of a scored portfolio, each with its influence function: what every single row contributes to the error.

With the influence values at hand one rule gives every interval and every paired comparison: add them up by account,
square, sum. It is DeLong's interval for the AUC (DeLong et al. 1988) and Obuchowski's when accounts return
(Obuchowski 1997), and the sandwich estimate for the others (Huber 1967, Liang & Zeger 1986). Nothing is resampled.

Scores and outcomes have shape (n,); an undefined measure has the value NaN.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

TINY = 1e-12  # probabilities are kept this far from 0 and 1 where a logarithm is taken


@dataclass(frozen=True)
class Statistic:
    """A value and its influence, shape (n,), mean zero. `stratified` if bad and good rows are two samples of fixed size."""

    value: float
    influence: Floats
    stratified: bool = False

    def __sub__(self, other: "Statistic") -> "Statistic":
        return Statistic(self.value - other.value, self.influence - other.influence, self.stratified)


@dataclass(frozen=True)
class Levels:
    """Rows by distinct score, ascending: `of_row` (n,) names a row's level; `bad` and `good` (levels,) count rows."""

    of_row: NDArray[np.intp]
    bad: Floats
    good: Floats

    @classmethod
    def of(cls, bad: Bools, score: Floats) -> "Levels":
        distinct, of_row = np.unique(score, return_inverse=True)
        bads = np.bincount(of_row[bad], minlength=len(distinct)).astype(np.float64)
        return cls(of_row, bads, np.bincount(of_row, minlength=len(distinct)) - bads)


def undefined(rows: int) -> Statistic:
    return Statistic(float("nan"), np.full(rows, np.nan))


def auc(bad: Bools, score: Floats) -> Statistic:
    """P(score of a bad > score of a good) + half the ties, with DeLong's placement values, in one sort (Sun & Xu 2014)."""
    levels = Levels.of(bad, score)
    bads, goods = levels.bad.sum(), levels.good.sum()
    below = (np.cumsum(levels.good) - levels.good / 2) / goods  # share of goods that a bad of this level beats
    above = 1 - (np.cumsum(levels.bad) - levels.bad / 2) / bads  # share of bads that beat a good of this level
    value = float(levels.bad @ below / bads)
    placement = np.where(bad, below[levels.of_row] / bads, above[levels.of_row] / goods)
    return Statistic(value, len(bad) * (placement - value / np.where(bad, bads, goods)), stratified=True)


def gini(bad: Bools, score: Floats) -> Statistic:
    """2 AUC - 1."""
    half = auc(bad, score)
    return Statistic(2 * half.value - 1, 2 * half.influence, stratified=True)


def ks(bad: Bools, score: Floats) -> Statistic:
    """Largest distance between the score distributions of bad and good (Kolmogorov-Smirnov).

    The influence holds the place of the largest distance fixed, which is exact to first order unless scores do not
    separate at all (Raghavachari 1973).
    """
    levels = Levels.of(bad, score)
    bads, goods = levels.bad.sum(), levels.good.sum()
    of_bad, of_good = np.cumsum(levels.bad) / bads, np.cumsum(levels.good) / goods
    at = int(np.argmax(np.abs(of_good - of_bad)))
    sign = 1.0 if of_good[at] >= of_bad[at] else -1.0
    under = (levels.of_row <= at).astype(np.float64)
    row = np.where(bad, -(under - of_bad[at]) / bads, (under - of_good[at]) / goods)
    return Statistic(float(abs(of_good[at] - of_bad[at])), sign * len(bad) * row, stratified=True)


def pr_auc(bad: Bools, score: Floats) -> Statistic:
    """Average precision: the mean, over bads, of the precision at their own score."""
    levels = Levels.of(bad, score)
    bads, rows = levels.bad.sum(), len(bad)
    tail = np.cumsum((levels.bad + levels.good)[::-1])[::-1]
    precision = np.cumsum(levels.bad[::-1])[::-1] / tail
    value = float(levels.bad @ precision / bads)
    raised = np.cumsum(levels.bad / tail)[levels.of_row]
    lowered = np.cumsum(levels.bad * precision / tail)[levels.of_row]
    return Statistic(value, rows / bads * (bad * (precision[levels.of_row] + raised - value) - lowered))


def brier(bad: Bools, probability: Floats) -> Statistic:
    """Mean squared error of the probability (Brier 1950)."""
    return mean((probability - bad) ** 2)


def brier_ratio(bad: Bools, probability: Floats) -> Statistic:
    """Brier score over that of predicting these rows' own bad rate for everybody; 1 is worthless, above 1 is harmful."""
    score, rate = brier(bad, probability), mean(bad.astype(np.float64))
    base = rate.value * (1 - rate.value)
    ratio = score.value / base
    return Statistic(ratio, (score.influence - ratio * (1 - 2 * rate.value) * rate.influence) / base)


def log_loss(bad: Bools, probability: Floats) -> Statistic:
    """Mean negative log-likelihood, in nats."""
    kept = np.clip(probability, TINY, 1 - TINY)
    return mean(-np.where(bad, np.log(kept), np.log1p(-kept)))


def calibration_slope(bad: Bools, probability: Floats) -> Statistic:
    """Slope of a logistic regression of the outcome on the log-odds (Cox 1958): 1 is right, below 1 is overconfident."""
    return _recalibrated(bad, np.column_stack([log_odds(probability), np.ones(len(bad))]), np.zeros(len(bad)))


def calibration_intercept(bad: Bools, probability: Floats) -> Statistic:
    """Calibration in the large: what must be added to every log-odds, the slope held at 1 (Cox 1958). Above 0: too low."""
    return _recalibrated(bad, np.ones((len(bad), 1)), log_odds(probability))


def mean(values: Floats) -> Statistic:
    value = float(np.mean(values))
    return Statistic(value, values - value)


def log_odds(probability: Floats) -> Floats:
    kept = np.clip(probability, TINY, 1 - TINY)
    return np.asarray(np.log(kept) - np.log1p(-kept))


def _recalibrated(bad: Bools, X: Floats, offset: Floats) -> Statistic:
    """First coefficient of a logistic regression, by Newton's method; undefined if it has no finite solution."""
    at = np.zeros(X.shape[1])
    for _ in range(50):
        fitted = 1 / (1 + np.exp(-np.clip(X @ at + offset, -40, 40)))
        residual = bad - fitted
        information = (X * (fitted * (1 - fitted))[:, None]).T @ X
        if not np.linalg.cond(information) < 1e12:
            return undefined(len(bad))
        step = np.linalg.solve(information, X.T @ residual)
        at = at + np.clip(step, -2, 2)
        if np.abs(step).max() < 1e-10:
            return Statistic(float(at[0]), len(bad) * (X * residual[:, None]) @ np.linalg.inv(information)[0])
    return undefined(len(bad))


MEASURES: Mapping[str, Callable[[Bools, Floats], Statistic]] = {
    "auc": auc,
    "gini": gini,
    "ks": ks,
    "pr_auc": pr_auc,
    "brier": brier,
    "brier_ratio": brier_ratio,
    "log_loss": log_loss,
    "calibration_slope": calibration_slope,
    "calibration_intercept": calibration_intercept,
    "bad_rate": lambda bad, _: mean(bad.astype(np.float64)),
    "mean_probability": lambda _, probability: mean(probability),
}
