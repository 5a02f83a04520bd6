"""Would another sample of accounts have given other reasons? Figures for the evidence of a version, as plain values.

The recipe stays as it is; the development accounts are drawn anew with replacement, whole accounts at a time, and the model
is refitted, calibrated and given its own baseline accounts, as sealing would. Each refit then explains the same reduced
accounts of the out-of-time month. Compared are those that the refit reduces too: the others have no reasons to compare.

Explained is a sample of each kind, owed a notice or not, as many of the one as of the other: the rarer kind is the one that
matters. So a figure on all reductions weighs each account by how many of its kind it stands for.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import compress
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.calibration import sigmoid
from models.contract import Contract
from models.errors import NotEnoughData
from models.estimator import Family
from models.governance.doubt.rule import Rule
from models.governance.explanation.baseline import recorded
from models.governance.explanation.counterfactual import Counsel
from models.governance.explanation.reasons import Explainer, Explanation
from models.policy import Action
from models.splits import numbered
from models.usecase import UseCase
from pipelines.assessment import Cohorts
from pipelines.dataset import Dataset
from pipelines.training import Recipe, TrainedModel, fit

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

REFITS = 20
ACCOUNTS = 400
"""Reduced accounts explained by every refit, at most, of those with and without a notice each."""
HELPED = 100
"""Reduced accounts for which a counterfactual is searched, at most, of each kind."""

_DIGITS = 12  # sums of shares end here

DUE, NOT_DUE, ALL = "adverse_action", "no_notice", "every_reduction"


@dataclass(frozen=True)
class FittedScorer:
    """A `Scorer` of a fitted model that was not exported: twenty graphs would cost more than what they are asked."""

    model: TrainedModel
    contract: Contract

    def log_odds(self, inputs: Floats) -> Floats:
        raw = self.model.log_odds(dict(zip(self.contract.inputs, inputs.T, strict=True)))
        return self.model.calibration.slope * raw + self.model.calibration.intercept

    def probabilities(self, inputs: Floats) -> Floats:
        return sigmoid(self.log_odds(inputs))


@dataclass(frozen=True)
class Sampled:
    """Reduced accounts of the month: packed inputs (n, inputs), whether a notice is due (n,), and by kind how many there are."""

    rows: Floats
    due: Bools
    population: Mapping[str, int]

    @property
    def kinds(self) -> dict[str, Bools]:
        return {DUE: self.due, NOT_DUE: ~self.due, ALL: np.ones(len(self.due), dtype=np.bool_)}

    @property
    def weights(self) -> Floats:
        """How many reduced accounts each one stands for (n,)."""
        shares = {kind: self.population[kind] / max(1, int(self.kinds[kind].sum())) for kind in (DUE, NOT_DUE)}
        return np.where(self.due, shares[DUE], shares[NOT_DUE])


@dataclass(frozen=True)
class _Judge:
    """One model with its own baseline accounts."""

    use_case: UseCase
    scorer: FittedScorer
    part: Mapping[str, Any]
    explainer: Explainer

    @classmethod
    def of(cls, use_case: UseCase, model: TrainedModel, rows: Dataset) -> "_Judge":
        scorer = FittedScorer(model, use_case.contract)
        part = recorded(use_case.contract, use_case.policy, rows.columns, scorer)
        return cls(use_case, scorer, part, Explainer(use_case.contract, use_case.policy, part, scorer))

    def reduces(self, inputs: Floats) -> Bools:
        """By the policy's own cut-offs: that doubt sends some of them to a person first changes no reason."""
        policy = self.use_case.policy
        return np.asarray(policy.quantise(self.scorer.probabilities(inputs)) >= policy.cut_offs.reduce)


