"""A candidate put together and judged: sealed as it would be deployed, measured out of time, compared with the champion.

Two models come of one recipe. The *candidate*, fitted on the development months, shows out of time what the recipe is
worth. The *deployed* one is the recipe refitted on all matured cohorts. No tree is ever grown on the held-out accounts:
those of the newest month that each model may know calibrate it, two numbers; those of the newest cohort also check what
is deployed, each half by the calibration of the other.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.bundle import Bundle
from models.estimator import Family
from models.evaluation import Evaluation, auc, auc_error, brier, report
from models.gates import Decision, HeldOut, decide
from models.governance.doubt.rule import Rule
from models.lake import OUTCOMES
from models.reference import Expected
from models.scoring import Scorer
from models.splits import Plan, held_out
from models.usecase import UseCase
from pipelines.dataset import Dataset
from pipelines.packaging import Export, Load, Origin, lineage, parity, seal
from pipelines.proofs import Anatomy, Proofs, Scored, prove
from pipelines.training import Recipe, Refit, TrainedModel, fit, refit

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Cohorts:
    """What may be known: the plan, and its rows. `matured` is development and out-of-time together.

    `left_out` are matured cohorts whose outcomes are coded in a way that the others cannot be compared with.
    """

    as_of: date
    plan: Plan
    development: Dataset
    out_of_time: Dataset
    matured: Dataset
    left_out: tuple[str, ...] = ()

    def taught(self) -> Dataset:
        """The development rows that any choice or candidate may rest on: never the held-out accounts."""
        return self.development.take(~held_out(self.development.accounts))

    def newest_held_out(self) -> Dataset:
        """The held-out accounts of the newest development month: what calibrates a candidate, as a deployed model later."""
        newest = self.development.months == str(self.plan.development[-1])
        return self.development.take(held_out(self.development.accounts) & newest)


@dataclass(frozen=True)
class Workshop:
    """The tools with which a recipe becomes a bundle."""

    families: Sequence[Family]
    export: Export
    load: Load
    origin: Origin
    anatomy: Anatomy


@dataclass(frozen=True)
class Champion:
    """The bundle in force, loaded."""

    bundle: Bundle
    scorer: Scorer

    @property
    def definition(self) -> int:
        return int(self.bundle.lineage["recipe"]["definition_version"])

    def redefined(self, definition: int) -> str:
        """Says that outcomes are read otherwise by now, if they are."""
        if definition == self.definition:
            return ""
        return f"The outcome definition changed from {self.definition} to {definition} after the champion was trained."

    def was_trained_on(self, month: str) -> bool:
        return any(part["table"] == OUTCOMES and part["month"] == month for part in self.bundle.lineage["partitions"])


@dataclass(frozen=True)
class Assessment:
    """`scores` are out-of-time probabilities by name; `candidate` and `deployed` are the two sets of figures.

    `compared_with` is the digest of the champion that was judged against, "" for none: only that one may be replaced.
    """

    bundle: Bundle
    compared_with: str
    recipe: Recipe
    candidate: Evaluation
    deployed: Evaluation
    decision: Decision
    scores: Mapping[str, Floats]
    check: HeldOut
    proofs: Proofs

    def metrics(self) -> dict[str, float]:
        """Flat figures for a tracking server."""
        found = {f"out_of_time.{name}": value for name, value in self.candidate.metrics().items()}
        return found | {f"deployed.{name}": value for name, value in self.deployed.metrics().items()}

    def tables(self) -> dict[str, Any]:
        """Everything as JSON: both evaluations and the gate's checks."""
        return {
            "out_of_time": self.candidate.to_dict(),
            "deployed": self.deployed.to_dict(),
            "gate": self.decision.to_dict(),
            "proofs": self.proofs.to_dict(),
        }


