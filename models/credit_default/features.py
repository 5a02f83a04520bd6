"""The one feature function: NumPy runs it in training, ndonnx traces it into the graph.

Only exact arithmetic (+, -, *, /, comparison, minimum, maximum, where) may be used: it gives the same bits in every
runtime, which logarithms and powers do not.
"""

from collections.abc import Mapping
from typing import Any

# A direction says how a feature may move the probability: +1 only up, -1 only down, 0 is free. Bound are those that a
# customer may hold the bank to: being further behind never helps, paying more now or having been granted more never hurts.
# All features that move with the number of months behind of an account that is behind are bound, so the score is too.
DIRECTIONS = {
    "months_behind_0": 1,
    "months_behind_1": 0,
    "months_behind_both": 1,
    "cured": 0,
    "started": 0,
    "unused_0": 0,
    "revolving_0": 0,
    "revolving_1": 0,
    "utilisation_0": 0,
    "utilisation_change": 0,
    "headroom": 0,
    "payment_ratio_0": 0,
    "payment_ratio_1": 0,
    "payment_to_limit_0": -1,
    "payment_to_limit_1": 0,
    "credit_limit": -1,
    "bill_0": 0,
    "payment_0": -1,
    "payment_1": 0,
}


def features(columns: Mapping[str, Any], xp: Any) -> dict[str, Any]:
    """Contract inputs, each of shape (rows,), to features of shape (rows,), float64; `xp` is an array-API namespace."""
    c = {name: xp.astype(values, xp.float64) for name, values in columns.items()}
    return _standing(c, xp) | _money(c, xp)


def _standing(c: Mapping[str, Any], xp: Any) -> dict[str, Any]:
    """What the repayment status of the two months says, code by code: the codes below 1 are states, not amounts."""
    now, before = c["status_0"], c["status_1"]
    months_0, months_1 = xp.maximum(now, 0.0), xp.maximum(before, 0.0)
    flags = {
        "cured": (now < 1) & (before >= 1),
        "started": (now > -2) & (before == -2),
        "unused_0": now == -2,
        "revolving_0": now == 0,
        "revolving_1": before == 0,
    }
    months = {
        "months_behind_0": months_0,
        "months_behind_1": months_1,
        "months_behind_both": xp.where(now >= 1, months_0 + months_1, 0.0),
    }
    return months | {name: xp.astype(flag, xp.float64) for name, flag in flags.items()}


def _money(c: Mapping[str, Any], xp: Any) -> dict[str, Any]:
    """Amounts, as they are and against the limit."""
    limit = xp.maximum(c["credit_limit"], 1.0)
    owed = xp.maximum(c["bill_1"], 0.0)
    return {
        "utilisation_0": c["bill_0"] / limit,
        "utilisation_change": (c["bill_0"] - c["bill_1"]) / limit,
        "headroom": c["credit_limit"] - c["bill_0"],
        # A payment settles the bill of the month before; for the earlier payment that bill is not known, so its own
        # month's bill stands in. Nothing owed counts as settled.
        "payment_ratio_0": _share(c["payment_0"], owed, xp),
        "payment_ratio_1": _share(c["payment_1"], owed, xp),
        "payment_to_limit_0": c["payment_0"] / limit,
        "payment_to_limit_1": c["payment_1"] / limit,
        "credit_limit": c["credit_limit"],
        "bill_0": c["bill_0"],
        "payment_0": c["payment_0"],
        "payment_1": c["payment_1"],
    }


def _share(paid: Any, owed: Any, xp: Any) -> Any:
    """Paid over owed, between 0 and 1; 1 if nothing is owed."""
    return xp.where(owed > 0, xp.minimum(paid / xp.maximum(owed, 1.0), 1.0), 1.0)
