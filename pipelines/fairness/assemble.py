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
from models.governance.doubt.rule import Rule
from models.governance.fairness import alternatives, proxy
from models.governance.fairness.figures import Figure, judge
from models.governance.fairness.groups import Decided, Labels, compare, groups, intersections, other_reading, table
from models.governance.fairness.report import FairnessReport
from models.influence import Floats
from models.policy import FairnessLimits
from models.scoring import Scorer
from models.splits import held_out
from models.usecase import UseCase
from pipelines.assessment import Cohorts
from pipelines.dataset import Dataset
from pipelines.fairness.audit import AuditTable
from pipelines.fairness.candidates import CHAMPION, OutOfFold, Tried, out_of_time, scored, tried
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


_Sample = tuple[Decided, dict[str, Labels]]


def fairness_report(
    use_case: UseCase,
    materials: Materials,
    audit: AuditTable,
    families: Sequence[Family],
    *,
    workers: int = 1,
    progress: Progress = silently,
) -> FairnessReport:
    """Decision rule, limits and reference are those sealed in the bundle. Raises `Misconfigured` if it has no fairness limits."""
    work = _Work(use_case, materials, families, _limits(materials.bundle), Rule.of(materials.bundle))
    cohorts, limits, confidence = materials.cohorts, work.limits, work.confidence
    candidates = work.candidates(workers, progress)
    rows, taught = (work.joined(audit, data) for data in (cohorts.out_of_time, cohorts.taught()))
    samples = work.samples(candidates[CHAMPION].tried, rows)
    decided, columns = samples[JUDGED]
    powers = work.powers(decided, columns)
    found = alternatives.frontier(
        {name: work.decided(cohorts.taught(), each.probability) for name, each in candidates.items()},
        taught.columns,
        limits,
        confidence,
    )
    confirmed = work.confirmed(candidates[found.chosen].tried, decided, columns)
    figures = [*work.figures(samples), *proxy.figures(JUDGED, powers, columns, limits)]
    return FairnessReport(
        model=use_case.name,
        bundle=materials.bundle.digest,
        month=str(cohorts.plan.out_of_time),
        confidence=confidence,
        limits=limits,
        groups=work.groups(samples),
        powers=powers,
        frontier=found,
        confirmation=confirmed,
        rulings=[*judge(figures, limits), alternatives.ruling(DEVELOPED, found, confirmed, limits)],
        other_reading=other_reading(decided, columns, limits, confidence),
        unjoined={JUDGED: rows.unjoined, DEVELOPED: taught.unjoined},
        sources=[*cohorts.matured.lineage(), *rows.sources, *taught.sources],
    )


@dataclass(frozen=True)
class _Work:
    """What every part of a report needs."""

    use_case: UseCase
    materials: Materials
    families: Sequence[Family]
    limits: FairnessLimits
    rule: Rule

    @property
    def confidence(self) -> float:
        return self.rule.policy.gates.confidence

    def candidates(self, workers: int, progress: Progress) -> dict[str, OutOfFold]:
        recipe, taught = self.materials.recipe, self.materials.cohorts.taught()
        chosen = tried(recipe, self.materials.search, sample(self.use_case, taught).features)
        found = scored(self.use_case, self.families, taught, recipe, chosen, workers, progress)
        return {each.tried.name: each for each in found}

    def decided(self, rows: Dataset, probability: Floats) -> Decided:
        """As in service: doubts that send an account to a person count as reviews."""
        scores = self.rule.policy.quantise(probability)
        actions = self.rule.actions(scores, self.use_case.contract.matrix(rows.columns))
        return Decided.of(self.limits, rows.accounts, scores, actions, rows.bad)

    def out_of_time(self, candidate: Tried) -> Decided:
        cohorts = self.materials.cohorts
        probability = out_of_time(self.use_case, self.families, cohorts, self.materials.recipe, candidate)
        return self.decided(cohorts.out_of_time, probability)

    def joined(self, audit: AuditTable, rows: Dataset) -> _Joined:
        """Month by month: an account's age is that of the month in which it was decided on."""
        labels: dict[str, Labels] = {}
        unjoined, sources = 0, []
        for month in np.unique(rows.months):
            mine = rows.months == month
            found = audit.of(Month.parse(str(month)), rows.accounts[mine])
            for name, values in groups(self.use_case.contract, self.limits, found.columns, found.known).items():
                labels.setdefault(name, np.full(len(mine), "", dtype=values.dtype))[mine] = values
            unjoined += int((~found.known).sum())
            sources.append(found.source)
        return _Joined(labels, unjoined, sources)

    def samples(self, champion: Tried, joined: _Joined) -> dict[str, _Sample]:
        rows = self.materials.cohorts.out_of_time
        unseen = held_out(rows.accounts)
        served = rows.take(unseen)
        probability = self.materials.scorer.probabilities(self.use_case.contract.matrix(served.columns))
        return {
            JUDGED: (self.out_of_time(champion), joined.columns),
            SERVED: (self.decided(served, probability), joined.take(unseen)),
        }

    def figures(self, samples: Mapping[str, _Sample]) -> list[Figure]:
        found = [
            figure
            for name, (decided, columns) in samples.items()
            for column, of_row in columns.items()
            for figure in compare(name, decided, column, of_row, self.limits, self.confidence)
        ]
        return found + intersections(JUDGED, *samples[JUDGED], self.limits, self.confidence)

    def groups(self, samples: Mapping[str, _Sample]) -> list[dict[str, Any]]:
        return [
            {"sample": name} | row
            for name, (decided, columns) in samples.items()
            for column, of_row in columns.items()
            for row in table(decided, column, of_row, self.limits, self.confidence)
        ]

    def powers(self, decided: Decided, columns: Mapping[str, Labels]) -> list[proxy.Power]:
        data = sample(self.use_case, self.materials.cohorts.out_of_time).only(self.materials.recipe.features)
        features = dict(zip(data.features, data.X.T, strict=True))
        return proxy.powers(features, decided.probability, columns, decided.accounts, self.limits, self.confidence)

    def confirmed(self, chosen: Tried, champion: Decided, columns: Mapping[str, Labels]) -> alternatives.Confirmation:
        """The chosen candidate alone is scored out of time; the champion's recipe was already."""
        decided = champion if chosen.name == CHAMPION else self.out_of_time(chosen)
        return alternatives.confirm(chosen.name, decided, champion, columns, self.limits, self.confidence)


def _limits(bundle: Bundle) -> FairnessLimits:
    if limits := bundle.policy.fairness:
        return limits
    raise Misconfigured(
        f"the policy sealed in bundle {bundle.digest[:12]} states no fairness limits, so nothing can be within them",
        hint="state FairnessLimits in the use case's policy.py, then `make train`",
    )
