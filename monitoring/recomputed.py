"""Evidently's PSI, computed again: by the rule of its bins, from the same sample, in code of our own.

The figure on a drawn page and the exact one differ by bins and by sample. That they differ by nothing else is shown by
computing the page's figure a second time. The rule (Evidently 0.7): of numbers with more than twenty values equal widths by
Sturges over both samples together; else a bin for each value; an empty bin counts as a share of .0001, or of a millionth of
the smallest share if that is not above .0001.
"""

import numpy as np
from numpy.typing import NDArray

from models.contract import Array, Columns, Contract

TOLERANCE = 1e-6
"""By which the page's figure and the one computed again may differ: the order of additions, and no more."""
_FEW, _EMPTY, _MILLION = 20, 1e-4, 1e6


def psi_by_column(contract: Contract, reference: Columns, current: Columns) -> dict[str, float]:
    """Of every input and the score, from a page's two samples."""
    coded = {name for name in contract.inputs if contract[name].codes}
    names = [*contract.inputs, "probability"]
    return {name: psi(reference[name], current[name], coded=name in coded) for name in names}


def psi(reference: Array, current: Array, *, coded: bool) -> float:
    """Both of shape (n,), of any lengths. What is no number does not count; NaN if nothing does."""
    reference, current = (values[np.isfinite(values)] for values in (reference, current))
    if not (len(reference) and len(current)):
        return float("nan")
    q, p = _filled(_shares(reference, current, coded=coded)), _filled(_shares(reference, current, coded=coded, of_current=True))
    return float(np.sum((q - p) * np.log(q / p)))


def _shares(reference: Array, current: Array, *, coded: bool, of_current: bool = False) -> NDArray[np.float64]:
    both, own = np.concatenate([reference, current]), current if of_current else reference
    if coded or len(np.unique(reference)) <= _FEW:
        return np.array([np.mean(own == value) for value in np.unique(both)])
    return np.histogram(own, np.histogram_bin_edges(both, bins="sturges"))[0] / len(own)


def _filled(shares: NDArray[np.float64]) -> NDArray[np.float64]:
    least = float(shares[shares > 0].min())
    return np.where(shares > 0, shares, least / _MILLION if least <= _EMPTY else _EMPTY)
