"""Groups of accounts by audit column, and the figures of each group against its reference."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, pairwise
from math import isfinite
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from models.contract import Columns, Contract
from models.evaluation import Estimate
from models.governance.fairness import statistics
from models.governance.fairness.figures import CROSSED, Figure, Kind, missing
from models.influence import Bools, Floats, log_odds
from models.policy import Action, FairnessLimits

Labels = NDArray[np.str_]
NOT_RECORDED = "not recorded"


@dataclass(frozen=True)
class Decided:
    """Decisions of one cohort and what became of the accounts, all of shape (n,)."""

    accounts: NDArray[np.str_]
    probability: Floats
    actions: NDArray[np.str_]
    favoured: Bools
    bad: Bools

    @classmethod
    def of(
        cls, limits: FairnessLimits, accounts: NDArray[np.str_], probability: Floats, actions: NDArray[np.str_], bad: Bools
    ) -> Self:
        """From quantised probabilities and the actions that the rule in force made of them."""
        return cls(accounts, probability, actions, np.isin(actions, [action.value for action in limits.favourable]), bad)


def groups(contract: Contract, limits: FairnessLimits, audit: Columns, known: Bools) -> dict[str, Labels]:
    """The group of every account (n,) by audit column; codes of one meaning are one group, numbers go into bands."""
    found = {}
    for name, values in audit.items():
        codes, labels = contract[name].codes, np.full(len(values), NOT_RECORDED, dtype="<U32")
        if codes:
            for code in np.unique(values[known]):
                labels[known & (values == code)] = codes.get(int(code), f"code {code}")
        else:
            names = np.array(band_names(limits.bands[name]))
            labels[known] = names[np.searchsorted(limits.bands[name], values[known], side="right")]
        found[name] = labels
    return found


def band_names(ends: Sequence[int]) -> list[str]:
    """ "under 18", "18 to 25", ..., "62 and over" for the lower ends 18, 26, ..., 62."""
    middle = [f"{low} to {high - 1}" for low, high in pairwise(ends)]
    return [f"under {ends[0]}", *middle, f"{ends[-1]} and over"]


def pairs(columns: Mapping[str, Labels]) -> dict[str, Labels]:
    """Every two columns crossed: "sex x age" with the groups "female, 26 to 30"."""
    return {
        f"{one}{CROSSED}{other}": np.char.add(np.char.add(columns[one], ", "), columns[other])
        for one, other in combinations(columns, 2)
    }


def reference(decided: Decided, of_row: Labels, limits: FairnessLimits) -> str:
    """The group that the others are compared with, among those with enough accounts; "" if there is none.

    A handful of accounts makes a poor yardstick, so a reference also needs a share of all (`reference_share`).
    """
    names, place, sizes = np.unique(of_row, return_inverse=True, return_counts=True)
    rates = np.bincount(place, weights=decided.favoured) / sizes
    measure = sizes if limits.reference == "largest" else rates
    least = max(limits.minimum_cell, limits.reference_share * len(of_row))
    enough = np.flatnonzero((sizes >= least) & (names != NOT_RECORDED))
    return str(names[enough[np.argmax(measure[enough])]]) if len(enough) else ""


def table(decided: Decided, column: str, of_row: Labels, limits: FairnessLimits, confidence: float) -> list[dict[str, Any]]:
    """One row a group: accounts, decisions, favourable rate, bads, mean prediction. Small groups show their size only."""
    chosen, rows = reference(decided, of_row, limits), []
    for name in np.unique(of_row):
        mine = of_row == name
        row = {"column": column, "group": str(name), "accounts": int(mine.sum()), "reference": str(name) == chosen}
        if mine.sum() >= limits.minimum_cell:
            share = statistics.rate(int(decided.favoured[mine].sum()), int(mine.sum()), confidence)
            row |= {action.value: int((decided.actions[mine] == action.value).sum()) for action in Action}
            row |= {"favourable_rate": share.value, "favourable_low": share.low, "favourable_high": share.high}
            row |= {"bad_rate": float(decided.bad[mine].mean()), "mean_probability": float(decided.probability[mine].mean())}
        rows.append(row)
    return rows


def compare(
    sample: str, decided: Decided, column: str, of_row: Labels, limits: FairnessLimits, confidence: float
) -> list[Figure]:
    """Every figure of every group of one audit column."""
    chosen, figures = reference(decided, of_row, limits), []
    for name in map(str, np.unique(of_row)):
        pair = _Pair(sample, decided, column, name, chosen, of_row == name, of_row == chosen, limits, confidence)
        figures += [pair.impact(), pair.score(), *pair.gaps()] if name != chosen else []
        figures.append(pair.calibration())
    return figures


def intersections(
    sample: str, decided: Decided, columns: Mapping[str, Labels], limits: FairnessLimits, confidence: float
) -> list[Figure]:
    """The impact ratio of every cell of two columns crossed; cells of too few accounts are one figure, without a number."""
    figures = []
    for column, of_row in pairs(columns).items():
        chosen = reference(decided, of_row, limits)
        sizes = dict(zip(*map(np.ndarray.tolist, np.unique(of_row, return_counts=True)), strict=True))
        small = [name for name, size in sizes.items() if size < limits.minimum_cell]
        for name in sizes.keys() - {chosen, *small}:
            pair = _Pair(sample, decided, column, name, chosen, of_row == name, of_row == chosen, limits, confidence)
            figures.append(pair.impact())
        if small:
            count, why = sum(sizes[name] for name in small), f"fewer than {limits.minimum_cell:,} accounts in each"
            figures.append(missing(sample, Kind.IMPACT_RATIO, column, f"in {len(small)} small cells", count, why))
    return sorted(figures, key=lambda figure: (figure.column, figure.group))


def other_reading(decided: Decided, columns: Mapping[str, Labels], limits: FairnessLimits, confidence: float) -> str:
    """What the lowest impact ratio would be if `review` counted the other way, so that nobody need take the policy's word."""
    counted = Action.REVIEW in limits.favourable
    turned = replace(decided, favoured=decided.favoured ^ (decided.actions == Action.REVIEW.value))
    found = [f for column, of_row in columns.items() for f in compare("", turned, column, of_row, limits, confidence)]
    ratios = [figure for figure in found if figure.kind is Kind.IMPACT_RATIO and not figure.shortfall]
    start = f"Were review counted as {'not ' if counted else ''}favourable, the lowest adverse impact ratio would be"
    if not ratios:
        return f"{start} unknown: no two groups have enough accounts."
    low = min(ratios, key=lambda figure: figure.estimate.value)
    return f"{start} {low.estimate.value:.3f} ({low.column} {low.group} against {low.reference}: {low.how})."


