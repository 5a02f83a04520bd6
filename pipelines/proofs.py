"""What a sealed bundle must show beside its figures: kept directions, honest intervals, bounded answers to wrong input.

Accounts are those of the out-of-time month; at most `ROWS` of them are swept and disturbed. On two idle cores all of it
takes well under ten seconds.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from math import nan
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.bundle import Bundle
from models.contract import REQUEST_ROLES, Columns, Contract
from models.estimator import TreeEnsemble
from models.gates import Check
from models.governance.doubt.coverage import Coverage, covered, crosswise
from models.governance.doubt.learning import learned
from models.governance.doubt.robustness import Robustness, measured, refusals
from models.governance.doubt.rule import Rule
from models.governance.doubt.sweep import Monotone, contradictions, promised, sweep_features, sweep_inputs
from models.policy import Action, Policy, RobustnessLimits, UncertaintyLimits
from models.scoring import Scorer
from models.splits import held_out
from models.usecase import UseCase
from pipelines.cost_curve import CostCurve, cost_curve
from pipelines.dataset import Dataset

Floats = NDArray[np.float64]

ROWS = 10_000
RECORDS = 50  # real records, each broken in every way that a field can be

Load = Callable[[bytes], Scorer]


@dataclass(frozen=True)
class Anatomy:
    """How a sealed graph is opened: its trees read back, and itself from its trees on. See `models/adapters/graph_trees.py`."""

    trees: Callable[[bytes, Sequence[str]], TreeEnsemble]
    from_trees_on: Callable[[bytes], bytes]


@dataclass(frozen=True)
class Scored:
    """Accounts with their quantised probabilities by one model (n,)."""

    rows: Dataset
    probability: Floats


@dataclass(frozen=True)
class Reviewed:
    """Shares of the accounts out of time that a person looks at: by the cut-offs alone, by doubt of the score too, and in all."""

    by_cut_offs: float
    with_doubt: float
    in_force: float


@dataclass(frozen=True)
class Proofs:
    """`coverage` is gated: crosswise on the held-out accounts of the calibration month. `later` is not: the candidate's
    intervals, made as a deployed model's are, on the month after."""

    monotone: Monotone
    coverage: Sequence[Coverage]
    later: Coverage
    reviewed: Reviewed
    robustness: Robustness
    cost: CostCurve

    def checks(self, policy: Policy) -> tuple[Check, ...]:
        """By the names of `gates.PROOFS`. A limit that the policy does not state is not kept."""
        return (_monotone(self.monotone), *self._sure(policy.uncertainty), *self._robust(policy.robustness))

    def to_dict(self) -> dict[str, Any]:
        """JSON."""
        return {
            "monotone": self.monotone.to_dict(),
            "uncertainty": {
                "crosswise": [each.to_dict() for each in self.coverage],
                "later": self.later.to_dict(),
                "reviewed": asdict(self.reviewed),
            },
            "robustness": self.robustness.to_dict(),
            "cost": self.cost.to_dict(),
        }

    def _sure(self, limits: UncertaintyLimits | None) -> list[Check]:
        worst = max(self.coverage, key=lambda each: each.worst - each.allowed)
        band = max(worst.bands, key=lambda each: each.outside)
        growth = self.reviewed.in_force - self.reviewed.by_cut_offs
        limit = limits.review_growth if limits else nan
        return [
            Check(
                "interval_coverage",
                worst.worst if limits else nan,
                f"<= {worst.allowed:.2f} standard errors",
                bool(limits) and worst.worst <= worst.allowed,
                f"Of held-out accounts with a score from {band.low:.4f} to {band.high:.4f}, {band.bad_rate:.2%} were bad; their"
                f" intervals say {band.p0:.2%} to {band.p1:.2%}: {worst.worst:.2f} standard errors outside,"
                f" {worst.allowed:.2f} are chance.",
            ),
            Check(
                "review_growth",
                growth if limits else nan,
                f"<= {limit:g}",
                growth <= limit,
                f"Doubt sends {growth:.2%} of the accounts to a person on top of {self.reviewed.by_cut_offs:.2%};"
                f" {limit:.0%} are allowed.",
            ),
        ]

    def _robust(self, limits: RobustnessLimits | None) -> list[Check]:
        found = self.robustness
        taken, offered = sum(found.refusals.taken.values()), sum(found.refusals.offered.values())
        (ratio, worst), (slack, least) = (found.worst(limits), found.least_caught(limits)) if limits else ((nan, ""), (nan, ""))
        most = limits.false_flags if limits else nan
        return [
            Check("refusals", taken, "0", taken == 0 < offered, f"Of {offered:,} broken records the contract took {taken:,}."),
            Check(
                "false_flags",
                found.false_flags if limits else nan,
                f"<= {most:g}",
                found.false_flags <= most,
                f"{found.false_flags:.2%} of the held-out accounts are flagged as unlike the others of their months;"
                f" {most:.2%} are allowed. Out of time {found.later_flags:.2%} are flagged.",
            ),
            Check(
                "disturbances",
                ratio,
                "<= 1 of each limit",
                ratio <= 1,
                f"Disturbed input that nobody notices stays within {ratio:.2f} of its limit at worst: {worst}.",
            ),
            Check(
                "caught",
                slack,
                ">= 0",
                slack >= 0,
                f"What must be caught is refused or flagged, {abs(slack):.2%} of the accounts {'more' if slack >= 0 else 'fewer'}"
                f" than the limit asks, at worst: {least}.",
            ),
        ]


