"""A contract of up to six numbers, a policy of one group each, and a scorer that is a formula: for reasons done by hand."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.calibration import sigmoid
from models.contract import Column, Contract, Role
from models.credit_default import USE_CASE
from models.policy import Adverse, CutOffs, Mutable, Policy, ReasonGroup

Floats = NDArray[np.float64]
EDGE = 0.0
"""The reduce cut-off, in log-odds."""
GOOD = -0.02
"""Just below it."""


class Formula:
    """A `Scorer`. `largest` is the largest batch that it was given."""

    def __init__(self, log_odds: Callable[[Floats], Floats]) -> None:
        self._log_odds = log_odds
        self.largest = 0

    def log_odds(self, inputs: Floats) -> Floats:
        self.largest = max(self.largest, len(inputs))
        return np.asarray(self._log_odds(inputs), dtype=np.float64)

    def probabilities(self, inputs: Floats) -> Floats:
        return sigmoid(self.log_odds(inputs))


def contract(inputs: int) -> Contract:
    """Inputs a, b, ... from -100 to 100, and an audit column."""
    made = [Column(name, Role.INPUT, "number", f"number {name}", 0.0, minimum=-100, maximum=100) for name in "abcdef"[:inputs]]
    return Contract("toy", 1, (*made, Column("sex", Role.AUDIT, "integer", "sex", 1, codes={1: "male", 2: "female"})))


def groups(inputs: int) -> tuple[ReasonGroup, ...]:
    return tuple(
        ReasonGroup(code=name.upper(), name=name, inputs=(name,), notice=f"Level of number {name}") for name in "abcdef"[:inputs]
    )


def policy(inputs: int, *, reduce: float = 0.5, mutable: tuple[Mutable, ...] = (), **adverse: Any) -> Policy:
    said = Adverse(**{"groups": groups(inputs), "no_notice": (), "mutable": mutable} | adverse)
    return USE_CASE.policy.model_copy(update={"cut_offs": CutOffs(review=0.2, reduce=reduce), "adverse": said})


def part(*baseline: list[float], scales: dict[str, list[float]] | None = None) -> dict[str, Any]:
    """What `reasons.json` would hold."""
    columns = "abcdef"[: len(baseline[0])]
    return {"columns": list(columns), "baseline": list(baseline), "scales": scales or {}}
