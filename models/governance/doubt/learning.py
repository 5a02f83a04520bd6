"""Learning what is familiar from the accounts that a model was made from: see `familiar.py`."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from models.contract import Columns, Contract
from models.governance.doubt.familiar import Familiar, Range, TogetherRange
from models.governance.doubt.seen import Combination, signs_of, tuples
from models.governance.doubt.together import Measure, check
from models.policy import RobustnessLimits, Together

Floats = NDArray[np.float64]


def learned(contract: Contract, development: Columns, limits: RobustnessLimits) -> Familiar:
    """From the inputs of the accounts that the model was made from, shape (n,): flags at most `limits.flagged` of them.

    A number, or amounts taken together, is as rare as the accounts that lie at least as far out on its side are few; a
    combination, as those that have it are. An account is as rare as the rarest of its own, and the rarest accounts, up to the
    share, are flagged. Raises `Misconfigured` if the limits take together what cannot be.
    """
    check(contract, limits.compared, limits.signs)
    matrix, coded = contract.matrix(development), [name for name in contract.inputs if contract[name].codes]
    numbers = {name: matrix[:, place] for place, name in enumerate(contract.inputs) if name not in coded}
    sums = {each: Measure.of(each, contract.inputs).many(matrix) for each in (*limits.compared, *limits.signs)}
    signs = [signs_of(sums[each]) for each in limits.signs]
    pairs = [names for names in combinations(coded, min(2, len(coded))) if names]
    asked: list[tuple[tuple[str, ...], tuple[Together, ...]]] = [(names, ()) for names in pairs]
    asked += [(names, limits.signs) for names in pairs or [()] if limits.signs]
    joint = [
        (names, taken, _Counted.of([*(development[name] for name in names), *(signs if taken else ())])) for names, taken in asked
    ]
    spread = {name: _Spread.of(values) for name, values in [*numbers.items(), *((each, sums[each]) for each in limits.compared)]}
    rarity = np.min([*(each.fewer for each in spread.values()), *(counted.of_each for _, _, counted in joint)], axis=0)
    least = int(np.sort(rarity)[int(limits.flagged * len(matrix))])
    return Familiar(
        contract.inputs,
        tuple(Range(name, *spread[name].within(least)) for name in numbers),
        tuple(Combination(names, tuples(counted.codes[counted.counts >= least]), taken) for names, taken, counted in joint),
        least / len(matrix),
        float(np.mean(rarity < least)),
        tuple(TogetherRange(each, *spread[each].within(least)) for each in limits.compared),
    )


@dataclass(frozen=True)
class _Spread:
    """Values of the development accounts in order, and by account (n,) how many lie at least as far out, on the side where
    they are fewer."""

    ordered: Floats
    fewer: NDArray[np.int64]

    @classmethod
    def of(cls, values: Floats) -> Self:
        ordered = np.sort(values)
        below = np.searchsorted(ordered, values, side="right")
        above = len(ordered) - np.searchsorted(ordered, values, side="left")
        return cls(ordered, np.minimum(below, above))

    def within(self, least: int) -> tuple[float, float]:
        return float(self.ordered[least - 1]), float(self.ordered[len(self.ordered) - least])


@dataclass(frozen=True)
class _Counted:
    """Distinct combinations, how often each occurs, and how often the one of each account does."""

    codes: NDArray[Any]
    counts: NDArray[np.int64]
    of_each: NDArray[np.int64]

    @classmethod
    def of(cls, columns: Sequence[NDArray[Any]]) -> Self:
        codes, place, counts = np.unique(np.column_stack(columns), axis=0, return_inverse=True, return_counts=True)
        return cls(codes, counts, counts[place])