def prove(
    use_case: UseCase,
    bundle: Bundle,
    load: Load,
    anatomy: Anatomy,
    *,
    unseen: Dataset,
    calibrated_on: Scored,
    later: Scored,
    development: Columns,
    matured: Dataset,
) -> Proofs:
    """Look at a sealed bundle. `unseen` are the held-out accounts that calibrate and check it.

    `calibrated_on` and `later` are those of the candidate, which was made of `development`: the accounts that calibrated it,
    and those out of time. `matured` is all that the bundle was made of, held-out accounts too.
    """
    policy, contract, rule = bundle.policy, bundle.contract, Rule.of(bundle)
    scorer, rows = load(bundle.graph), later.rows
    matrix = contract.matrix(rows.columns)
    scores = policy.quantise(scorer.probabilities(matrix))
    confidence = policy.uncertainty.confidence if policy.uncertainty else nan
    seed = int(bundle.lineage["seed"])
    chosen = np.random.default_rng(seed).permutation(len(scores))[:ROWS]
    some = {name: values[chosen] for name, values in rows.columns.items()}
    theirs = policy.quantise(scorer.probabilities(contract.matrix(unseen.columns)))
    return Proofs(
        monotone=monotone(use_case, bundle, load, anatomy, some),
        coverage=crosswise(theirs, unseen.bad, unseen.accounts, confidence=confidence, seed=seed),
        later=covered(
            "out of time", calibrated_on.probability, calibrated_on.rows.bad, later.probability, rows.bad, confidence=confidence
        ),
        reviewed=reviewed(rule, matrix, scores),
        robustness=robust(rule, scorer, contract, some, flags(rule, contract, matured, development, rows.columns), seed),
        cost=cost_curve(rule, matrix, scores, rows.bad),
    )


def monotone(use_case: UseCase, bundle: Bundle, load: Load, anatomy: Anatomy, columns: Columns) -> Monotone:
    """The directions of the sealed policy, on the sealed graph; `columns` are inputs of real accounts (n,)."""
    policy, contract = bundle.policy, bundle.contract
    names = tuple(bundle.lineage["recipe"]["features"])
    directions, ensemble = promised(policy.directions, names), anatomy.trees(bundle.graph, names)

    def features(inputs: Columns) -> dict[str, NDArray[Any]]:
        return use_case.features({name: inputs[name] for name in contract.inputs}, np)

    derived = features(columns)
    X = np.column_stack([derived[name] for name in names])
    part = load(anatomy.from_trees_on(bundle.graph))
    return Monotone(
        contradictions(ensemble, directions),
        sweep_features(part, ensemble, X, directions, policy.quantum),
        sweep_inputs(load(bundle.graph), contract, features, names, directions, columns, policy.quantum),
    )


def reviewed(rule: Rule, matrix: Floats, scores: Floats) -> Reviewed:
    decided = (rule.policy.cut_offs.actions(scores), rule.band.actions(scores), rule.actions(scores, matrix))
    return Reviewed(*(float(np.mean(actions == Action.REVIEW.value)) for actions in decided))


def flags(rule: Rule, contract: Contract, matured: Dataset, development: Columns, later: Columns) -> tuple[float, float]:
    """Shares of accounts that are flagged: held-out ones by the others of the same months, and later ones by those before."""
    if rule.policy.robustness is None:
        return nan, nan
    limits, unseen = rule.policy.robustness, held_out(matured.accounts)
    pairs = ((matured.take(~unseen).columns, matured.take(unseen).columns), (development, later))
    found = (learned(contract, known, limits).strange(contract.matrix(other)).any(axis=1) for known, other in pairs)
    others, after = (float(flagged.mean()) for flagged in found)
    return others, after


def robust(rule: Rule, scorer: Scorer, contract: Contract, some: Columns, flagged: tuple[float, float], seed: int) -> Robustness:
    """What disturbed input does to `some` accounts out of time, under the limits of the sealed policy."""
    limits, names = rule.policy.robustness, contract.named(*REQUEST_ROLES)
    records = [{name: some[name][row].item() for name in names} for row in range(min(RECORDS, len(some[names[0]])))]
    effects = measured(contract, rule, scorer, some, limits, seed) if limits else []
    return Robustness(effects, refusals(contract, records), *flagged)


def _monotone(found: Monotone) -> Check:
    sentence = (
        f"Trees, features and inputs of real accounts break a direction {found.violations:,} times"
        f" ({found.steps:,} steps, {len(found.trees)} features that are bound)."
    )
    return Check("monotone", found.violations, "0", found.violations == 0, sentence)
