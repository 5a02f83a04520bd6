"""Would another sample of accounts have given other reasons? Figures for the evidence of a version, as plain values.

The recipe stays as it is; the development accounts are drawn anew with replacement, whole accounts at a time, and the model
is refitted, calibrated and given its own baseline accounts, as sealing would. Each refit then explains the same reduced
accounts of the out-of-time month. Compared are those that the refit reduces too: the others have no reasons to compare.
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
from models.governance.explanation.baseline import recorded
from models.governance.explanation.counterfactual import Counsel
from models.governance.explanation.reasons import Explainer, Explanation
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
"""Reduced accounts for which a counterfactual is searched, at most."""


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
    *,
    refits: int = REFITS,
    accounts: int = ACCOUNTS,
    timer: Callable[[], float] = perf_counter,
) -> dict[str, Any]:
    """`adverse_action` and `every_reduction` with their agreement, the reset rule and help, in shares; and the seconds spent.

    Raises `NotEnoughData` if the model reduces nobody out of time, or if no refit finds accounts to compare with.
    """
    began, taught, held_out = timer(), cohorts.taught(), cohorts.newest_held_out()
    judge = _Judge.of(use_case, fit(recipe, use_case, families, taught, held_out), taught)
    rows, due = _reduced(judge, cohorts, accounts, recipe.seed)
    own = judge.explainer.explain(rows)
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
        "adverse_action": _figures(due, own, others),
        "every_reduction": _figures(np.ones(len(rows), dtype=np.bool_), own, others),
        "help": _help(judge, rows),
        "seconds": timer() - began,
    }


def agreement(own: Sequence[Explanation], other: Sequence[Explanation], both: Bools) -> tuple[float, float]:
    """Over the accounts of `both` (n,), means of: the same first reason; the listed ones in common over all that either lists.

    NaN if there is no such account.
    """
    first, overlap = [], []
    for mine, theirs in compress(zip(own, other, strict=True), both):
        one, two = ([reason.code for reason in told.reasons] for told in (mine, theirs))
        first.append(one[0] == two[0])
        overlap.append(len({*one} & {*two}) / len({*one, *two}))
    return (float(np.mean(first)), float(np.mean(overlap))) if first else (np.nan, np.nan)


def _reduced(judge: _Judge, cohorts: Cohorts, most: int, seed: int) -> tuple[Floats, Bools]:
    """Packed inputs of reduced accounts (n, inputs), at most `most` with a notice due and as many without; and which is which."""
    inputs = judge.use_case.contract.matrix(cohorts.out_of_time.columns)
    reduced = inputs[judge.reduces(inputs)]
    if not len(reduced):
        raise NotEnoughData(f"nobody is reduced in {cohorts.plan.out_of_time}", hint="there is no reason to be stable")
    due = np.array([not basis for basis in judge.explainer.no_notice(reduced)])
    rng = np.random.default_rng(seed)
    chosen = [rng.permutation(np.flatnonzero(kind))[:most] for kind in (due, ~due)]
    kept = np.sort(np.concatenate(chosen))
    return reduced[kept], due[kept]


def _drawn(rows: Dataset, rng: np.random.Generator) -> Dataset:
    """As many accounts, with replacement, each with all its months."""
    place = numbered(rows.accounts)
    months = np.bincount(place)
    by_account = np.split(np.argsort(place, kind="stable"), np.cumsum(months)[:-1])
    return rows.take(np.concatenate([by_account[account] for account in rng.integers(0, len(months), len(months))]))


def _figures(chosen: Bools, own: Sequence[Explanation], others: Sequence[tuple[Bools, Sequence[Explanation]]]) -> dict[str, Any]:
    """Of one population; only its size if it is empty."""
    mine = list(compress(own, chosen))
    if not mine:
        return {"accounts": 0}
    top_1, jaccard = zip(*(agreement(own, theirs, chosen & reduced) for reduced, theirs in others), strict=True)
    return {
        "accounts": len(mine),
        "top_1_agreement": _spread(top_1),
        "top_4_jaccard": _spread(jaccard),
        "still_reduced": _spread([float(reduced[chosen].mean()) for reduced, _ in others]),
        "reset_rule_dropped_one": float(np.mean([bool(told.dropped) for told in mine])),
        "reset_rule_confirmed_none": float(np.mean([not told.reasons[0].confirmed for told in mine])),
        "first_reason": _shares([told.reasons[0].group for told in mine], len(mine)),
        "listed": _shares([reason.group for told in mine for reason in told.reasons], len(mine)),
        "reasons_given": _shares([str(len(told.reasons)) for told in mine], len(mine)),
    }


def _help(judge: _Judge, rows: Floats) -> dict[str, Any]:
    """For how many of the first reduced accounts there is a change that leads to a better decision, and of what."""
    counsel = Counsel(judge.use_case.contract, judge.use_case.policy, judge.part, judge.scorer)
    found = [counsel.better(row) for row in rows[:HELPED]]
    kinds = [" and ".join(change.column for change in each.changes) for each in found if each]
    return {"accounts": len(found), "found": len(kinds) / len(found), "changes": _shares(kinds, len(found))}


def _spread(values: Sequence[float]) -> dict[str, float]:
    """Over the refits that can be compared; empty if none can."""
    seen = [value for value in values if np.isfinite(value)]
    return {"mean": float(np.mean(seen)), "least": min(seen), "most": max(seen)} if seen else {}


def _shares(names: Sequence[str], accounts: int) -> dict[str, float]:
    """Of the accounts, the most frequent first."""
    return {name: count / accounts for name, count in Counter(names).most_common()}
