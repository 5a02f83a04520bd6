"""What was tried anyway, scored again: the candidates of the search for less discriminatory alternatives.

This module stands on the trainer's side of the wall: it sees recipes, rows and outcomes, and no audit column. It hands
out probabilities by candidate; only the fairness step joins them with anything else. The search keeps losses, not
scores, so a bounded number of candidates is fitted again, on the same folds: cheaper than storing scores of every trial.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.calibration import sigmoid
from models.errors import Misconfigured, NotEnoughData
from models.estimator import Family
from models.splits import folds
from models.usecase import UseCase
from pipelines.assessment import Cohorts
from pipelines.candidates import out_of_fold
from pipelines.dataset import Dataset
from pipelines.development import calibrated
from pipelines.search import Progress, Sample, Search, Trial, sample, silently
from pipelines.selection import Bench
from pipelines.training import Recipe, fit

Floats = NDArray[np.float64]

CHAMPION = "champion"
BEST_TRIALS = 3  # further trials by family, best first
SEEDS = 2  # further seeds of the champion's own parameters


@dataclass(frozen=True)
class Tried:
    """A candidate by name: enough to fit it again."""

    name: str
    family: str
    features: tuple[str, ...]
    parameters: Mapping[str, float | int | str]
    seed: int

    def recipe(self, champion: Recipe) -> Recipe:
        return replace(champion, family=self.family, features=self.features, parameters=dict(self.parameters), seed=self.seed)


@dataclass(frozen=True)
class OutOfFold:
    """Of one candidate: calibrated probabilities of the rows while they were out of fold, (n,)."""

    tried: Tried
    probability: Floats


def tried(recipe: Recipe, development: Mapping[str, Any], features: Sequence[str]) -> list[Tried]:
    """The champion first; then the best other trials of every family, the other feature subsets, and other seeds.

    `development` is what `Development.tables` wrote: the stored record of the search. `features` are the use case's, in
    order. No row of data is looked at.
    """
    found = [Tried(CHAMPION, recipe.family, recipe.features, recipe.parameters, recipe.seed)]
    for family, trials in development["trials"].items():
        chosen = tuple(development["selection"][family]["chosen"])
        known = Search(family, "", tuple(Trial(**{**trial, "losses": tuple(trial["losses"])}) for trial in trials), 0)
        others = [t for t in known.finalists(len(trials)) if (family, dict(t.parameters)) != _chosen(recipe)]
        found += [Tried(f"{family} trial {t.number}", family, chosen, t.parameters, recipe.seed) for t in others[:BEST_TRIALS]]
    selection = development["selection"][recipe.family]
    for size in sorted({subset["size"] for subset in selection["subsets"]} - {len(recipe.features)}):
        best = list(selection["importance"])[:size]
        kept = tuple(name for name in features if name in best)
        found.append(Tried(f"{size} features", recipe.family, kept, recipe.parameters, recipe.seed))
    seeds = range(recipe.seed + 1, recipe.seed + 1 + SEEDS)
    return found + [Tried(f"seed {seed}", recipe.family, recipe.features, recipe.parameters, seed) for seed in seeds]


def scored(
    use_case: UseCase,
    families: Sequence[Family],
    taught: Dataset,
    recipe: Recipe,
    candidates: Sequence[Tried],
    workers: int = 1,
    progress: Progress = silently,
) -> list[OutOfFold]:
    """Every candidate on the folds of the search, whole; `taught` are the development rows that the champion was taught."""
    data = sample(use_case, taught)
    cut, found = folds(data.accounts, int(recipe.search["folds"]), recipe.seed), []
    for number, each in enumerate(candidates):
        progress("alternatives", number, len(candidates))
        bench = Bench(named(families, each.family), each.parameters, use_case.policy.directions, cut, each.seed, workers)
        log_odds = out_of_fold(bench, data.only(each.features))
        found.append(OutOfFold(each, _probability(log_odds, data, recipe.seed)))
    progress("alternatives", len(candidates), len(candidates))
    return found


def out_of_time(use_case: UseCase, families: Sequence[Family], cohorts: Cohorts, champion: Recipe, chosen: Tried) -> Floats:
    """Probabilities (n,) of the out-of-time rows by a candidate fitted and calibrated as the gate's candidate is."""
    model = fit(chosen.recipe(champion), use_case, families, cohorts.taught(), cohorts.newest_held_out())
    return model.probabilities(cohorts.out_of_time.columns)


def _probability(log_odds: Floats, data: Sample, seed: int) -> Floats:
    """As the search calibrates; a score that does not rise with the bads cannot be, and stays what it says."""
    try:
        return calibrated(log_odds, data, seed)[1]
    except NotEnoughData:
        return sigmoid(log_odds)


def named(families: Sequence[Family], name: str) -> Family:
    for family in families:
        if family.name == name:
            return family
    raise Misconfigured(f"the family {name} was tried and is gone", hint="train again with `make train`")


def _chosen(recipe: Recipe) -> tuple[str, dict[str, Any]]:
    return recipe.family, dict(recipe.parameters)
