"""Is there a less discriminatory alternative among the models that were tried anyway?

Every candidate decides the same development rows out of fold. Its worst impact ratio (over all groups of enough accounts,
each against the reference that the champion has) stands against its AUC. Differences to the champion are paired and
clustered by account.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from math import inf, isfinite, nan
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.evaluation import Estimate, auc, clusters, estimate, paired_gain
from models.governance.fairness.figures import EVERYWHERE, Figure, Kind, Ruling, Verdict, missing
from models.governance.fairness.groups import Decided, Labels, reference
from models.governance.fairness.statistics import UNDEFINED
from models.influence import Bools, Statistic
from models.policy import FairnessLimits

CHAMPION = "champion"


@dataclass(frozen=True)
class Cell:
    """A group of enough accounts and its reference."""

    column: str
    group: str
    reference: str

    @property
    def words(self) -> str:
        return f"{self.column} {self.group} against {self.reference}"


@dataclass(frozen=True)
class Point:
    """A candidate: AUC, worst impact ratio and where, and its gains over the champion (the impact ratio's in the champion's
    worst cell). `efficient`: no other candidate is as good in both and better in one."""

    name: str
    auc: float
    auc_gain: Estimate
    impact_ratio: float
    worst: str
    impact_gain: Estimate
    efficient: bool = False


@dataclass(frozen=True)
class Frontier:
    """What the search for alternatives found on development rows."""

    points: tuple[Point, ...]
    chosen: str
    reason: str

    def point(self, name: str) -> Point:
        return next(point for point in self.points if point.name == name)

    def to_dict(self) -> dict[str, Any]:
        return {"points": [_plain(asdict(point)) for point in self.points], "chosen": self.chosen, "reason": self.reason}


@dataclass(frozen=True)
class Confirmation:
    """The chosen candidate, once out of time, against the champion's recipe: is the gain still there?"""

    name: str
    point: Point
    champion: Point
    held: bool
    sentence: str

    def to_dict(self) -> dict[str, Any]:
        return {name: _plain(value) for name, value in asdict(self).items()}


def cells(decided: Decided, columns: Mapping[str, Labels], limits: FairnessLimits) -> list[Cell]:
    """Every group of enough accounts that is not a reference itself."""
    found = []
    for column, of_row in columns.items():
        chosen = reference(decided, of_row, limits)
        names, sizes = np.unique(of_row, return_counts=True)
        large = [str(name) for name, size in zip(names, sizes, strict=True) if size >= limits.minimum_cell]
        found += [Cell(column, name, chosen) for name in large if chosen and name != chosen]
    return found


def frontier(
    decided: Mapping[str, Decided], columns: Mapping[str, Labels], limits: FairnessLimits, confidence: float
) -> Frontier:
    """`decided` by candidate on the same rows, the champion's recipe under `CHAMPION`."""
    compared = cells(decided[CHAMPION], columns, limits)
    points = [_point(name, each, decided[CHAMPION], columns, compared, confidence) for name, each in decided.items()]
    return choose([replace(point, efficient=not _dominated(point, points)) for point in points], limits)


def choose(points: Sequence[Point], limits: FairnessLimits) -> Frontier:
    """The highest worst ratio among those that surely cost no more AUC than the margin and surely gain; else the champion."""
    base = next(point for point in points if point.name == CHAMPION)
    as_good = [point for point in points if point.auc_gain.low >= -limits.auc_margin and point.name != CHAMPION]
    better = [
        point for point in as_good if point.impact_ratio - base.impact_ratio >= limits.impact_gain and point.impact_gain.low > 0
    ]
    seen = (
        f"{len(points) - 1} alternatives were tried; {len(as_good)} surely cost at most {limits.auc_margin:g} AUC,"
        f" and {len(better)} of these raise the worst impact ratio by {limits.impact_gain:g} or more, surely above 0"
    )
    if not isfinite(base.impact_ratio):
        return Frontier(tuple(points), CHAMPION, "No group has enough accounts to compare: nothing can be said of alternatives.")
    if not better:
        kept = f"the champion stays: AUC {base.auc:.4f}, worst impact ratio {base.impact_ratio:.3f} ({base.worst})"
        return Frontier(tuple(points), CHAMPION, f"{seen}; {kept}.")
    best = max(better, key=lambda point: (point.impact_ratio, point.auc))
    words = (
        f"{best.name} is less discriminatory: worst impact ratio {best.impact_ratio:.3f} ({best.worst}) instead of"
        f" {base.impact_ratio:.3f}, at {best.auc_gain.value:+.4f} AUC"
    )
    return Frontier(tuple(points), best.name, f"{seen}; {words}.")


