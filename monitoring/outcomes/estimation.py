"""Performance without outcomes: confidence-based performance estimation (CBPE), from calibrated probabilities alone.

If a probability p is what it says, its account goes bad with that chance. So before anything is known the expected number of
bads and goods is known at every score: the bad rate is the mean of p, the Brier score that of p (1 - p), and the AUC the area
under the expected true positive rate over the expected false positive rate. As in NannyML's documentation, "How it works:
Estimation of Performance", and J. Kivimaki, J. Bialek, W. Kuberski and J. K. Nurminen, "Performance Estimation in Binary
Classification Using Calibrated Confidence", arXiv:2505.05295 (2025), who prove it unbiased for calibrated scores. It assumes
that who is alike goes bad as often as at training, and that nobody is unlike anyone seen then. It moves with whom the model
meets, and cannot see that the same accounts turned worse: covariate shift, not concept drift.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.policy import Frozen

ASSUMPTION = (
    "Estimated from the probabilities alone, before any outcome is known. It assumes that accounts that look alike go bad as "
    "often as at training: it sees covariate shift, not concept drift."
)
"""What stands wherever an estimate is shown."""

SCORE_BINS = 10_000
"""Of equal width. Within one bin, who ranks higher is not known: the AUC errs by at most half the pairs that share a bin."""


class Estimated(Frozen):
    """Of one population. `auc_doubt` is how far the AUC may be off because scores were counted in bins."""

    rows: int
    bad_rate: float
    brier: float
    auc: float | None
    auc_doubt: float = 0.0


class Estimate(Frozen):
    """Of a month, by the deciding bundle's probabilities; `definition` is what counted as bad when they were calibrated."""

    definition: int | None
    populations: dict[str, Estimated]

    @property
    def whole(self) -> Estimated:
        return self.populations["all"]


def estimate(scored: Mapping[str, NDArray[np.float64]], performance: Mapping[str, Any]) -> Estimate:
    """`scored` are the sketches of `Statistics.scored`, "" being all rows; empty segments are left out."""
    known = {name or "all": estimated(sketch) for name, sketch in scored.items() if sketch[:, 0].sum()}
    return Estimate(definition=performance.get("definition_version"), populations=known)


def estimated(sketch: NDArray[np.float64]) -> Estimated:
    """`sketch` has a row for each score bin, from the lowest: rows, the sum of p, and the sum of p (1 - p). Not empty."""
    rows, bad, spread = sketch.T
    good, total = rows - bad, rows.sum()
    pairs = bad.sum() * good.sum()
    below = np.cumsum(good) - good
    doubt = float(np.sum(bad * good) / 2 / pairs) if pairs else 0.0
    return Estimated(
        rows=int(total),
        bad_rate=_rounded(bad.sum() / total),
        brier=_rounded(spread.sum() / total),
        auc=_rounded(np.sum(bad * below) / pairs + doubt) if pairs else None,
        auc_doubt=_rounded(doubt),
    )


def sketch(probability: NDArray[np.float64]) -> NDArray[np.float64]:
    """What `estimated` needs of scores, shape (n,): (SCORE_BINS, 3). What is no probability does not count."""
    probability = probability[(probability >= 0) & (probability <= 1)]
    place = np.minimum((probability * SCORE_BINS).astype(np.int64), SCORE_BINS - 1)
    weights = (np.ones_like(probability), probability, probability * (1 - probability))
    return np.column_stack([np.bincount(place, weights=weight, minlength=SCORE_BINS) for weight in weights])


def _rounded(value: float) -> float:
    """Sums of several threads differ in their last bits; reports of the same rows must not."""
    return round(float(value), 9)
