"""Choosing, on the development folds alone: features, hyper-parameters, calibration and family; and checking the cut-offs.

Every score that a choice rests on is out of fold, and folds hold whole accounts across all months. The out-of-time
month is not an argument here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.calibration import IDENTITY, Calibration, platt, sigmoid
from models.errors import NotEnoughData
from models.estimator import Family
from models.evaluation import Estimate, evaluate, log_loss, paired_gain
from models.policy import GateLimits
from models.splits import folds as cut
from models.usecase import UseCase
from pipelines.candidates import Candidate, Effort, bench, best_of
from pipelines.dataset import Dataset
from pipelines.search import Optimiser, Progress, Sample, sample, silently
from pipelines.selection import dimensionality, learning_curve
from pipelines.thresholds import Neighbour, neighbours
from pipelines.training import Recipe, cross_calibrated

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

PROBE_ROWS = 6_000  # training rows by fold for the picture of fewer dimensions
SHARES = (0.1, 0.3, 1.0)
COMPONENTS = (4, 12)


@dataclass(frozen=True)
class Development:
    """What was chosen, and all that the choice rested on. `probabilities` are out of fold and calibrated crosswise (n,)."""

    recipe: Recipe
    reason: str
    gains: Mapping[str, Estimate]
    candidates: Mapping[str, Candidate]
    probabilities: Floats
    estimates: Mapping[str, Estimate]
    cut_offs: Sequence[Neighbour]
    curve: Sequence[Mapping[str, float]]
    components: Sequence[Mapping[str, float]]

    def metrics(self) -> dict[str, float]:
        """Flat figures for a tracking server."""
        found = {f"development.{name}": figure.value for name, figure in self.estimates.items()}
        for name, candidate in self.candidates.items():
            found[f"development.{name}.log_loss"] = candidate.log_loss
            found[f"search.{name}.trials"] = float(len(candidate.search.trials))
            found[f"selection.{name}.features"] = float(len(candidate.selection.chosen))
        for name, gain in self.gains.items():
            found |= {f"family_gain.{name}.auc": gain.value, f"family_gain.{name}.auc_low": gain.low}
        return found

    def tables(self) -> dict[str, Any]:
        """The pictures as JSON: features, learning curve, components, cut-offs and trials."""
        return {
            "selection": {name: asdict(each.selection) for name, each in self.candidates.items()},
            "trials": {name: [asdict(trial) for trial in each.search.trials] for name, each in self.candidates.items()},
            "learning_curve": list(self.curve),
            "components": list(self.components),
            "cut_offs": [asdict(each) for each in self.cut_offs],
        }


def develop(
    use_case: UseCase,
    dataset: Dataset,
    families: Sequence[Family],
    optimiser: Optimiser,
    effort: Effort,
    progress: Progress = silently,
) -> Development:
    """Choose on `dataset`, which must hold the development months and nothing later."""
    data = sample(use_case, dataset)
    folds = cut(data.accounts, effort.folds, effort.seed)
    if not all(0 < data.bad[rows].sum() < len(rows) for fold in folds for rows in fold):
        raise NotEnoughData("a fold lacks bad or good accounts", hint="develop on more accounts, or in fewer folds")
    ordered = sorted(families, key=lambda family: family.complexity)
    shares = _shares(use_case, ordered, effort.trials)
    candidates = {
        family.name: best_of(use_case, family, data, folds, effort, shares[family.name], optimiser, progress)
        for family in ordered
    }
    name, gains, reason = choose(candidates, data.bad, data.accounts, use_case.policy.gates)
    winner = candidates[name]
    calibration, probabilities = calibrated(winner.log_odds, data, effort.seed)
    pictured = bench(use_case, winner.family, winner.chosen.parameters, folds, effort)
    chosen = data.only(winner.selection.chosen)
    return Development(
        recipe=_recipe(use_case, dataset, winner, calibration, effort, candidates),
        reason=reason,
        gains=gains,
        candidates=candidates,
        probabilities=probabilities,
        estimates=evaluate(data.bad, probabilities, data.accounts, confidence=use_case.policy.gates.confidence),
        cut_offs=neighbours(use_case.policy, data.bad, probabilities, data.accounts),
        curve=learning_curve(pictured, chosen, SHARES),
        components=dimensionality(pictured, data, [count for count in COMPONENTS if count < len(data.features)], PROBE_ROWS),
    )


def choose(
    candidates: Mapping[str, Candidate], bad: Bools, accounts: NDArray[Any], limits: GateLimits
) -> tuple[str, dict[str, Estimate], str]:
    """The simplest family, unless a more complex one's paired AUC gain is surely above the margin.

    `candidates` come simplest first. Returns the name, the gains that were looked at, and the reason in words.
    """
    names = list(candidates)
    winner, gains, reason = names[0], {}, f"{names[0]} is the only family"
    for name in names[1:]:
        ours, theirs = candidates[name].log_odds, candidates[winner].log_odds
        gain = paired_gain(bad, ours, theirs, accounts, "auc", limits.confidence)
        gains[f"{name}_over_{winner}"] = gain
        seen = f"{name} gains {gain.value:+.4f} AUC over {winner} on unseen rows, surely more than {gain.low:+.4f}"
        if gain.low > limits.family_margin:
            winner, reason = name, f"{seen}: above the margin of {limits.family_margin}"
        else:
            reason = f"{seen}: not above the margin of {limits.family_margin}, so the simpler {winner} stays"
    return winner, gains, reason


def _shares(use_case: UseCase, families: Sequence[Family], trials: int) -> dict[str, int]:
    """Trials by family, at least one each; what rounding leaves goes to the last, the most complex."""
    sizes = {family.name: len(use_case.search_spaces[family.name]) for family in families}
    shares = {name: max(1, trials * size // sum(sizes.values())) for name, size in sizes.items()}
    last = families[-1].name
    return shares | {last: max(1, trials - sum(shares.values()) + shares[last])}


def calibrated(log_odds: Floats, data: Sample, seed: int) -> tuple[Calibration, Floats]:
    """Platt's two numbers if they help accounts that they were not taken from, else none; and the probabilities so judged."""
    raw, crossed = sigmoid(log_odds), cross_calibrated(log_odds, data.bad, data.accounts, seed)
    if log_loss(data.bad, crossed) < log_loss(data.bad, raw):
        return platt(log_odds, data.bad), crossed
    return IDENTITY, raw


def _recipe(
    use_case: UseCase,
    dataset: Dataset,
    winner: Candidate,
    calibration: Calibration,
    effort: Effort,
    candidates: Mapping[str, Candidate],
) -> Recipe:
    return Recipe(
        use_case=use_case.name,
        family=winner.family.name,
        features=winner.selection.chosen,
        parameters=dict(winner.chosen.parameters),
        calibration=calibration,
        seed=effort.seed,
        development=tuple(np.unique(dataset.months).tolist()),
        definition_version=dataset.definition_version,
        search={
            "folds": effort.folds,
            "rows_per_fold": effort.rows,
            "families": {name: each.search.summary() | {"chosen": each.chosen.number} for name, each in candidates.items()},
        },
    )
