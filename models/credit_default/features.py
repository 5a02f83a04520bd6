"""The one feature function: NumPy runs it in training, ndonnx traces it into the graph.

Only exact arithmetic (+, -, *, /, comparison, minimum, maximum, where) may be used: it gives the same bits in every
runtime, which logarithms and powers do not.
"""

from collections.abc import Mapping
from typing import Any

# A direction says how a feature may move the probability: +1 only up, -1 only down, 0 is free.
DIRECTIONS = {
    "status_0": 1,
    "status_1": 1,
    "months_behind_0": 1,
    "months_behind_1": 1,
    "status_worsened": 0,
    "utilisation_0": 0,
    "utilisation_1": 0,
    "utilisation_change": 0,
    "payment_ratio_0": -1,
    "payment_ratio_1": -1,
    "payment_to_limit_0": -1,
    "payment_to_limit_1": -1,
    "paid_in_full": 0,
    "credit_limit": -1,
    "bill_0": 0,
    "payment_0": -1,
}


def features(columns: Mapping[str, Any], xp: Any) -> dict[str, Any]:
    """Contract inputs, each of shape (rows,), to features of shape (rows,), float64; `xp` is an array-API namespace."""
    c = {name: xp.astype(values, xp.float64) for name, values in columns.items()}
    zero, one = xp.zeros_like(c["bill_0"]), xp.ones_like(c["bill_0"])
    limit = xp.maximum(c["credit_limit"], one)
    owed_1 = xp.maximum(c["bill_1"], zero)
    return {
        "status_0": c["status_0"],
        "status_1": c["status_1"],
        "months_behind_0": xp.maximum(c["status_0"], zero),
        "months_behind_1": xp.maximum(c["status_1"], zero),
        "status_worsened": c["status_0"] - c["status_1"],
        "utilisation_0": c["bill_0"] / limit,
        "utilisation_1": c["bill_1"] / limit,
        "utilisation_change": (c["bill_0"] - c["bill_1"]) / limit,
        # A payment settles the bill of the month before; for the earlier payment that bill is not known, so its own
        # month's bill stands in. Nothing owed counts as settled.
        "payment_ratio_0": _share(c["payment_0"], owed_1, xp),
        "payment_ratio_1": _share(c["payment_1"], owed_1, xp),
        "payment_to_limit_0": c["payment_0"] / limit,
        "payment_to_limit_1": c["payment_1"] / limit,
        "paid_in_full": xp.where(c["payment_0"] >= owed_1, one, zero),
        "credit_limit": c["credit_limit"],
        "bill_0": c["bill_0"],
        "payment_0": c["payment_0"],
    }


def _share(paid: Any, owed: Any, xp: Any) -> Any:
    """Paid over owed, between 0 and 1; 1 if nothing is owed."""
    one = xp.ones_like(owed)
    return xp.where(owed > 0, xp.minimum(paid / xp.maximum(owed, one), one), one)
