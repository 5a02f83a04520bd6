"""Small real things that several tests need: a hand-made model on the running example's contract, and its sealed bundle."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.adapters.onnx_graph import export
from models.adapters.onnx_runtime import OnnxScorer
from models.bundle import Bundle
from models.calibration import Calibration
from models.contract import Columns
from models.estimator import Tree, TreeEnsemble
from models.reference import Expected
from models.usecase import UseCase
from pipelines.packaging import Load, Origin, lineage, seal
from tests.bundles import USE_CASE

NOON = datetime(2005, 9, 1, 12, tzinfo=UTC)
EXPECTED = Expected(auc=0.8, auc_error=0.01, brier=0.1, bad_rate=0.12, definition_version=1, months=["2005-07"])


def features(columns: Mapping[str, Any], xp: Any) -> dict[str, Any]:
    """The samples' own features, so that work on the running example's does not change them."""
    c = {name: xp.astype(values, xp.float64) for name, values in columns.items()}
    return {"status": c["status_0"], "used": c["bill_0"] / xp.maximum(c["credit_limit"], xp.ones_like(c["credit_limit"]))}


SAMPLE = replace(USE_CASE, features=features)


def stump(feature: int, threshold: float, low: float, high: float) -> Tree:
    """`low` where the feature is at most the threshold, else `high`."""
    return Tree(
        np.array([feature, 0, 0]),
        np.array([threshold, 0.0, 0.0]),
        np.array([1, -1, -1]),
        np.array([2, -1, -1]),
        np.array([0.0, low, high]),
    )


def ensemble(high: float = 1.6, features: Sequence[str] = ("status", "used")) -> TreeEnsemble:
    """Accounts that are not behind and use more than nine tenths of their limit lie just below the reduce cut-off."""
    trees = (stump(0, 0.0, -0.7, high), stump(1, 0.5, -0.2, 0.4), stump(1, 0.9, 0.0, 1.25))
    return TreeEnsemble(tuple(features), -1.5, trees)


def rows(count: int = 200, seed: int = 7) -> Columns:
    """Contract-valid inputs of the running example, drawn at random."""
    rng = np.random.default_rng(seed)
    contract = USE_CASE.contract
    drawn: dict[str, Any] = {"credit_limit": rng.integers(1, 50, count) * 10_000.0}
    for name in contract.inputs[1:]:
        column = contract[name]
        if column.codes:
            drawn[name] = rng.choice(list(column.codes), count)
        else:
            drawn[name] = np.round(rng.normal(20_000, 30_000, count).clip(max(column.minimum or 0, -50_000), 500_000))
    return {name: drawn[name].astype(contract[name].dtype) for name in contract.inputs}


def outcomes() -> NDArray[np.bool_]:
    """Of `rows()`: the model's own risk comes true, so that some scores are sure."""
    drawn = rows()
    risk = np.where(drawn["status_0"] > 0, 0.9, 0.05)
    return np.random.default_rng(3).random(len(risk)) < risk


def sealed(
    model: TreeEnsemble | None = None, use_case: UseCase = SAMPLE, seed: int = 1, name: str = "", load: Load = OnnxScorer
) -> Bundle:
    """A real bundle; `seed` is only written into its lineage, so that bundles of one model can differ."""
    return seal(
        replace(use_case, name=name or use_case.name),
        model or ensemble(),
        Calibration(1.1, -0.05),
        reference=rows(),
        outcomes=outcomes(),
        development=rows(),
        expected=EXPECTED,
        lineage=lineage(Origin("unknown", "unknown"), partitions=[], recipe={"family": "by hand"}, seed=seed, as_of="2005-08-31"),
        export=export,
        load=load,
    )


@cache
def numbered(number: int) -> Bundle:
    """One model's bundles, told apart by a number in their lineage."""
    return sealed(seed=number)