def stability(
    use_case: UseCase,
    cohorts: Cohorts,
    recipe: Recipe,
    families: Sequence[Family],
    rule: Rule,
    *,
    refits: int = REFITS,
    accounts: int = ACCOUNTS,
    timer: Callable[[], float] = perf_counter,
) -> dict[str, Any]:
    """By kind of reduction (`DUE`, `NOT_DUE`, `ALL`) agreement, the reset rule and help, in shares; and the seconds spent.

    `rule` is the sealed one: help is for those whom it reduces, and a change to what it finds unfamiliar is none. Raises
    `NotEnoughData` if the model reduces nobody out of time, or if no refit finds accounts to compare with.
    """
    began, taught, held_out = timer(), cohorts.taught(), cohorts.newest_held_out()
    judge = _Judge.of(use_case, fit(recipe, use_case, families, taught, held_out), taught)
    sampled = _reduced(judge, cohorts, accounts, recipe.seed)
    rows, own = sampled.rows, judge.explainer.explain(sampled.rows)
    others = []
    for number in range(refits):
        drawn = _drawn(taught, np.random.default_rng([recipe.seed, number]))
        try:
            other = _Judge.of(use_case, fit(recipe, use_case, families, drawn, held_out), drawn)
        except NotEnoughData:
            continue  # counted below: this refit could not have been sealed
        others.append((other.reduces(rows), other.explainer.explain(rows)))
    if not others:
        raise NotEnoughData("no refit found accounts to compare with", hint="develop on more accounts")
    return {
        "month": str(cohorts.plan.out_of_time),
        "refits": refits,
        "refits_without_baseline": refits - len(others),
        "development_rows": len(taught.bad),
        "baseline_accounts": len(judge.part["baseline"]),
        **{kind: figures(kind, sampled, own, others) for kind in sampled.kinds},
        "help": _help(judge, rule, sampled),
        "seconds": timer() - began,
    }


def agreement(
    own: Sequence[Explanation], other: Sequence[Explanation], both: Bools, weights: Floats | None = None
) -> tuple[float, float]:
    """Over the accounts of `both` (n,), means of: the same first reason; the listed ones in common over all that either lists.

    `weights` (n,) are how much each account counts, all the same if there are none. NaN if there is no such account.
    """
    first, overlap = [], []
    for mine, theirs in compress(zip(own, other, strict=True), both):
        one, two = ([reason.code for reason in told.reasons] for told in (mine, theirs))
        first.append(one[0] == two[0])
        overlap.append(len({*one} & {*two}) / len({*one, *two}))
    if not first:
        return np.nan, np.nan
    counted = None if weights is None else weights[both]
    return float(np.average(first, weights=counted)), float(np.average(overlap, weights=counted))


def _reduced(judge: _Judge, cohorts: Cohorts, most: int, seed: int) -> Sampled:
    """At most `most` reduced accounts with a notice due, and as many without."""
    inputs = judge.use_case.contract.matrix(cohorts.out_of_time.columns)
    reduced = inputs[judge.reduces(inputs)]
    if not len(reduced):
        raise NotEnoughData(f"nobody is reduced in {cohorts.plan.out_of_time}", hint="there is no reason to be stable")
    due = np.array([not basis for basis in judge.explainer.no_notice(reduced)])
    rng = np.random.default_rng(seed)
    chosen = [rng.permutation(np.flatnonzero(kind))[:most] for kind in (due, ~due)]
    kept = np.sort(np.concatenate(chosen))
    return Sampled(reduced[kept], due[kept], {DUE: int(due.sum()), NOT_DUE: int((~due).sum()), ALL: len(due)})


def _drawn(rows: Dataset, rng: np.random.Generator) -> Dataset:
    """As many accounts, with replacement, each with all its months."""
    place = numbered(rows.accounts)
    months = np.bincount(place)
    by_account = np.split(np.argsort(place, kind="stable"), np.cumsum(months)[:-1])
    return rows.take(np.concatenate([by_account[account] for account in rng.integers(0, len(months), len(months))]))


