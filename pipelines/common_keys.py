"""Which rows of two tables have the same key."""

import numpy as np
from numpy.typing import NDArray

from models.contract import Array

_AT_A_TIME = 65_536
_FACTOR = np.uint64(0x9E3779B97F4A7C15)  # any odd number with many bits set

Rows = NDArray[np.intp]


def common(here: NDArray[np.str_], there: NDArray[np.str_]) -> tuple[Rows, Rows]:
    """The rows (k,) of each with a key that stands in both; of a key that stands twice, the first.

    Numbers made of the texts sort many times faster than the texts, and in a twentieth of the memory. Should two texts
    have one number, or a text stand twice, the texts themselves are compared.
    """
    numbers = _numbers(here), _numbers(there)
    _, rows, others = np.intersect1d(*numbers, return_indices=True)
    if any(len(np.unique(each)) < len(each) for each in numbers) or not _equal(here, rows, there, others):
        _, rows, others = np.intersect1d(here, there, return_indices=True)
    return rows, others


def _numbers(texts: NDArray[np.str_]) -> NDArray[np.uint64]:
    """A text (n,) as the sum of its letters times a power of their place: how wide it is held does not count."""
    width = texts.dtype.itemsize // np.dtype(np.uint32).itemsize
    letters = np.ascontiguousarray(texts).view(np.uint32).reshape(len(texts), width)
    powers = np.cumprod(np.full(width, _FACTOR))
    parts = [letters[start : start + _AT_A_TIME].astype(np.uint64) @ powers for start in range(0, len(texts), _AT_A_TIME)]
    return np.concatenate(parts or [np.empty(0, np.uint64)])


def _equal(here: Array, rows: Rows, there: Array, others: Rows) -> bool:
    parts = (slice(start, start + _AT_A_TIME) for start in range(0, len(rows), _AT_A_TIME))
    return all(np.array_equal(here[rows[part]], there[others[part]]) for part in parts)
