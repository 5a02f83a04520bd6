"""The formulas of fairness between two groups of accounts, from counts and scores, each with its confidence interval.

An undefined figure or end is NaN. Counts are whole numbers; arrays have shape (accounts of the group,).
"""

from math import exp, log, nan, sqrt
from statistics import NormalDist
from typing import Any

import numpy as np

from models.evaluation import Estimate
from models.influence import Bools, Floats

UNDEFINED = Estimate(nan, nan, nan)


def z_score(confidence: float) -> float:
    """How many standard errors a two-sided interval reaches: 1.96 at .95."""
    return NormalDist().inv_cdf((1 + confidence) / 2)


def rate(hits: int, rows: int, confidence: float) -> Estimate:
    """Hits over rows, with Wilson's interval (1927)."""
    if rows == 0:
        return UNDEFINED
    z, share = z_score(confidence), hits / rows
    centre = (share + z**2 / (2 * rows)) / (1 + z**2 / rows)
    reach = z * sqrt(share * (1 - share) / rows + z**2 / (4 * rows**2)) / (1 + z**2 / rows)
    return Estimate(share, min(share, max(0.0, centre - reach)), max(share, min(1.0, centre + reach)))  # whatever the last bit


def rate_ratio(hits: int, rows: int, other_hits: int, other_rows: int, confidence: float) -> Estimate:
    """The first rate over the second, with the log interval of Katz et al. (1978): exp(log ratio +- z * error),
    error^2 = 1/hits - 1/rows + 1/other_hits - 1/other_rows.

    Without a single hit the ratio is 0 and half a hit is added to each group for the upper end (Walter 1975).
    """
    if rows == 0 or other_hits == 0:
        return UNDEFINED
    if hits == 0:
        high = _ratio(0.5, rows + 0.5, other_hits + 0.5, other_rows + 0.5, confidence).high
        return Estimate(0.0, 0.0, high)
    return _ratio(hits, rows, other_hits, other_rows, confidence)


def _ratio(hits: float, rows: float, other_hits: float, other_rows: float, confidence: float) -> Estimate:
    ratio = (hits / rows) / (other_hits / other_rows)
    reach = z_score(confidence) * sqrt(max(0.0, 1 / hits - 1 / rows + 1 / other_hits - 1 / other_rows))
    return Estimate(ratio, exp(log(ratio) - reach), exp(log(ratio) + reach))


def rate_gap(hits: int, rows: int, other_hits: int, other_rows: int, confidence: float) -> Estimate:
    """The first rate less the second, with Newcombe's interval out of two Wilson intervals (1998, method 10)."""
    ours, theirs = rate(hits, rows, confidence), rate(other_hits, other_rows, confidence)
    low = sqrt((ours.value - ours.low) ** 2 + (theirs.high - theirs.value) ** 2)
    high = sqrt((ours.high - ours.value) ** 2 + (theirs.value - theirs.low) ** 2)
    gap = ours.value - theirs.value
    return Estimate(gap, max(-1.0, gap - low), min(1.0, gap + high))


def fisher_exact(hits: int, rows: int, other_hits: int, other_rows: int) -> float:
    """Two-sided p-value: the probability, with both margins fixed, of a table no likelier than this one (Fisher 1935)."""
    total, all_hits = rows + other_rows, hits + other_hits
    logs = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, total + 1, dtype=np.float64)))])  # of the factorials
    possible = np.arange(max(0, all_hits - other_rows), min(rows, all_hits) + 1)
    chances = _choices(logs, rows, possible) + _choices(logs, other_rows, all_hits - possible) - _choices(logs, total, all_hits)
    seen = chances[hits - possible[0]]
    return float(min(1.0, np.exp(chances[chances <= seen + 1e-7]).sum()))  # a table as likely counts, whatever the last bit


def _choices(logs: Floats, count: int, chosen: Any) -> Any:
    """Logarithm of "count choose chosen"."""
    return logs[count] - logs[chosen] - logs[count - chosen]


def standardised_difference(values: Floats, others: Floats, confidence: float) -> Estimate:
    """Mean of the first less that of the second, in pooled standard deviations (Cohen 1988).

    The interval is Hedges and Olkin's (1985): error^2 = (n + m) / (n m) + d^2 / (2 (n + m)).
    """
    n, m = len(values), len(others)
    if min(n, m) < 2:
        return UNDEFINED
    pooled = sqrt(((n - 1) * float(np.var(values, ddof=1)) + (m - 1) * float(np.var(others, ddof=1))) / (n + m - 2))
    if pooled == 0:
        return UNDEFINED
    found = float(np.mean(values) - np.mean(others)) / pooled
    reach = z_score(confidence) * sqrt((n + m) / (n * m) + found**2 / (2 * (n + m)))
    return Estimate(found, found - reach, found + reach)


def calibration_ratio(probability: Floats, bad: Bools, confidence: float) -> Estimate:
    """Mean predicted over observed bad rate; the interval is that of the observed rate (Wilson), the prediction taken as it is.

    Above 1 the group is thought riskier than it is.
    """
    observed, predicted = rate(int(np.sum(bad)), len(bad), confidence), float(np.mean(probability)) if len(bad) else nan
    if not observed.value > 0:
        return UNDEFINED
    return Estimate(predicted / observed.value, predicted / observed.high, predicted / observed.low)


def chance_reach(members: int, others: int, confidence: float) -> float:
    """How far from .5 the AUC of a meaningless score strays by chance (Mann & Whitney 1947)."""
    return z_score(confidence) * sqrt((members + others + 1) / (12 * members * others)) if members and others else nan
