"""How good a model is, with an interval around every figure.

Intervals are clustered by account: an account that appears in several months is one witness, not several.
"""

from dataclasses import dataclass
from math import isfinite, sqrt
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models import influence
from models.contract import Columns
from models.influence import MEASURES, Bools, Floats, Statistic
from models.splits import numbered
from models.usecase import UseCase

SHARES = frozenset({"auc", "ks", "pr_auc", "brier", "bad_rate", "mean_probability"})
ENOUGH = 100  # bads and goods below which no figure is given (Collins, Ogundimu & Altman 2016)


@dataclass(frozen=True)
class Estimate:
    """A figure and its confidence interval; all NaN where the figure is undefined."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Figures:
    """Of one group of rows. `estimates` is None where bads or goods are fewer than `ENOUGH`: a number would mislead."""

    rows: int
    bad: int
    estimates: dict[str, Estimate] | None

    def to_dict(self) -> dict[str, Any]:
        if self.estimates is None:
            return {"rows": self.rows, "bad": self.bad, "insufficient": f"fewer than {ENOUGH} bad or good outcomes"}
        plain = {name: _plain(found) for name, found in self.estimates.items()}
        return {"rows": self.rows, "bad": self.bad, "estimates": plain}


@dataclass(frozen=True)
class Evaluation:
    """`groups` by split and part: cohort, population, account (seen, unseen), and the use case's own segments."""

    overall: Figures
    groups: dict[str, dict[str, Figures]]

    def to_dict(self) -> dict[str, Any]:
        """JSON; what is undefined is null."""
        groups = {split: {name: part.to_dict() for name, part in parts.items()} for split, parts in self.groups.items()}
        return {"overall": self.overall.to_dict(), "groups": groups}

    def metrics(self) -> dict[str, float]:
        """Flat, for a tracker: overall figures with `_low` and `_high`, and `split/part/auc`, `/brier` of the groups."""
        found: dict[str, float] = {}
        for name, overall in (self.overall.estimates or {}).items():
            found |= {name: overall.value, f"{name}_low": overall.low, f"{name}_high": overall.high}
        for split, parts in self.groups.items():
            for part, figures in parts.items():
                chosen = {name: figures.estimates[name].value for name in ("auc", "brier")} if figures.estimates else {}
                found |= {f"{split}/{part}/{name}": value for name, value in chosen.items()}
        return {name: value for name, value in found.items() if isfinite(value)}


def _plain(found: Estimate) -> dict[str, float | None]:
    return {end: value if isfinite(value) else None for end, value in vars(found).items()}


def auc(bad: Bools, score: Floats) -> float:
    """P(a bad scores above a good), ties count half; NaN without bads or without goods."""
    return influence.auc(bad, score).value if 0 < np.sum(bad) < len(bad) else float("nan")


def auc_error(bad: Bools, score: Floats, accounts: NDArray[Any]) -> float:
    """The AUC's standard error, clustered by account; NaN where fewer than two bads or two goods leave it unknown."""
    if not 0 < np.sum(bad) < len(bad):
        return float("nan")
    return standard_error(influence.auc(bad, score), bad, clusters(accounts))


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


def report(
    use_case: UseCase,
    columns: Columns,
    bad: Bools,
    probability: Floats,
    accounts: NDArray[Any],
    months: NDArray[Any],
    seen: Bools,
) -> Evaluation:
    """All figures of scored rows, shape (n,): overall, by cohort, population, segment, and seen or unseen account.

    `seen` marks the rows of accounts that the model was trained on. Populations and segments are the use case's own.
    """
    cluster, confidence = clusters(accounts), use_case.policy.gates.confidence

    def figures(rows: Bools) -> Figures:
        fewer = min(np.sum(bad[rows]), np.sum(~bad[rows]))
        enough = evaluate(bad[rows], probability[rows], cluster[rows], confidence=confidence) if fewer >= ENOUGH else None
        return Figures(int(np.sum(rows)), int(np.sum(bad[rows])), enough)

    splits: dict[str, dict[str, Bools]] = {
        "cohort": _parts(months),
        "population": {name: member(columns) for name, member in use_case.populations.items()},
        **{name: _parts(values) for name, values in use_case.segments(columns).items()},
        "account": {"seen": seen, "unseen": ~seen},
    }
    groups = {split: {name: figures(rows) for name, rows in parts.items()} for split, parts in splits.items()}
    return Evaluation(figures(np.ones(len(bad), dtype=np.bool_)), groups)


def _parts(labels: NDArray[Any]) -> dict[str, Bools]:
    return {str(label): labels == label for label in np.unique(labels)}


def clusters(accounts: NDArray[Any]) -> NDArray[np.intp]:
    """Accounts (n,) as numbers 0, 1, 2, ... (n,). Sums by account come in an order that no key changes."""
    return numbered(accounts)


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
