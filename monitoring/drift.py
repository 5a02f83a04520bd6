"""How far a month's decisions moved from the reference: PSI of the score, CSI of each input, on bins frozen in the bundle.

Population stability index over bins i with shares p (current) and q (reference): sum((p - q) * ln(p / q)).
Without any shift, PSI is distributed about as (1/n + 1/N) times chi-squared with (bins - 1) degrees of freedom, n and N
being the two sample sizes (B. Yurdakul, "Statistical Properties of Population Stability Index", Western Michigan
University, 2018). So a fixed limit means nothing for a small sample: the limit used is the larger of the policy's
value and the quantile that all columns together would exceed by chance once in a hundred months.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from statistics import NormalDist
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from models.contract import Columns
from models.lake import PartitionVersion
from models.policy import Action, Frozen, MonitoringLimits, Segment

FALSE_ALARMS = 0.01
"""The chance that any of a month's columns passes the null limit although nothing moved (Bonferroni over the columns)."""
SMOOTHING = 0.5
"""Added to every bin's count, so that an empty bin is a small share and not an infinite distance (Jeffreys' prior)."""

Binnings = Mapping[str, Mapping[str, Any]]

State = Literal["stable", "warn", "alarm", "insufficient"]


class Shift(Frozen):
    """One distribution against its reference. `bins` label the counts; a coded column's last bin is "never seen"."""

    name: str
    psi: float
    warn: float
    alarm: float
    state: State
    coded: bool
    distance: float  # total variation distance: the share of rows that would have to change bin
    unseen: int  # rows with a code that the contract does not know
    bins: tuple[str, ...]
    reference: tuple[int, ...]
    current: tuple[int, ...]

    def called(self, psi: float) -> State:
        """What such a PSI of this column is called, if there are rows enough."""
        return _state(psi, self.warn, self.alarm, enough=True)


class Statistics(Protocol):
    """Counts over every row of a partition: one pass, memory that does not grow with the rows.

    All raise `Integrity` if the partition is not what was sealed, `NotFound` if it is gone.
    """

    def counts(self, partition: PartitionVersion, binnings: Binnings, *, by: str) -> dict[str, dict[str, NDArray[np.int64]]]:
        """For each value of the text column `by`: rows per frozen bin (`edges` or `codes`) of each column named in `binnings`.

        Equal to `models.reference.counts`: bins are closed on their left; codes never seen are counted last.
        """
        ...

    def tally(
        self, partition: PartitionVersion, binnings: Binnings, segments: Mapping[str, Segment], *, where: tuple[str, str]
    ) -> dict[str, dict[str, NDArray[np.int64]]]:
        """Of the rows with `where` = value: rows per bin of each column, for "" (all of them) and for each segment.

        Beside `edges` and `codes` a binning may have `firsts`: codes, of which a column of reasons names one first.
        """
        ...

    def scored(
        self, partition: PartitionVersion, segments: Mapping[str, Segment], *, where: tuple[str, str]
    ) -> dict[str, NDArray[np.float64]]:
        """Of the rows with `where` = value, for "" and each segment: what `outcomes.estimation.sketch` makes of their scores."""
        ...

    def distinct(self, partition: PartitionVersion, name: str, *, by: str) -> dict[str, int]:
        """For each value of the text column `by`: how many different values the text column `name` has."""
        ...

    def sample(
        self, partition: PartitionVersion, names: Sequence[str], rows: int, *, key: str, where: tuple[str, str] | None = None
    ) -> Columns:
        """At most `rows` rows, in a fixed order: those whose hashed `key` is smallest, and of them those with `where` = value.

        Equal keys are drawn in every month: two samples hold the same accounts, so that their difference is no sampling noise.
        """
        ...


