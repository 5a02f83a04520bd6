"""Fairness figures as values, and what a jurisdiction's limits say of them.

A figure is within limits if its whole interval is, outside if its own value is not, and insufficient between the two or
where a cell is too small. Insufficient is never a pass: the data cannot show it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import inf, isfinite
from typing import Any

from models.evaluation import Estimate
from models.governance.fairness.statistics import UNDEFINED
from models.policy import FairnessLimits, JurisdictionLimits

EVERYWHERE = "every jurisdiction"
CROSSED = " x "  # joins the names of two audit columns


class Verdict(StrEnum):
    WITHIN = "within"
    INSUFFICIENT = "insufficient"
    OUTSIDE = "outside"


class Kind(StrEnum):
    """What is measured. The value is the name of its limit, and of the gate that it can fail."""

    IMPACT_RATIO = "impact_ratio"
    SCORE_DIFFERENCE = "score_difference"
    TRUE_POSITIVE_GAP = "true_positive_gap"
    FALSE_POSITIVE_GAP = "false_positive_gap"
    CALIBRATION_RATIO = "calibration_ratio"
    PROXY_AUC = "proxy_auc"
    ALTERNATIVE = "alternative"


TITLES: Mapping[Kind, str] = {
    Kind.IMPACT_RATIO: "Adverse impact ratio",
    Kind.SCORE_DIFFERENCE: "Standardised mean difference of the score (log-odds)",
    Kind.TRUE_POSITIVE_GAP: "Gap in true positive rate (bads not favoured)",
    Kind.FALSE_POSITIVE_GAP: "Gap in false positive rate (goods not favoured)",
    Kind.CALIBRATION_RATIO: "Predicted over observed bad rate",
    Kind.PROXY_AUC: "Power to tell the group (AUC, turned above .5)",
    Kind.ALTERNATIVE: "Gain in worst impact ratio of the best alternative",
}


@dataclass(frozen=True)
class Figure:
    """One number on one group. `reference` is "" where a group is not compared. `how` says what it was computed from.

    `shortfall` says why there is no number; then the estimate is undefined. `p_value` is Fisher's, where there is one.
    """

    sample: str
    kind: Kind
    column: str
    group: str
    reference: str
    rows: int
    estimate: Estimate
    how: str
    shortfall: str = ""
    p_value: float | None = None

    @property
    def sentence(self) -> str:
        who = f"{self.column} {self.group}" + (f" against {self.reference}" if self.reference else "")
        title = f"{TITLES[self.kind]} of {who} ({self.sample})"
        if self.shortfall:
            return f"{title} is not given: {self.shortfall}."
        found = self.estimate
        return f"{title} is {found.value:.3f} (interval {found.low:.3f} to {found.high:.3f}), from {self.how}."

    def to_dict(self) -> dict[str, Any]:
        plain = {name: getattr(self, name) for name in ("sample", "column", "group", "reference", "rows", "how", "shortfall")}
        ends = {end: value if isfinite(value) else None for end, value in vars(self.estimate).items()}
        return plain | {"kind": self.kind.value, "p_value": self.p_value, "sentence": self.sentence} | ends


@dataclass(frozen=True)
class Ruling:
    """What the limits of one jurisdiction say of a figure: it must lie from `low` to `high`."""

    jurisdiction: str
    figure: Figure
    low: float
    high: float
    verdict: Verdict
    why: str

    @property
    def gate(self) -> str:
        """The gate that this figure can fail."""
        return f"fairness.{self.figure.kind}"

    @property
    def sentence(self) -> str:
        return f"{self.figure.sentence} {self.why}"

    def to_dict(self) -> dict[str, Any]:
        ends = {name: value if isfinite(value) else None for name, value in (("limit_low", self.low), ("limit_high", self.high))}
        return {"jurisdiction": self.jurisdiction, "verdict": self.verdict.value, "why": self.why} | ends


def missing(sample: str, kind: Kind, column: str, group: str, rows: int, shortfall: str) -> Figure:
    """A figure that the data are too few for: it has no number, so that nobody quotes one."""
    return Figure(sample, kind, column, group, "", rows, UNDEFINED, "", shortfall)


def judge(figures: Iterable[Figure], limits: FairnessLimits) -> list[Ruling]:
    """Every figure under the limits of every jurisdiction that judges its audit column; a crossing needs both columns."""
    return [
        rule(figure, name, *bounds(each, figure.kind))
        for figure in figures
        for name, each in limits.jurisdictions.items()
        if set(figure.column.split(CROSSED)) <= set(each.columns)
    ]


def rule(figure: Figure, jurisdiction: str, low: float, high: float) -> Ruling:
    verdict, found = Verdict.INSUFFICIENT, figure.estimate
    asked = " and ".join(f"{sign} {end:g}" for sign, end in ((">=", low), ("<=", high)) if isfinite(end))
    why = f"{jurisdiction} asks all of it to be {asked}: "
    if figure.shortfall or not isfinite(found.value):
        why += "insufficient, there is no number."
    elif not low <= found.value <= high:
        verdict, why = Verdict.OUTSIDE, why + "outside."
    elif low <= found.low and found.high <= high:
        verdict, why = Verdict.WITHIN, why + "within."
    else:
        why += "insufficient, the interval reaches outside."
    return Ruling(jurisdiction, figure, low, high, verdict, why)


def bounds(limits: JurisdictionLimits, kind: Kind) -> tuple[float, float]:
    """From where to where a figure of this kind may lie."""
    match kind:
        case Kind.IMPACT_RATIO:
            return limits.impact_ratio, inf
        case Kind.CALIBRATION_RATIO:
            return limits.calibration_ratio
        case Kind.PROXY_AUC:
            return 0.0, limits.proxy_auc
        case _:
            reach = float(getattr(limits, kind.value))
            return -reach, reach


def worst(rulings: Sequence[Ruling]) -> Verdict:
    """Outside before insufficient before within; nothing at all is insufficient."""
    order = list(Verdict)
    return max((ruling.verdict for ruling in rulings), key=order.index, default=Verdict.INSUFFICIENT)