@dataclass(frozen=True)
class _Pair:
    """A group and its reference, as masks of the decided rows (n,)."""

    sample: str
    decided: Decided
    column: str
    group: str
    reference: str
    mine: Bools
    theirs: Bools
    limits: FairnessLimits
    confidence: float

    def impact(self) -> Figure:
        if lacking := self._lacking(Kind.IMPACT_RATIO):
            return lacking
        counts = self._counts(self.decided.favoured, self.mine, self.theirs)
        found = statistics.rate_ratio(*counts, self.confidence)
        p = statistics.fisher_exact(*counts)
        how = f"{counts[0]:,} of {counts[1]:,} against {counts[2]:,} of {counts[3]:,} accounts favoured, Katz log interval"
        return self._figure(Kind.IMPACT_RATIO, found, f"{how}, Fisher's exact p = {p:.2g}", p)

    def score(self) -> Figure:
        if lacking := self._lacking(Kind.SCORE_DIFFERENCE):
            return lacking
        score = log_odds(self.decided.probability)
        found = statistics.standardised_difference(score[self.mine], score[self.theirs], self.confidence)
        how = f"the means of {self.mine.sum():,} and {self.theirs.sum():,} accounts over their pooled deviation"
        return self._figure(Kind.SCORE_DIFFERENCE, found, how)

    def gaps(self) -> list[Figure]:
        """Positive is `bad`: a true positive is a bad account that was not favoured, a false positive a good one."""
        return [
            self._gap(Kind.TRUE_POSITIVE_GAP, self.decided.bad, "bad"),
            self._gap(Kind.FALSE_POSITIVE_GAP, ~self.decided.bad, "good"),
        ]

    def calibration(self) -> Figure:
        kind, bad = Kind.CALIBRATION_RATIO, self.decided.bad[self.mine]
        if lacking := self._lacking(kind) or self._few(kind, {self.group: min(int(bad.sum()), int((~bad).sum()))}, "bad or good"):
            return lacking
        predicted = self.decided.probability[self.mine]
        how = f"a mean prediction of {predicted.mean():.2%} and {bad.sum():,} bads in {len(bad):,} accounts"
        found = statistics.calibration_ratio(predicted, bad, self.confidence)
        return self._figure(kind, found, f"{how}, Wilson's interval of the latter", compared=False)

    def _gap(self, kind: Kind, among: Bools, word: str) -> Figure:
        mine, theirs = self.mine & among, self.theirs & among
        few = {self.group: int(mine.sum()), self.reference: int(theirs.sum())}
        if lacking := self._lacking(kind) or self._few(kind, few, word):
            return lacking
        counts = self._counts(~self.decided.favoured, mine, theirs)
        how = f"{counts[0]:,} of {counts[1]:,} against {counts[2]:,} of {counts[3]:,} {word} accounts not favoured"
        return self._figure(kind, statistics.rate_gap(*counts, self.confidence), f"{how}, Newcombe's interval")

    def _lacking(self, kind: Kind) -> Figure | None:
        size, least = int(self.mine.sum()), self.limits.minimum_cell
        if size >= least and self.reference:
            return None
        why = f"{size:,} accounts, {least:,} needed" if size < least else "no group is large enough to compare with"
        return missing(self.sample, kind, self.column, self.group, size, why)

    def _few(self, kind: Kind, sizes: Mapping[str, int], word: str) -> Figure | None:
        name = min(sizes, key=lambda each: sizes[each])
        if sizes[name] >= self.limits.minimum_outcomes:
            return None
        why = f"{sizes[name]:,} {word} accounts in {name}, {self.limits.minimum_outcomes:,} needed"
        return missing(self.sample, kind, self.column, self.group, int(self.mine.sum()), why)

    def _figure(self, kind: Kind, found: Estimate, how: str, p_value: float | None = None, *, compared: bool = True) -> Figure:
        size, reference = int(self.mine.sum()), self.reference if compared else ""
        if not isfinite(found.value):
            return missing(self.sample, kind, self.column, self.group, size, f"it is undefined, from {how}")
        return Figure(self.sample, kind, self.column, self.group, reference, size, found, how, p_value=p_value)

    @staticmethod
    def _counts(hit: Bools, mine: Bools, theirs: Bools) -> tuple[int, int, int, int]:
        return int(hit[mine].sum()), int(mine.sum()), int(hit[theirs].sum()), int(theirs.sum())
