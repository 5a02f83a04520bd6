"""Invariants that are seen row by row: repeats, last month's file, the lake's own rows, the graph run again. Pure, on columns."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.contract import Columns, Contract
from models.policy import Policy
from models.scoring import Scorer
from monitoring.invariants.figures import Carried, Recomputed, Repeats, Sanity, Skew, Unit

QUARTILES = (0.25, 0.5, 0.75)
_ROUNDING = 1e-12  # of differences between multiples of the quantum


def repeats(keys: NDArray[np.str_], inputs: NDArray[np.float64]) -> Repeats:
    """Accounts (n,) and inputs (n, inputs)."""
    accounts, number = np.unique(keys, return_inverse=True)
    different = len(np.unique(np.column_stack([number, inputs]), axis=0)) if len(keys) else 0
    return Repeats(same=len(keys) - different, other=different - len(accounts))


def carried(contract: Contract, now: Columns, before: Columns, month: str) -> Carried:
    """Of several decisions on an account the last one counts."""
    place = places(before[contract.key], now[contract.key])
    shared = place >= 0
    same = np.all(contract.matrix(now)[shared] == contract.matrix(before)[place[shared]], axis=1)
    known = now[contract.key][shared]
    return Carried(month=month, accounts=len(np.unique(known)), unchanged=len(np.unique(known[same])))


def skew(contract: Contract, policy: Policy, decided: Columns, snapshots: Sequence[Columns], scorer: Scorer) -> Skew:
    """`snapshots` are the versions of the month's snapshot, the newest first; there is at least one."""
    keys, inputs = decided[contract.key], contract.matrix(decided)
    right, known = np.zeros(len(keys), dtype=np.bool_), np.zeros(len(keys), dtype=np.bool_)
    for version in snapshots:
        place = places(version[contract.key], keys)
        here = place >= 0
        known |= here
        right[here] |= np.all(inputs[here] == contract.matrix(version)[place[here]], axis=1)
    place = places(snapshots[0][contract.key], keys)
    wrong = np.flatnonzero(known & ~right & (place >= 0))
    kept = contract.matrix(snapshots[0])[place[wrong]]
    scored = policy.quantise(scorer.probabilities(kept)) if len(wrong) else np.zeros(0)
    counted = zip(contract.inputs, np.sum(inputs[wrong] != kept, axis=0), strict=True)
    return Skew(
        compared=int(known.sum()),
        unknown=int((~known).sum()),
        differing=int((known & ~right).sum()),
        by_input={name: int(number) for name, number in counted if number},
        moved=float(np.abs(scored - decided["probability"][wrong]).max(initial=0.0)),
    )


def recomputed(contract: Contract, policy: Policy, decided: Columns, scorer: Scorer) -> Recomputed:
    inputs, logged = contract.matrix(decided), decided["probability"]
    again = policy.quantise(scorer.probabilities(inputs)) if len(logged) else np.zeros(0)
    apart = np.where(np.isnan(again) & np.isnan(logged), 0.0, np.abs(again - logged))
    differing = ~(apart <= policy.quantum + _ROUNDING)  # what is no number on one side alone differs, too
    return Recomputed(
        rows=len(logged), differing=int(differing.sum()), largest=float(np.nan_to_num(apart, nan=1.0).max(initial=0.0))
    )


def sanity(probability: NDArray[np.float64]) -> Sanity:
    if not len(probability):
        return Sanity(distinct=0, most_common=0.0, share=0.0)
    values, rows = np.unique(probability, return_counts=True)
    most = int(np.argmax(rows))
    return Sanity(distinct=len(values), most_common=float(values[most]), share=float(rows[most] / len(probability)))


def units(contract: Contract, decided: Columns, reference: Mapping[str, Any], least: int) -> tuple[Unit, ...]:
    """Of every amount with a unit that has as many values above zero as the policy asks for, now and at training."""
    found = []
    for name, fine in reference.get("fine", {}).items():
        if name not in contract.inputs or not contract[name].unit:
            continue
        values = decided[name][decided[name] > 0]
        was = _quartiles_above_zero(fine, least)
        if was is not None and len(values) >= least:
            now = np.quantile(values, QUARTILES)
            ratios = [float(ratio) for ratio in now / was]
            found.append(Unit(name=name, unit=contract[name].unit, ratios=(ratios[0], ratios[1], ratios[2])))
    return tuple(found)


def places(known: NDArray[np.str_], asked: NDArray[np.str_]) -> NDArray[np.intp]:
    """For each key asked the place of its last occurrence among those known, -1 if there is none; shape (asked,)."""
    if not len(known):
        return np.full(len(asked), -1, dtype=np.intp)
    keys, backwards = np.unique(known[::-1], return_index=True)
    at = np.minimum(np.searchsorted(keys, asked), len(keys) - 1)
    return np.where(keys[at] == asked, len(known) - 1 - backwards[at], -1)


def _quartiles_above_zero(fine: Mapping[str, Any], least: int) -> NDArray[np.float64] | None:
    """From frozen narrow bins: each is off by at most a bin. None if too few values lie above zero."""
    edges, counts = np.asarray(fine["edges"], dtype=np.float64), np.asarray(fine["counts"], dtype=np.float64)
    below, positive = np.cumsum(counts)[:-1], edges > 0  # rows below each edge
    # Where many values are 0 they have a bin of their own, which ends at the next number above.
    none_above = (edges <= 0) | (edges == np.nextafter(0.0, 1.0))
    zero = below[none_above].max(initial=0.0)
    if counts.sum() - zero < least or positive.sum() < len(QUARTILES):
        return None
    ranks = zero + np.asarray(QUARTILES) * (counts.sum() - zero)
    return np.asarray(np.interp(ranks, below[positive], edges[positive]), dtype=np.float64)
