"""The reference profile: how every input, the score and the actions were distributed when the model was made. Frozen bins.

It is taken from accounts that the model was never trained on, and says how well the model did on them: monitoring
measures every later month against both.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.contract import Column, Columns, Contract
from models.policy import Action

BINS = 10


@dataclass(frozen=True)
class Expected:
    """How the model did on the reference rows, and under which definition of "bad". `months` are theirs, as 2005-07.

    `auc_error` is the AUC's standard error (DeLong, by account): a later month is compared with a figure that is itself
    an estimate. Bundles sealed before it was kept have none; monitoring then uses Hanley and McNeil's.
    """

    auc: float
    auc_error: float
    brier: float
    bad_rate: float
    definition_version: int
    months: Sequence[str]


def profile(
    contract: Contract,
    columns: Columns,
    probability: NDArray[np.float64],
    actions: NDArray[np.str_],
    expected: Expected,
) -> dict[str, Any]:
    """What `reference.json` holds: bins and counts by input, of the score, counts by action, and `performance`."""
    return {
        "rows": len(probability),
        "inputs": {name: _counted(bins(contract[name], columns[name]), columns[name]) for name in contract.inputs},
        "score": _counted({"edges": quantile_edges(probability)}, probability),
        "actions": {action.value: int(np.sum(actions == action.value)) for action in Action},
        "performance": asdict(expected),
    }


def bins(column: Column, values: NDArray[Any]) -> dict[str, Any]:
    """A bin per code, or deciles of the values: `edges` are the inner boundaries, each bin closed on its left."""
    return {"codes": sorted(column.codes)} if column.codes else {"edges": quantile_edges(values)}


def quantile_edges(values: NDArray[Any]) -> list[float]:
    """Inner edges of up to `BINS` bins of about equal size; ties make fewer bins."""
    return [float(edge) for edge in np.unique(np.quantile(values, np.arange(1, BINS) / BINS))]


def counts(binning: Mapping[str, Any], values: NDArray[Any]) -> NDArray[np.int64]:
    """Rows per bin. Codes get one bin each and a last one for codes never seen."""
    if "codes" in binning:
        codes = np.array(binning["codes"])
        place = np.minimum(np.searchsorted(codes, values), len(codes) - 1)
        return np.bincount(np.where(codes[place] == values, place, len(codes)), minlength=len(codes) + 1)
    return np.bincount(np.searchsorted(binning["edges"], values, side="right"), minlength=len(binning["edges"]) + 1)


def _counted(binning: dict[str, Any], values: NDArray[Any]) -> dict[str, Any]:
    return binning | {"counts": [int(count) for count in counts(binning, values)]}
