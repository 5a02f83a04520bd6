"""The fairness report of one model: decisions joined to audit columns, figures, proxies, alternatives.

Two samples. *As judged*: the recipe fitted on the development months, on all accounts of the out-of-time month, as the
gate saw it. *As served*: the deployed graph on the accounts of that month on which no model is ever fitted.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from models.bundle import Bundle
from models.clock import Month
from models.errors import Misconfigured
from models.estimator import Family
from models.governance import fairness_alternatives as alternatives
from models.governance import fairness_proxy as proxy
from models.governance.fairness import judge
from models.governance.fairness_groups import Decided, Labels, compare, groups, intersections, other_reading, table
from models.governance.fairness_report import FairnessReport
from models.influence import Floats
from models.policy import FairnessLimits, Policy
from models.scoring import Scorer
from models.splits import held_out
from models.usecase import UseCase
from pipelines.assessment import Cohorts
from pipelines.dataset import Dataset
from pipelines.fairness_audit import AuditTable
from pipelines.fairness_candidates import CHAMPION, OutOfFold, out_of_time, scored, tried
from pipelines.search import Progress, sample, silently
from pipelines.training import Recipe

JUDGED, SERVED, DEVELOPED = "as judged, out of time", "as served, accounts never trained on", "development, out of fold"


@dataclass(frozen=True)
class Materials:
    """What a report is computed from: the sealed model, the cohorts it came of, the stored record of its search
    (`Development.tables`)."""

    bundle: Bundle
    scorer: Scorer
    cohorts: Cohorts
    search: Mapping[str, Any]

    @property
    def recipe(self) -> Recipe:
        return Recipe.from_dict(self.bundle.lineage["recipe"])


@dataclass(frozen=True)
class _Joined:
    """Groups of every row of a data set by audit column, how many accounts the table does not know, and what was read."""

    columns: dict[str, Labels]
    unjoined: int
    sources: list[Mapping[str, Any]]

    def take(self, rows: Any) -> dict[str, Labels]:
        return {name: labels[rows] for name, labels in self.columns.items()}


def fairness_report(
    use_case: UseCase,
    materials: Materials,
    audit: AuditTable,
    families: Sequence[Family],
    *,
    workers: int = 1,
    progress: Progress = silently,
) -> FairnessReport:
    """Cut-offs, limits and reference are those sealed in the bundle. Raises `Misconfigured` if it has no fairness limits."""
    policy, limits, cohorts = materials.bundle.policy, _limits(materials.bundle), materials.cohorts
    candidates = _candidates(use_case, materials, families, workers, progress)
    rows, taught, recipe, confidence = cohorts.out_of_time, cohorts.taught(), materials.recipe, policy.gates.confidence
    probability = out_of_time(use_case, families, cohorts, recipe, candidates[CHAMPION].tried)
    served = rows.take(held_out(rows.accounts))
    joined, developed = (_joined(use_case, limits, audit, data) for data in (rows, taught))
    samples = {
        JUDGED: (_decided(policy, limits, rows, probability), joined.columns),
        SERVED: (
            _decided(policy, limits, served, materials.scorer.probabilities(use_case.contract.matrix(served.columns))),
            joined.take(held_out(rows.accounts)),
        ),
    }
    decided, columns = samples[JUDGED]
    figures = [
        f for name, (d, c) in samples.items() for column in c for f in compare(name, d, column, c[column], limits, confidence)
    ]
    figures += intersections(JUDGED, decided, columns, limits, confidence)
    powers = _powers(use_case, recipe, rows, decided, columns, limits, confidence)
    figures += proxy.figures(JUDGED, powers, columns, list(dict.fromkeys(power.predictor for power in powers)), limits)
    found = alternatives.frontier(
        {name: _decided(policy, limits, taught, each.probability) for name, each in candidates.items()},
        developed.columns,
        limits,
        confidence,
    )
    confirmed = _confirmed(use_case, materials, families, candidates[found.chosen], decided, columns, limits)
    rulings = [*judge(figures, limits), alternatives.ruling(DEVELOPED, found, confirmed, limits)]
    return FairnessReport(
        model=use_case.name,
        bundle=materials.bundle.digest,
        month=", ".join(np.unique(rows.months)),
        confidence=confidence,
        limits=limits,
        groups=[
            {"sample": name} | row
            for name, (d, c) in samples.items()
            for column in c
            for row in table(d, column, c[column], limits, confidence)
        ],
        powers=powers,
        frontier=found,
        confirmation=confirmed,
        rulings=rulings,
        other_reading=other_reading(decided, columns, limits, confidence),
        unjoined={JUDGED: joined.unjoined, DEVELOPED: developed.unjoined},
        sources=[*cohorts.matured.lineage(), *joined.sources, *developed.sources],
    )


def _limits(bundle: Bundle) -> FairnessLimits:
    if limits := bundle.policy.fairness:
        return limits
    raise Misconfigured(
        f"the policy sealed in bundle {bundle.digest[:12]} states no fairness limits, so nothing can be within them",
        hint="state FairnessLimits in the use case's policy.py, then `make train`",
    )


def _candidates(
    use_case: UseCase, materials: Materials, families: Sequence[Family], workers: int, progress: Progress
) -> dict[str, OutOfFold]:
    recipe, taught = materials.recipe, materials.cohorts.taught()
    chosen = tried(recipe, materials.search, sample(use_case, taught).features)
    found = scored(use_case, families, taught, recipe, chosen, workers, progress)
    return {each.tried.name: each for each in found}


def _confirmed(
    use_case: UseCase,
    materials: Materials,
    families: Sequence[Family],
    chosen: OutOfFold,
    champion: Decided,
    columns: Mapping[str, Labels],
    limits: FairnessLimits,
) -> alternatives.Confirmation:
    policy, cohorts, name = materials.bundle.policy, materials.cohorts, chosen.tried.name
    decided = champion
    if name != CHAMPION:
        probability = out_of_time(use_case, families, cohorts, materials.recipe, chosen.tried)
        decided = _decided(policy, limits, cohorts.out_of_time, probability)
    return alternatives.confirm(name, decided, champion, columns, limits, policy.gates.confidence)


def _decided(policy: Policy, limits: FairnessLimits, rows: Dataset, probability: Floats) -> Decided:
    return Decided.by(policy, limits, rows.accounts, probability, rows.bad)


def _joined(use_case: UseCase, limits: FairnessLimits, audit: AuditTable, rows: Dataset) -> _Joined:
    """Month by month: an account's age is that of the month in which it was decided on."""
    labels: dict[str, Labels] = {}
    unjoined, sources = 0, []
    for month in np.unique(rows.months):
        mine = rows.months == month
        found = audit.of(Month.parse(str(month)), rows.accounts[mine])
        for name, values in groups(use_case.contract, limits, found.columns, found.known).items():
            labels.setdefault(name, np.full(len(mine), "", dtype=values.dtype))[mine] = values
        unjoined += int((~found.known).sum())
        sources.append(found.source)
    return _Joined(labels, unjoined, sources)


def _powers(
    use_case: UseCase,
    recipe: Recipe,
    rows: Dataset,
    decided: Decided,
    columns: Mapping[str, Labels],
    limits: FairnessLimits,
    confidence: float,
) -> list[proxy.Power]:
    data = sample(use_case, rows).only(recipe.features)
    features = dict(zip(data.features, data.X.T, strict=True))
    return proxy.powers(features, decided.probability, columns, rows.accounts, limits, confidence)
