"""The reference profile: how every input, the score and the actions were distributed when the model was made. Frozen bins.

It is taken from accounts that the model was never trained on, and says how well the model did on them: monitoring
measures every later month against both.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from operator import eq, ge, le
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.contract import Column, Columns, Contract
from models.errors import Misconfigured
from models.policy import Action, Condition, Segment

BINS = 10
STEPS = 50
"""Of the fine bins: a distance that is read from them errs by at most what two neighbours hold, a fiftieth each."""
_COMPARISONS = {"==": eq, "<=": le, ">=": ge}


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
    segments: Mapping[str, Segment],
    first_reasons: Mapping[str, int] | None = None,
) -> dict[str, Any]:
    """What `reference.json` holds: bins and counts by input, of the score, counts by action, and `performance`.

    `fine` has narrow bins of every number, for distances; `segments` the counts of each segment in the bins of the whole;
    `first_reasons` how often each reason stood first, of the adverse actions.
    """
    inputs = {name: _counted(bins(contract[name], columns[name]), columns[name]) for name in contract.inputs}
    score = _counted({"edges": quantile_edges(probability)}, probability)
    numbers = {name: columns[name] for name in contract.inputs if not contract[name].codes} | {"probability": probability}
    inside = {name: members(contract, segment, columns) for name, segment in segments.items()}
    return {
        "rows": len(probability),
        "inputs": inputs,
        "score": score,
        "actions": _by_action(actions),
        "performance": asdict(expected),
        "fine": {name: _counted({"edges": fine_edges(values)}, values) for name, values in numbers.items()},
        "segments": {
            name: {
                "rows": int(rows.sum()),
                "inputs": {key: counts(binning, columns[key][rows]).tolist() for key, binning in inputs.items()},
                "score": counts(score, probability[rows]).tolist(),
                "actions": _by_action(actions[rows]),
            }
            for name, rows in inside.items()
        },
        "first_reasons": dict(first_reasons or {}),
    }


def members(contract: Contract, segment: Segment, columns: Columns) -> NDArray[np.bool_]:
    """Which rows belong to a segment, shape (n,). Raises `Misconfigured` unless it is made of contract inputs alone."""
    if foreign := sorted(segment.columns - set(contract.inputs)):
        raise Misconfigured(
            f"a segment of {contract.name} is made of {', '.join(foreign)}, which is no input of the contract",
            hint=f"segments may use {', '.join(contract.inputs)}; groups of people are the fairness report's",
        )
    return matching(segment, columns)


def matching(segment: Segment, columns: Columns) -> NDArray[np.bool_]:
    """The same of any columns that have the segment's."""
    inside = _all(segment.when, columns)
    return inside & ~_all(segment.unless, columns) if segment.unless else inside


def bins(column: Column, values: NDArray[Any]) -> dict[str, Any]:
    """A bin per code, or deciles of the values: `edges` are the inner boundaries, each bin closed on its left."""
    return {"codes": sorted(column.codes)} if column.codes else {"edges": quantile_edges(values)}


def quantile_edges(values: NDArray[Any]) -> list[float]:
    """Inner edges of up to `BINS` bins of about equal size; ties make fewer bins."""
    return [float(edge) for edge in np.unique(np.quantile(values, np.arange(1, BINS) / BINS))]


def fine_edges(values: NDArray[Any]) -> list[float]:
    """Inner edges of narrow bins. A value that many rows share gets a bin of its own, in which nothing is uncertain."""
    cuts, repeats = np.unique(np.quantile(values, np.arange(1, STEPS) / STEPS, method="higher"), return_counts=True)
    after = np.nextafter(cuts[repeats > 1].astype(np.float64), np.inf)
    return [float(edge) for edge in np.unique(np.concatenate([cuts, after]))]


def counts(binning: Mapping[str, Any], values: NDArray[Any]) -> NDArray[np.int64]:
    """Rows per bin. Codes get one bin each and a last one for codes never seen."""
    return np.bincount(places(binning, values), minlength=width(binning))


def places(binning: Mapping[str, Any], values: NDArray[Any]) -> NDArray[np.int64]:
    """The bin of each value, shape (n,)."""
    if "codes" in binning:
        codes = np.array(binning["codes"])
        place = np.minimum(np.searchsorted(codes, values), len(codes) - 1)
        return np.where(codes[place] == values, place, len(codes))
    return np.searchsorted(binning["edges"], values, side="right")


def width(binning: Mapping[str, Any]) -> int:
    """How many bins there are."""
    return len(binning["codes"] if "codes" in binning else binning["edges"]) + 1


def _counted(binning: dict[str, Any], values: NDArray[Any]) -> dict[str, Any]:
    return binning | {"counts": [int(count) for count in counts(binning, values)]}


def _by_action(actions: NDArray[np.str_]) -> dict[str, int]:
    return {action.value: int(np.sum(actions == action.value)) for action in Action}


def _all(conditions: Sequence[Condition], columns: Columns) -> NDArray[np.bool_]:
    found = np.ones(len(next(iter(columns.values()))), dtype=np.bool_)
    for condition in conditions:
        found &= np.asarray(_COMPARISONS[condition.comparison](columns[condition.column], condition.value))
    return found