def assess(use_case: UseCase, cohorts: Cohorts, recipe: Recipe, workshop: Workshop, champion: Champion | None) -> Assessment:
    """Fit, refit, seal, measure and decide. The out-of-time month is opened here, once."""
    out_of_time, policy = cohorts.out_of_time, use_case.policy
    taught = cohorts.taught()
    candidate = fit(recipe, use_case, workshop.families, taught, cohorts.newest_held_out())
    final = refit(recipe, use_case, workshop.families, cohorts.matured)
    bundle = sealed(use_case, final, cohorts.matured, workshop, as_of=cohorts.as_of.isoformat())
    scores = {"challenger": policy.quantise(candidate.probabilities(out_of_time.columns))}
    if champion:
        matrix = use_case.contract.matrix(out_of_time.columns)
        scores["champion"] = policy.quantise(champion.scorer.probabilities(matrix))
    same = parity(
        workshop.load(bundle.graph),
        use_case.contract,
        Rule.of(bundle),
        out_of_time.columns,
        final.model.probabilities(out_of_time.columns),
    )
    check = HeldOut(final.check.bad, final.probabilities, final.check.accounts)
    proofs = _proven(use_case, cohorts, workshop, bundle, candidate, final, scores["challenger"])
    fair = _fair_rows(cohorts, champion)
    decision = decide(
        policy.gates,
        out_of_time.bad[fair],
        scores["challenger"][fair],
        scores["champion"][fair] if champion else None,
        out_of_time.accounts[fair],
        same,
        check,
        champion.redefined(recipe.definition_version) if champion else "",
        proofs.checks(policy),
    )
    return Assessment(
        bundle=bundle,
        compared_with=champion.bundle.digest if champion else "",
        recipe=recipe,
        candidate=_evaluated(use_case, out_of_time, scores["challenger"], taught.accounts),
        deployed=_evaluated(use_case, final.check, final.probabilities, out_of_time.accounts[:0]),
        decision=decision,
        scores=scores,
        check=check,
        proofs=proofs,
    )


def _proven(
    use_case: UseCase,
    cohorts: Cohorts,
    workshop: Workshop,
    bundle: Bundle,
    candidate: TrainedModel,
    final: Refit,
    out_of_time: Floats,
) -> Proofs:
    """`out_of_time` are the candidate's quantised probabilities."""
    calibrated_on = cohorts.newest_held_out()
    theirs = use_case.policy.quantise(candidate.probabilities(calibrated_on.columns))
    return prove(
        use_case,
        bundle,
        workshop.load,
        workshop.anatomy,
        unseen=final.check,
        calibrated_on=Scored(calibrated_on, theirs),
        later=Scored(cohorts.out_of_time, out_of_time),
        development=cohorts.development.columns,
        matured=cohorts.matured,
    )


def _fair_rows(cohorts: Cohorts, champion: Champion | None) -> NDArray[np.bool_]:
    """A champion that was trained on this very month is only compared on accounts that no model is ever fitted on.

    Its two calibration numbers were taken from these accounts, which favours the champion a little.
    """
    accounts = cohorts.out_of_time.accounts
    if champion and champion.was_trained_on(str(cohorts.plan.out_of_time)):
        return held_out(accounts)
    return np.ones(len(accounts), dtype=np.bool_)


def _evaluated(use_case: UseCase, rows: Dataset, probability: Floats, trained: NDArray[Any]) -> Evaluation:
    seen = np.isin(rows.accounts, trained)
    return report(use_case, rows.columns, rows.bad, probability, rows.accounts, rows.months, seen)


def sealed(use_case: UseCase, final: Refit, matured: Dataset, workshop: Workshop, *, as_of: str) -> Bundle:
    """What is deployed: `final`, which was refitted on `matured`, with the figures that its check lets one expect."""
    check, recipe = final.check, final.model.recipe
    expected = Expected(
        auc=auc(check.bad, final.probabilities),
        auc_error=auc_error(check.bad, final.probabilities, check.accounts),
        brier=brier(check.bad, final.probabilities),
        bad_rate=float(np.mean(check.bad)),
        definition_version=check.definition_version,
        months=sorted(set(check.months.tolist())),
    )
    origin = lineage(
        workshop.origin,
        partitions=matured.lineage(),
        recipe=recipe.to_dict(),
        seed=recipe.seed,
        as_of=as_of,
    )
    return seal(
        use_case,
        final.model.ensemble(),
        final.model.calibration,
        reference=check.columns,
        outcomes=check.bad,
        development=matured.columns,
        expected=expected,
        lineage=origin,
        export=workshop.export,
        load=workshop.load,
    )
