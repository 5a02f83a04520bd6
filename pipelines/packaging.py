"""Sealing a fitted model into a bundle: graph, contract, policy, reference profile, golden rows, lineage."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.bundle import Bundle, canonical
from models.calibration import Calibration
from models.contract import Column, Columns, Contract
from models.errors import Misconfigured
from models.estimator import TreeEnsemble
from models.gates import Parity
from models.governance.doubt.learning import learned
from models.governance.doubt.rule import PART, Rule
from models.governance.doubt.uncertainty import venn_abers
from models.governance.explanation.baseline import recorded
from models.governance.explanation.reasons import Explainer, check_additive
from models.policy import Action, Policy
from models.reference import Expected, profile
from models.scoring import Scorer, check_golden_rows
from models.usecase import UseCase

GOLDEN_ROWS = 64
EXPLAINED = 5_000
"""Reduced reference rows whose first reason is counted, at most: each costs some dozens of scores."""
_GOLDEN_SEED = 64
_ROUNDING = 1e-4  # of a quantum: nearer to a rounding boundary, the last bit of a machine's exp could decide

Features = Callable[[Mapping[str, Any], Any], dict[str, Any]]
Export = Callable[[Contract, Features, Sequence[str], TreeEnsemble, Calibration], bytes]
"""Writes the graph; see `models/adapters/onnx_graph.py`."""
Load = Callable[[bytes], Scorer]
"""Makes a scorer of a graph; see `models/adapters/onnx_runtime.py`."""


@dataclass(frozen=True)
class Origin:
    """Which code made the model: "unknown" where it does not run from a checkout or without the lock file."""

    git_commit: str
    lock_sha256: str


def seal(
    use_case: UseCase,
    ensemble: TreeEnsemble,
    calibration: Calibration,
    *,
    reference: Columns,
    outcomes: NDArray[np.bool_],
    development: Columns,
    expected: Expected,
    lineage: Mapping[str, Any],
    export: Export,
    load: Load,
) -> Bundle:
    """The bundle of a fitted model, its golden rows checked once.

    `reference` holds the contract inputs of the rows that monitoring compares with, on which no tree was grown, and
    `outcomes` whether they turned bad: from them the intervals follow. `development` holds those of the rows that the model
    was made from: they say what is familiar, and among them adverse decisions find whom to be compared with. Raises
    `Misconfigured` if an input has no reason text, `NotEnoughData` if no account lies near enough to the cut-off.
    """
    contract, policy = use_case.contract, use_case.policy
    graph = export(contract, use_case.features, ensemble.features, ensemble, calibration)
    scorer = load(graph)
    rows = contract.matrix(reference)
    scores = policy.quantise(scorer.probabilities(rows))
    rule = ruled(contract, policy, scores, outcomes, development)
    reasons = recorded(contract, policy, development, scorer)
    actions = rule.actions(scores, rows)
    named = first_reasons(Explainer(contract, policy, reasons, scorer), rows[actions == Action.REDUCE])
    segments = policy.monitoring.segments
    parts = {
        "model.onnx": graph,
        "contract.json": canonical(contract.to_dict()),
        "policy.json": canonical(policy.model_dump(mode="json")),
        "reference.json": canonical(profile(contract, reference, scores, actions, expected, segments, named)),
        "golden.json": canonical(golden(contract, policy, scorer, reference)),
        "inventory.json": canonical(use_case.inventory.model_dump(mode="json")),
        "reasons.json": canonical(reasons),
        PART: canonical(rule.to_dict()),
    }
    bundle = Bundle.seal(use_case.name, parts, lineage=lineage)
    check_golden_rows(bundle, scorer)
    check_additive(bundle, scorer)
    return bundle


def first_reasons(explainer: Explainer, reduced: NDArray[np.float64]) -> dict[str, int]:
    """How often each reason stands first, by code, among reduced reference rows (n, inputs): what monitoring compares with."""
    chosen = reduced[np.linspace(0, len(reduced) - 1, min(len(reduced), EXPLAINED)).astype(np.int64)]
    first = [explanation.reasons[0].code for explanation in explainer.explain(chosen)]
    return {group.code: first.count(group.code) for group in explainer.adverse.groups}


def ruled(
    contract: Contract, policy: Policy, scores: NDArray[np.float64], outcomes: NDArray[np.bool_], development: Columns
) -> Rule:
    """What decides: the policy, and the two doubts. Scores and outcomes (n,) are those of accounts that no tree was grown on."""
    if policy.robustness is None:
        raise Misconfigured(
            f"the policy of {contract.name} does not say how rare is unfamiliar", hint="give policy.robustness: limits"
        )
    return Rule.made(policy, venn_abers(scores, outcomes), learned(contract, development, policy.robustness))


def lineage(
    origin: Origin, *, partitions: Sequence[Mapping[str, Any]], recipe: Mapping[str, Any], seed: int, as_of: str
) -> dict[str, Any]:
    """What the manifest says about where a model comes from. No time of its own: the same run again has the same lineage.

    `known_at` is when the newest of the partitions was recorded. Who reads the lake as known then, or at any instant from
    then to the next restatement, reads these very versions. It is empty if nothing was read.
    """
    return {
        "as_of": as_of,
        "known_at": max((str(partition["recorded_at"]) for partition in partitions), key=datetime.fromisoformat, default=""),
        "partitions": [dict(partition) for partition in partitions],
        "recipe": dict(recipe),
        "seed": seed,
        "git_commit": origin.git_commit,
        "lock_sha256": origin.lock_sha256,
    }


def parity(scorer: Scorer, contract: Contract, rule: Rule, columns: Columns, fitted: NDArray[np.float64]) -> Parity:
    """`fitted` are the probabilities (rows,) of the library that fitted the model, calibrated, for the same rows."""
    rows = contract.matrix(columns)
    scored = scorer.probabilities(rows)
    ours, theirs = (rule.actions(rule.policy.quantise(values), rows) for values in (scored, fitted))
    difference = float(np.max(np.abs(scored - fitted), initial=0.0))
    return Parity(len(fitted), difference, int(np.sum(ours != theirs)))


def golden(contract: Contract, policy: Policy, scorer: Scorer, columns: Columns) -> dict[str, Any]:
    """What `golden.json` holds: rows of packed inputs and the quantised probabilities that they must get.

    Rows whose score lies next to a rounding boundary are drawn again: they would test the machine, not the graph.
    """
    for seed in range(_GOLDEN_SEED, 2 * _GOLDEN_SEED):
        rows = golden_rows(contract, columns, seed)
        scores = scorer.probabilities(rows)
        steps = scores / policy.quantum
        if np.all(np.abs(steps - np.floor(steps) - 0.5) > _ROUNDING):
            break
    return {"columns": contract.inputs, "inputs": rows.tolist(), "probabilities": policy.quantise(scores).tolist()}


def golden_rows(contract: Contract, columns: Columns, seed: int) -> NDArray[np.float64]:
    """Contract-valid rows, shape (rows, inputs): every code, both ends of every range, the contract's example, then more.

    Each value is drawn from its own column alone, so that no row is any account's.
    """
    rng = np.random.default_rng(seed)
    special = [(place, value) for place, name in enumerate(contract.inputs) for value in _edges(contract[name])]
    count = max(GOLDEN_ROWS, len(special) + 1)
    drawn = [rng.choice(np.asarray(columns[name], dtype=np.float64), count) for name in contract.inputs]
    rows = np.column_stack([np.clip(values, *_range(contract[n])) for n, values in zip(contract.inputs, drawn, strict=True)])
    for row, (place, value) in enumerate(special):
        rows[row, place] = value
    rows[len(special)] = [float(contract[name].example) for name in contract.inputs]
    return rows


def _edges(column: Column) -> list[float]:
    return [float(code) for code in column.codes] or list(_range(column))


def _range(column: Column) -> tuple[float, float]:
    if column.minimum is None or column.maximum is None:
        raise TypeError(f"{column.name} is an input without a range")
    return column.minimum, column.maximum
