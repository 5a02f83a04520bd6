"""How good a model is, with an interval around every figure.

Intervals are clustered by account: an account that appears in several months is one witness, not several.
"""

from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models import influence
from models.influence import MEASURES, Bools, Floats, Statistic

SHARES = frozenset({"auc", "ks", "pr_auc", "brier", "bad_rate", "mean_probability"})


@dataclass(frozen=True)
class Estimate:
    """A figure and its confidence interval; all NaN where the figure is undefined."""

    value: float
    low: float
    high: float


def auc(bad: Bools, score: Floats) -> float:
    """P(a bad scores above a good), ties count half; NaN without bads or without goods."""
    return influence.auc(bad, score).value if 0 < np.sum(bad) < len(bad) else float("nan")


def brier(bad: Bools, probability: Floats) -> float:
    """Mean squared error of the probability."""
    return influence.brier(bad, probability).value


def log_loss(bad: Bools, probability: Floats) -> float:
    """Mean negative log-likelihood, in nats."""
    return influence.log_loss(bad, probability).value


def evaluate(bad: Bools, probability: Floats, accounts: NDArray[Any], *, confidence: float = 0.95) -> dict[str, Estimate]:
    """Every measure of `influence.MEASURES`, each with its interval. Inputs have shape (n,).

    All estimates are NaN when a probability is not finite or when only one outcome occurs: nothing is guessed.
    """
    if not _measurable(bad, probability):
        return dict.fromkeys(MEASURES, Estimate(*[float("nan")] * 3))
    cluster = clusters(accounts)
    return {
        name: estimate(measure(bad, probability), bad, cluster, confidence=confidence, share=name in SHARES)
        for name, measure in MEASURES.items()
    }


def paired_gain(
    bad: Bools,
    ours: Floats,
    theirs: Floats,
    accounts: NDArray[Any],
    metric: str = "auc",
    confidence: float = 0.95,
) -> Estimate:
    """How much better `ours` is on the same rows: AUC gained, or Brier score saved; positive is better.

    Paired: what both get right or wrong together cancels (for the AUC this is DeLong's test).
    """
    sign = {"auc": 1.0, "brier": -1.0}[metric]
    if not (_measurable(bad, ours) and _measurable(bad, theirs)):
        return Estimate(*[float("nan")] * 3)
    difference = MEASURES[metric](bad, ours) - MEASURES[metric](bad, theirs)
    gain = Statistic(sign * difference.value, sign * difference.influence, difference.stratified)
    return estimate(gain, bad, clusters(accounts), confidence=confidence)


def clusters(accounts: NDArray[Any]) -> NDArray[np.intp]:
    """Accounts (n,) as numbers 0, 1, 2, ... (n,)."""
    return np.unique(accounts, return_inverse=True)[1]


def estimate(statistic: Statistic, bad: Bools, cluster: NDArray[np.intp], *, confidence: float, share: bool = False) -> Estimate:
    """Normal interval; for a `share` of (0, 1) on the log-odds scale, so that it stays inside."""
    value, error = statistic.value, standard_error(statistic, bad, cluster)
    reach = NormalDist().inv_cdf((1 + confidence) / 2) * error
    if not np.isfinite(reach):
        return Estimate(value, float("nan"), float("nan"))
    if not (share and 0 < value < 1):
        return Estimate(value, value - reach, value + reach)
    odds, stretch = value / (1 - value), np.exp(reach / (value * (1 - value)))
    low, high = odds / stretch, odds * stretch
    return Estimate(value, float(low / (1 + low)), float(1 - 1 / (1 + high)))


def standard_error(statistic: Statistic, bad: Bools, cluster: NDArray[np.intp]) -> float:
    """Root of the variance of the sum of influence by cluster.

    Stratified statistics follow Obuchowski 1997 (eq. 2), which is DeLong 1988 when every account comes once.
    """
    influence, count = statistic.influence, int(cluster.max()) + 1
    whole = np.bincount(cluster, weights=influence)
    if not statistic.stratified:
        return sqrt(_corrected(count) * float(np.sum(whole**2))) / len(bad)
    ill = np.bincount(cluster, weights=np.where(bad, influence, 0.0))
    well = whole - ill
    variance = (
        _corrected(len(np.unique(cluster[bad]))) * float(np.sum(ill**2))
        + _corrected(len(np.unique(cluster[~bad]))) * float(np.sum(well**2))
        + _corrected(count) * float(np.sum(2 * ill * well))
    )
    return float("nan") if np.isnan(variance) else sqrt(max(variance, 0.0)) / len(bad)


def _corrected(count: int) -> float:
    """Bessel's correction; a single account says nothing about the spread."""
    return count / (count - 1) if count > 1 else float("nan")


def _measurable(bad: Bools, probability: Floats) -> bool:
    return bool(0 < np.sum(bad) < len(bad) and np.all(np.isfinite(probability)))
