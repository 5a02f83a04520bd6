"""What was estimated against what was realised, and what the months before say of the next.

An error band is drawn only from six matured months on. It is the range of what was missed so far, without any assumed
distribution: of n months before, the next falls inside with a chance of (n - 1) / (n + 1) if they are alike in this
(exchangeable), and of no more.
"""

from collections.abc import Mapping, Sequence
from typing import Literal

from models.policy import Frozen
from models.usecase import UseCase
from monitoring.outcomes.estimation import Estimate, Estimated
from monitoring.performance import Figures, Performance, Reading

MONTHS = 6
"""Matured months from which an error band is drawn; before, there are only points."""

Measure = Literal["auc", "brier", "bad_rate"]
MEASURES: tuple[Measure, ...] = ("auc", "brier", "bad_rate")


class Miss(Frozen):
    """One figure of one reading: the difference is what was realised less what was estimated."""

    month: str
    reading: Literal["as coded", "comparable"]
    measure: Measure
    estimated: float
    realised: float

    @property
    def difference(self) -> float:
        return self.realised - self.estimated


class ErrorBand(Frozen):
    """How far the realised figure lay from the estimate in `months` matured months; `coverage` is the chance of the next."""

    measure: Measure
    months: int
    low: float
    high: float
    coverage: float


class Compared(Frozen):
    """The misses of a matured month, and the sentence why both differ."""

    misses: tuple[Miss, ...]
    why: str


def compared(month: str, estimate: Estimate, performance: Performance, use_case: UseCase) -> Compared:
    readings = {"as coded": performance.as_coded, "comparable": performance.comparable}
    misses = [
        miss for name, reading in readings.items() if reading for miss in _misses(month, name, estimate.whole, reading.whole)
    ]
    return Compared(misses=tuple(misses), why=why(estimate, performance, use_case))


def why(estimate: Estimate, performance: Performance, use_case: UseCase) -> str:
    """What the difference may be made of, in one or two sentences. It is never said to be the model's alone."""
    coded, like, expected = performance.as_coded, performance.comparable, estimate.definition
    was = use_case.definitions.get(expected or 0)
    told = f"“{was.rule}”" if was else "what counted as bad at training"
    if like is None:
        return (
            f"They differ for a reason of their own: the estimate is of {told}, the outcome is “{coded.rule}”. What counts as "
            "bad was defined anew, and these outcomes cannot be read in the former way: how much of the difference is the "
            "model's, nobody can tell."
        )
    if coded.definition == like.definition or _alike(coded.whole, like.whole):
        return (
            f"Both are of the same kind of outcome ({told}): what is left is chance, or that accounts that look alike now go bad "
            "more or less often (concept drift), which an estimate cannot see."
        )
    other = " Under another definition the level of the bad rate may differ though the model is right." * (
        like.definition != expected
    )
    return f"The estimate is of {told}. {_split(estimate, coded, like)}{other}"


def _split(estimate: Estimate, coded: Reading, like: Reading) -> str:
    """The AUC's difference in what the reading of the codes did, and what is left."""
    said, as_coded, comparable = estimate.whole.auc, coded.whole.auc, like.whole.auc
    if said is None or as_coded is None or comparable is None:
        return f"As coded “{coded.rule}” is bad, comparably “{like.rule}”: hold the comparable figures against the estimate."
    parts = f"what counts as bad made {as_coded - comparable:+.3f} (as coded “{coded.rule}”, comparably “{like.rule}”)"
    left = f"{comparable - said:+.3f} is left for chance, and for concept drift, which an estimate cannot see"
    return f"Of the AUC's difference, {as_coded - said:+.3f}, {parts}; {left}."


def bands(misses: Sequence[Miss]) -> tuple[ErrorBand, ...]:
    """From the misses of matured months that can be compared: one of each month and measure, the comparable reading's."""
    found = []
    for measure in MEASURES:
        known = {miss.month: miss.difference for miss in misses if miss.measure == measure and miss.reading == "comparable"}
        if (months := len(known)) >= MONTHS:
            low, high, coverage = min(known.values()), max(known.values()), (months - 1) / (months + 1)
            found.append(ErrorBand(measure=measure, months=months, low=low, high=high, coverage=coverage))
    return tuple(found)


def _misses(month: str, name: str, estimated: Estimated, realised: Figures) -> list[Miss]:
    pairs: Mapping[Measure, tuple[float | None, float | None]] = {
        "auc": (estimated.auc, realised.auc),
        "brier": (estimated.brier, realised.brier),
        "bad_rate": (estimated.bad_rate, realised.actual),
    }
    return [
        Miss.model_validate({"month": month, "reading": name, "measure": measure, "estimated": said, "realised": was})
        for measure, (said, was) in pairs.items()
        if said is not None and was is not None
    ]


def _alike(one: Figures, other: Figures) -> bool:
    return (one.bad, one.auc) == (other.bad, other.auc)