def confirm(
    name: str,
    alternative: Decided,
    champion: Decided,
    columns: Mapping[str, Labels],
    limits: FairnessLimits,
    confidence: float,
) -> Confirmation:
    """Out of time, once: the same rule on rows that no choice has seen."""
    compared = cells(champion, columns, limits)
    base, point = (_point(n, d, champion, columns, compared, confidence) for n, d in ((CHAMPION, champion), (name, alternative)))
    held = name != CHAMPION and choose([base, point], limits).chosen == name
    words = f"Out of time, on {len(champion.bad):,} accounts, {name} has AUC {point.auc:.4f} and worst impact ratio"
    words += f" {point.impact_ratio:.3f} ({point.worst})"
    if name != CHAMPION:
        words += f", the champion {base.auc:.4f} and {base.impact_ratio:.3f}: the gain {'held' if held else 'did not hold'}"
    return Confirmation(name, point, base, held, f"{words}.")


def ruling(sample: str, found: Frontier, confirmed: Confirmation, limits: FairnessLimits) -> Ruling:
    """Within if no alternative is better; outside if one is, also out of time; else a person must look."""
    base = found.point(CHAMPION)
    verdict = Verdict.WITHIN
    if not isfinite(base.impact_ratio):
        verdict = Verdict.INSUFFICIENT
    elif found.chosen != CHAMPION:
        verdict = Verdict.OUTSIDE if confirmed.held else Verdict.INSUFFICIENT
    return Ruling(
        EVERYWHERE, _gain(sample, found, limits), -inf, limits.impact_gain, verdict, f"{found.reason} {confirmed.sentence}"
    )


def _gain(sample: str, found: Frontier, limits: FairnessLimits) -> Figure:
    """The best that any alternative does in the champion's worst cell without costing more AUC than the margin."""
    base, tried = found.point(CHAMPION), len(found.points) - 1
    as_good = [point for point in found.points if point.name != CHAMPION and point.auc_gain.low >= -limits.auc_margin]
    if not as_good or not isfinite(base.impact_ratio):
        why = f"none of {tried} alternatives surely costs at most {limits.auc_margin:g} AUC" if tried else "nothing was tried"
        why = why if isfinite(base.impact_ratio) else "no group has enough accounts to compare"
        return missing(sample, Kind.ALTERNATIVE, "candidates", "all", tried, why)
    best = max(as_good, key=lambda point: point.impact_gain.value)
    how = f"{len(as_good)} of {tried} alternatives, in the champion's worst cell ({base.worst}), paired by account"
    return Figure(sample, Kind.ALTERNATIVE, "candidate", best.name, "", tried, best.impact_gain, how)


def impact(favoured: Bools, of_row: Labels, cell: Cell) -> Statistic:
    """The impact ratio of a cell with its influence by row: (n / rows of the group) (favoured - rate) / rate of the reference,
    and the like for the reference, so that paired differences have an interval (delta method)."""
    mine, theirs = of_row == cell.group, of_row == cell.reference
    if not mine.any() or not favoured[theirs].any():
        return Statistic(nan, np.full(len(favoured), nan))
    ours, base = float(favoured[mine].mean()), float(favoured[theirs].mean())
    row = np.where(mine, (favoured - ours) / (base * mine.sum()), 0.0)
    row -= np.where(theirs, ours * (favoured - base) / (base**2 * theirs.sum()), 0.0)
    return Statistic(ours / base, len(favoured) * row)


def _point(
    name: str,
    decided: Decided,
    champion: Decided,
    columns: Mapping[str, Labels],
    compared: Sequence[Cell],
    confidence: float,
) -> Point:
    accounts: NDArray[Any] = champion.accounts
    gain = paired_gain(champion.bad, decided.probability, champion.probability, accounts, "auc", confidence)
    found = auc(champion.bad, decided.probability)
    if not compared:
        return Point(name, found, gain, nan, "", UNDEFINED)
    worst = min(compared, key=lambda cell: impact(decided.favoured, columns[cell.column], cell).value)
    theirs = min(compared, key=lambda cell: impact(champion.favoured, columns[cell.column], cell).value)
    difference = impact(decided.favoured, columns[theirs.column], theirs) - impact(
        champion.favoured, columns[theirs.column], theirs
    )
    ratio = impact(decided.favoured, columns[worst.column], worst).value
    return Point(
        name, found, gain, ratio, worst.words, estimate(difference, champion.bad, clusters(accounts), confidence=confidence)
    )


def _dominated(point: Point, points: Sequence[Point]) -> bool:
    return any(
        other.auc >= point.auc
        and other.impact_ratio >= point.impact_ratio
        and (other.auc > point.auc or other.impact_ratio > point.impact_ratio)
        for other in points
    )


def _plain(data: Any) -> Any:
    """JSON has no NaN: undefined is null."""
    if isinstance(data, dict):
        return {name: _plain(value) for name, value in data.items()}
    return None if isinstance(data, float) and not isfinite(data) else data
