"""Proxies: how well a feature, all features together, and the score tell to which group an account belongs.

Chance is an AUC of .5. A feature may point either way, so its AUC is turned above .5; by how much a meaningless feature
would then still stray from .5 is stated beside every figure.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isnan
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models import influence
from models.evaluation import Estimate, clusters, estimate
from models.governance.fairness.figures import Figure, Kind, missing
from models.governance.fairness.statistics import chance_reach
from models.influence import Bools, Floats
from models.policy import FairnessLimits
from models.splits import folds

TOGETHER = "all features together"
FOLDS, BINS, RIDGE, SEED = 5, 8, 10.0, 0


@dataclass(frozen=True)
class Power:
    """How well a predictor tells a group from all others: AUC above .5, and how high chance alone reaches."""

    predictor: str
    column: str
    group: str
    rows: int
    estimate: Estimate
    chance: float

    def to_dict(self) -> dict[str, Any]:
        named = {"predictor": self.predictor, "column": self.column, "group": self.group, "rows": self.rows}
        return named | vars(self.estimate) | {"chance": self.chance}


def powers(
    features: Mapping[str, Floats],
    score: Floats,
    columns: Mapping[str, NDArray[np.str_]],
    accounts: NDArray[Any],
    limits: FairnessLimits,
    confidence: float,
) -> list[Power]:
    """Of every feature, of all together and of the score, for every group of enough accounts (and enough others)."""
    members = {(column, str(name)): of_row == name for column, of_row in columns.items() for name in np.unique(of_row)}
    least = limits.minimum_cell
    members = {cell: mine for cell, mine in members.items() if min(mine.sum(), (~mine).sum()) >= least}
    together = predicted(np.column_stack(list(features.values())), members, accounts) if members else {}
    cluster, found = clusters(accounts), []
    for (column, name), mine in members.items():
        rows, others = int(mine.sum()), int((~mine).sum())
        predictors = {**features, TOGETHER: together[column, name], "score": score}
        chance = 0.5 + chance_reach(rows, others, confidence)
        found += [
            Power(predictor, column, name, rows, _turned(mine, values, cluster, confidence), chance)
            for predictor, values in predictors.items()
        ]
    return found


def figures(sample: str, found: list[Power], columns: Mapping[str, NDArray[np.str_]], limits: FairnessLimits) -> list[Figure]:
    """By predictor and audit column: the group that it tells best."""
    predictors = list(dict.fromkeys(power.predictor for power in found)) or [TOGETHER]
    made = []
    for column, of_row in columns.items():
        for predictor in predictors:
            mine = [each for each in found if (each.column, each.predictor) == (column, predictor)]
            if not mine:
                why = f"no group and its others have {limits.minimum_cell:,} accounts each"
                made.append(missing(sample, Kind.PROXY_AUC, column, f"by {predictor}", len(of_row), why))
                continue
            best = max(mine, key=lambda each: each.estimate.value)
            how = (
                f"{best.rows:,} of {len(of_row):,} accounts, one against the rest, the highest of {len(mine)} groups;"
                f" chance is .5 and strays up to {best.chance:.3f}"
                + (f"; ridge regression on {BINS} bins a feature, {FOLDS} folds" if predictor == TOGETHER else "")
            )
            who = f"{best.group} by {predictor}"
            made.append(Figure(sample, Kind.PROXY_AUC, column, who, "", best.rows, best.estimate, how))
    return made


def predicted(X: Floats, members: Mapping[tuple[str, str], Bools], accounts: NDArray[Any]) -> dict[tuple[str, str], Floats]:
    """Out-of-fold scores (n,) by column and group: ridge regression of membership on binned features (Hastie et al. 2009, 4.2).

    Binning lets each feature act in any shape; one solution serves all groups. Folds hold whole accounts.
    """
    targets = np.column_stack([mine.astype(np.float64) for mine in members.values()])
    design = np.column_stack([_binned(values) for values in X.T])
    scores = np.empty_like(targets)
    for train, valid in folds(accounts, FOLDS, SEED):
        centre, mean = design[train].mean(axis=0), targets[train].mean(axis=0)
        Z = design[train] - centre
        weights = np.linalg.solve(Z.T @ Z + RIDGE * np.eye(Z.shape[1]), Z.T @ (targets[train] - mean))
        scores[valid] = (design[valid] - centre) @ weights + mean
    return {cell: scores[:, place] for place, cell in enumerate(members)}


def _binned(values: Floats) -> Floats:
    """Indicators of bins of about equal size, shape (n, bins used)."""
    edges = np.unique(np.quantile(values, np.arange(1, BINS) / BINS))
    place = np.searchsorted(edges, values, side="left")
    return np.asarray(place[:, None] == np.arange(len(edges) + 1), dtype=np.float64)


def _turned(member: Bools, values: Floats, cluster: NDArray[np.intp], confidence: float) -> Estimate:
    found = estimate(influence.auc(member, values), member, cluster, confidence=confidence, share=True)
    if isnan(found.low) or found.value >= 0.5:
        return found
    return Estimate(1 - found.value, 1 - found.high, 1 - found.low)
