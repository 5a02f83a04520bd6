"""What the cut-offs cost: expected by the cost matrix at every probability, and realised out of time beside it."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.governance.doubt.rule import Rule
from models.policy import Action, CostMatrix, CutOffs

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

GRID = 201
BINS = 12


@dataclass(frozen=True)
class Bin:
    """Accounts of about one probability, decided as they would be: mean cost by account, expected and realised, and the
    standard error of the realised one."""

    probability: float
    rows: int
    expected: float
    realised: float
    error: float


@dataclass(frozen=True)
class CostCurve:
    """Costs by account in the cost matrix's currency. `by_action` and `policy` are expected at `probability` (GRID,).

    `totals` are means over all accounts out of time by what is done: the policy's cut-offs, the rule in force (with its
    doubts), or one action for everybody.
    """

    cost: CostMatrix
    cut_offs: CutOffs
    band: CutOffs
    probability: Sequence[float]
    by_action: Mapping[str, Sequence[float]]
    policy: Sequence[float]
    bins: Sequence[Bin]
    totals: Mapping[str, Mapping[str, float]]

    def to_dict(self) -> dict[str, Any]:
        plain = {"cost": self.cost.model_dump(), "cut_offs": self.cut_offs.model_dump(), "band": self.band.model_dump()}
        curves = {"probability": list(self.probability), "policy": list(self.policy)}
        curves |= {action: list(costs) for action, costs in self.by_action.items()}
        return plain | {"curves": curves, "bins": [asdict(each) for each in self.bins], "totals": dict(self.totals)}


def cost_curve(rule: Rule, rows: Floats, probability: Floats, bad: Bools) -> CostCurve:
    """From accounts out of time: packed inputs (n, inputs), quantised probabilities and outcomes (n,)."""
    cost, own = rule.policy.cost, rule.policy.cut_offs
    grid = np.linspace(0, 1, GRID)
    lines = cost.expected(grid)
    taken = rule.actions(probability, rows)
    done = {"cut-offs": own.actions(probability), "in force": taken}
    done |= {f"{action} for everybody": np.full(len(bad), action.value) for action in Action}
    return CostCurve(
        cost=cost,
        cut_offs=own,
        band=rule.band,
        probability=grid.tolist(),
        by_action={action.value: line.tolist() for action, line in lines.items()},
        policy=cost.spent(own.actions(grid), grid).tolist(),
        bins=_bins(cost, taken, probability, bad),
        totals={name: _total(cost, actions, probability, bad) for name, actions in done.items()},
    )


def _total(cost: CostMatrix, actions: NDArray[np.str_], probability: Floats, bad: Bools) -> dict[str, float]:
    realised = cost.spent(actions, bad.astype(np.float64))
    expected = cost.spent(actions, probability)
    return {
        "expected": float(expected.mean()),
        "realised": float(realised.mean()),
        "error": float(realised.std() / sqrt(len(realised))),
        "reviewed": float(np.mean(actions == Action.REVIEW.value)),
    }


def _bins(cost: CostMatrix, actions: NDArray[np.str_], probability: Floats, bad: Bools) -> list[Bin]:
    """As many accounts in each, as far as ties allow."""
    place = np.searchsorted(np.unique(np.quantile(probability, np.arange(1, BINS) / BINS)), probability, side="right")
    expected, realised = cost.spent(actions, probability), cost.spent(actions, bad.astype(np.float64))
    parts = [place == number for number in np.unique(place)]
    return [
        Bin(
            float(probability[rows].mean()),
            int(rows.sum()),
            float(expected[rows].mean()),
            float(realised[rows].mean()),
            float(realised[rows].std() / sqrt(rows.sum())),
        )
        for rows in parts
    ]