def binnings(reference: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Every frozen binning of reference.json by the column of the decision log that it counts."""
    actions = sorted(action.value for action in Action)
    counted = [int(reference["actions"].get(action, 0)) for action in actions]
    return {
        **reference["inputs"],
        "probability": reference["score"],
        "action": {"codes": actions, "counts": [*counted, 0]},
    }


def shifts(reference: Mapping[str, Any], counts: Mapping[str, NDArray[np.int64]], limits: MonitoringLimits) -> dict[str, Shift]:
    """Every column of the decision log against reference.json: the inputs, "probability" and "action"."""
    frozen = binnings(reference)
    return {name: shift(name, binning, counts[name], limits, columns=len(frozen)) for name, binning in frozen.items()}


def psi(reference: NDArray[np.int64], current: NDArray[np.int64]) -> float:
    """Counts by bin, both of shape (bins,), to the smoothed population stability index."""
    return float(np.sum(contributions(reference, current)))


def contributions(reference: ArrayLike, current: ArrayLike) -> NDArray[np.float64]:
    """What each bin adds to the PSI, shape (bins,): never negative, largest where the shares moved apart most."""
    q, p = (_shares(np.asarray(counts) + SMOOTHING) for counts in (reference, current))
    return np.asarray((p - q) * np.log(p / q), dtype=np.float64)


def null_limit(bins: int, n: int, reference_n: int, columns: int) -> float:
    """The PSI that pure chance exceeds in `FALSE_ALARMS` of the months in at least one of `columns` columns."""
    return (1 / n + 1 / reference_n) * chi_squared_quantile(1 - FALSE_ALARMS / columns, max(bins - 1, 1))


def distance_limit(bins: int, n: int, reference_n: int, columns: int) -> float:
    """The total variation distance that pure chance exceeds at most as often as PSI exceeds `null_limit`.

    The distance is half the sum of |p - q|, and by Cauchy-Schwarz at most half the root of the sum of (p - q)^2 / q, which is
    distributed as the PSI is without any shift. Rare codes make it larger than it need be, never smaller.
    """
    return float(np.sqrt(null_limit(bins, n, reference_n, columns)) / 2)


def chi_squared_quantile(level: float, degrees: int) -> float:
    """Wilson and Hilferty (1931). From two degrees and between levels .99 and .9999 it errs by 0 to 5 %, to the high side."""
    spread = 2 / (9 * degrees)
    return float(degrees * (1 - spread + NormalDist().inv_cdf(level) * spread**0.5) ** 3)


def shift(
    name: str,
    frozen: Mapping[str, Any],
    current: NDArray[np.int64],
    limits: MonitoringLimits,
    *,
    columns: int,
) -> Shift:
    """Compare a month's counts with a frozen binning of the bundle (`edges` or `codes`, and `counts`)."""
    reference = np.asarray(frozen["counts"], dtype=np.int64)
    n, reference_n = int(current.sum()), int(reference.sum())
    coded, value = "codes" in frozen, psi(reference, current)
    used = int(np.sum((reference + current) > 0))  # a bin empty on both sides adds no degree of freedom
    chance = null_limit(used, n, reference_n, columns) if n else 0.0
    warn, alarm = max(limits.psi_warn, chance), max(limits.psi_alarm, chance)
    return Shift(
        name=name,
        psi=value,
        warn=warn,
        alarm=alarm,
        state=_state(value, warn, alarm, enough=n >= limits.minimum_rows),
        coded=coded,
        distance=float(np.abs(_shares(current) - _shares(reference)).sum() / 2) if n else 0.0,
        unseen=int(current[-1]) if coded else 0,
        bins=tuple(labels(frozen)),
        reference=tuple(map(int, reference)),
        current=tuple(map(int, current)),
    )


def labels(frozen: Mapping[str, Any]) -> Sequence[str]:
    """What to write under each bin."""
    if "codes" in frozen:
        return [*(str(code) for code in frozen["codes"]), "never seen"]
    edges = [f"{edge:,.0f}" if abs(edge) >= 1_000 else f"{edge:.4g}" for edge in frozen["edges"]]
    if not edges:
        return ["all"]
    return [f"below {edges[0]}", *(f"{a} to {b}" for a, b in pairwise(edges)), f"{edges[-1]} and more"]


def _state(value: float, warn: float, alarm: float, *, enough: bool) -> State:
    if not enough:
        return "insufficient"
    return "alarm" if value >= alarm else "warn" if value >= warn else "stable"


def _shares(counts: NDArray[Any]) -> NDArray[np.float64]:
    return np.asarray(counts / counts.sum(), dtype=np.float64)