def figures(
    kind: str, sampled: Sampled, own: Sequence[Explanation], others: Sequence[tuple[Bools, Sequence[Explanation]]]
) -> dict[str, Any]:
    """Of one kind; only its sizes if there is no such account."""
    chosen, weights = sampled.kinds[kind], sampled.weights
    sizes = {"accounts": int(chosen.sum()), "population": sampled.population[kind]}
    if not chosen.any():
        return sizes
    mine, mass = list(compress(own, chosen)), weights[chosen]
    top_1, jaccard = zip(*(agreement(own, theirs, chosen & reduced, weights) for reduced, theirs in others), strict=True)
    return sizes | {
        "top_1_agreement": _spread(top_1),
        "top_4_jaccard": _spread(jaccard),
        "still_reduced": _spread([float(np.average(reduced[chosen], weights=mass)) for reduced, _ in others]),
        "reset_rule_dropped_one": _share([bool(told.dropped) for told in mine], mass),
        "reset_rule_confirmed_none": _share([not told.reasons[0].confirmed for told in mine], mass),
        "first_reason": _shares([[told.reasons[0].group] for told in mine], mass),
        "listed": _shares([[reason.group for reason in told.reasons] for told in mine], mass),
        "reasons_given": _shares([[str(len(told.reasons))] for told in mine], mass),
    }


def _help(judge: _Judge, rule: Rule, sampled: Sampled) -> dict[str, Any]:
    """By kind: for how many of those whom the rule reduces there is a change that leads to a better decision, and of what."""
    counsel = Counsel(judge.use_case.contract, judge.use_case.policy, judge.part, judge.scorer, rule)
    scores = rule.policy.quantise(judge.scorer.probabilities(sampled.rows))
    reduced = rule.actions(scores, sampled.rows) == Action.REDUCE.value
    asked = np.concatenate([np.flatnonzero(sampled.kinds[kind] & reduced)[:HELPED] for kind in (DUE, NOT_DUE)])
    found = {place: counsel.better(sampled.rows[place]) for place in asked.tolist()}
    kinds = {place: " and ".join(change.column for change in each.changes) for place, each in found.items() if each}
    mass = _stands_for(sampled, reduced, asked)
    return {
        kind: helped([place for place in asked.tolist() if chosen[place]], kinds, mass) for kind, chosen in sampled.kinds.items()
    }


def _stands_for(sampled: Sampled, reduced: Bools, asked: NDArray[np.intp]) -> dict[int, float]:
    """How many accounts that the rule reduces each of those asked stands for, by its place in the sample."""
    mass: dict[int, float] = {}
    for kind in (DUE, NOT_DUE):
        chosen = sampled.kinds[kind]
        mine = [place for place in asked.tolist() if chosen[place]]
        whole = float(sampled.weights[chosen & reduced].sum())
        mass |= {place: whole / len(mine) for place in mine}
    return mass


def helped(places: Sequence[int], kinds: Mapping[int, str], mass: Mapping[int, float]) -> dict[str, Any]:
    if not places:
        return {"accounts": 0}
    weights = np.array([mass[place] for place in places])
    changes = _shares([[kinds[place]] if place in kinds else [] for place in places], weights)
    return {"accounts": len(places), "found": _share([place in kinds for place in places], weights), "changes": changes}


def _spread(values: Sequence[float]) -> dict[str, float]:
    """Over the refits that can be compared; empty if none can."""
    seen = [value for value in values if np.isfinite(value)]
    return {"mean": float(np.mean(seen)), "least": min(seen), "most": max(seen)} if seen else {}


def _share(which: Sequence[bool], weights: Floats) -> float:
    return float(np.average(which, weights=weights))


def _shares(names: Sequence[Sequence[str]], weights: Floats) -> dict[str, float]:
    """Of the accounts by what is named of each, the most frequent first."""
    found: Counter[str] = Counter()
    for named, weight in zip(names, (weights / weights.sum()).tolist(), strict=True):
        found.update(dict.fromkeys(named, weight))
    return {name: round(share, _DIGITS) for name, share in found.most_common()}
