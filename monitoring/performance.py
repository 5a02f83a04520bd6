"""Realised performance: what a month's decisions said against what became of the accounts, once that is known.

Two readings of the same rows. "As coded" takes the outcome codes at face value. "Comparable" uses another definition
that reads the same codes: the one that a person accepted, else the newest. Where both part, somebody changed what a
code means, and the change of a figure is split in two parts that add up: what the definition did, what the model did.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.contract import Columns, Role
from models.evaluation import auc, auc_error, brier, clusters, estimate
from models.influence import MEASURES
from models.outcomes import OutcomeDefinition
from models.policy import Frozen
from models.usecase import UseCase
from monitoring.chance import hanley_mcneil


class Figures(Frozen):
    """Of one population under one definition. AUC is None where only good or only bad accounts are left."""

    rows: int
    bad: int
    predicted: float  # mean predicted probability
    actual: float  # bad rate
    brier: float
    auc: float | None
    auc_low: float | None = None
    auc_high: float | None = None
    auc_error: float | None = None  # standard error; None too where DeLong's estimate knows nothing


class Reading(Frozen):
    """Performance under one outcome definition, by population; "all" is always there."""

    definition: int
    rule: str
    populations: dict[str, Figures]

    @property
    def whole(self) -> Figures:
        return self.populations["all"]


class Attribution(Frozen):
    """The AUC change against the reference in two parts that add up to it.

    `definition`: same rows, as coded against comparable. `model`: comparable against the reference.
    """

    total: float
    definition: float
    model: float


class Performance(Frozen):
    """`as_coded` takes the outcome codes at face value; `comparable` reads them so that months can be compared."""

    matured_at: str
    coding: str
    as_coded: Reading
    comparable: Reading | None
    note: str  # how the comparable reading was chosen, or why there is none
    reference_definition: int | None
    reference: dict[str, float]  # the champion's own out-of-time figures: auc, auc_error, brier, bad_rate
    attribution: Attribution | None
    unmatched: int  # decisions without an outcome


@dataclass(frozen=True)
class Matched:
    """A month's decisions with their outcome codes, one row an account, ordered by account: log columns and codes, (n,)."""

    columns: Columns
    codes: NDArray[np.int64]
    unmatched: int  # accounts decided on, without an outcome


def match(use_case: UseCase, decisions: Columns, outcomes: Columns) -> Matched:
    """Join by account; of several decisions on an account the last one counts."""
    key = use_case.contract.key
    backwards = decisions[key][::-1]
    accounts, first = np.unique(backwards, return_index=True)
    known, at = np.unique(outcomes[key], return_index=True)
    found = np.isin(accounts, known)
    rows = len(backwards) - 1 - first[found]
    codes = outcomes[use_case.contract.named(Role.OUTCOME)[0]][at[np.searchsorted(known, accounts[found])]]
    return Matched({name: values[rows] for name, values in decisions.items()}, codes, int(np.sum(~found)))


def realised(
    use_case: UseCase, matched: Matched, *, facts: Mapping[str, str], reference: Mapping[str, Any], accepted: int
) -> Performance | None:
    """Both readings of the month; None if no account has both a decision and an outcome.

    `facts` are the outcome partition's (matured_at, coding), `reference` the bundle's performance figures with their
    definition_version and their `rows`, `accepted` the definition in force for this coding.
    """
    if not len(matched.codes):
        return None
    coding, baseline = facts["coding"], reference.get("definition_version")
    as_coded = reading(use_case, use_case.definitions[use_case.as_coded[coding]], matched)
    like, note = comparable_definition(use_case, coding, accepted, baseline)
    comparable = reading(use_case, like, matched) if like else None
    return Performance(
        matured_at=facts["matured_at"],
        coding=coding,
        as_coded=as_coded,
        comparable=comparable,
        note=note,
        reference_definition=baseline,
        reference=_reference(reference),
        attribution=_attributed(as_coded, comparable, reference.get("auc")),
        unmatched=matched.unmatched,
    )


def comparable_definition(
    use_case: UseCase, coding: str, accepted: int, baseline: int | None
) -> tuple[OutcomeDefinition | None, str]:
    """The definition that makes months comparable for this coding, and why; None if no other can read its codes.

    Chosen by rule and never by the figures that it gives.
    """
    coded = use_case.as_coded[coding]
    others = [d for d in use_case.definitions.values() if coding in d.codings and d.version != coded]
    if accepted != coded and any(d.version == accepted for d in others):
        return use_case.definitions[accepted], f"Comparable: definition {accepted}, which a person accepted."
    if others:
        newest = max(others, key=lambda d: d.version)
        return newest, f"Comparable: definition {newest.version}, the newest other one that reads these codes."
    if baseline in (None, coded):
        return use_case.definitions[coded], "The outcome is defined as when the champion was trained."
    was, now = use_case.definitions.get(baseline or 0), use_case.definitions[coded]
    trained = f"“{was.rule}”" if was else f"definition {baseline}"
    return None, f"No comparable figures exist: the outcome is now “{now.rule}”; at training it was {trained}."


def reading(use_case: UseCase, definition: OutcomeDefinition, matched: Matched) -> Reading:
    """Figures of all accounts and of each population of the use case; an empty population is left out."""
    bad, columns = definition.bad(matched.codes), matched.columns
    members = {"all": np.ones(len(bad), dtype=np.bool_)}
    members |= {name: member(columns) for name, member in use_case.populations.items()}
    accounts = columns[use_case.contract.key]
    return Reading(
        definition=definition.version,
        rule=definition.rule,
        populations={
            name: figures(bad[rows], columns["probability"][rows], accounts[rows]) for name, rows in members.items() if rows.any()
        },
    )


def figures(bad: NDArray[np.bool_], probability: NDArray[np.float64], accounts: NDArray[Any]) -> Figures:
    """Inputs of shape (n,), n > 0. The AUC's 95 % interval is clustered by account."""
    known = bool(0 < bad.sum() < len(bad))
    ranked = estimate(MEASURES["auc"](bad, probability), bad, clusters(accounts), confidence=0.95, share=True) if known else None
    return Figures(
        rows=len(bad),
        bad=int(bad.sum()),
        predicted=float(probability.mean()),
        actual=float(bad.mean()),
        brier=brier(bad, probability),
        auc=auc(bad, probability) if known else None,
        auc_low=_finite(ranked.low) if ranked else None,
        auc_high=_finite(ranked.high) if ranked else None,
        auc_error=_finite(auc_error(bad, probability, accounts)),
    )


def _reference(stored: Mapping[str, Any]) -> dict[str, float]:
    """What the bundle says of the champion; an older bundle's missing standard error is had from its counts."""
    found = {name: float(stored[name]) for name in ("auc", "auc_error", "brier", "bad_rate") if stored.get(name) is not None}
    if "auc" in found and "auc_error" not in found:
        bad = round(stored["rows"] * found["bad_rate"])
        found["auc_error"] = hanley_mcneil(found["auc"], bad, stored["rows"] - bad)
    return found


def _attributed(as_coded: Reading, comparable: Reading | None, reference: float | None) -> Attribution | None:
    if reference is None or comparable is None or as_coded.whole.auc is None or comparable.whole.auc is None:
        return None
    return Attribution(
        total=as_coded.whole.auc - reference,
        definition=as_coded.whole.auc - comparable.whole.auc,
        model=comparable.whole.auc - reference,
    )


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None
