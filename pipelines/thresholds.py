"""Do the policy's cut-offs hold on real outcomes? Realised cost at the cut-offs against that at their neighbours."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.evaluation import clusters, standard_error
from models.influence import mean
from models.policy import CutOffs, Policy

Floats = NDArray[np.float64]
FACTORS = (0.8, 1.0, 1.25)


@dataclass(frozen=True)
class Neighbour:
    """A pair of cut-offs: its mean cost by row in the policy's currency, what that is above the policy's own pair, and
    the standard error of that paired difference. A neighbour is surely cheaper if `excess < -2 * error`."""

    review: float
    reduce: float
    cost: float
    excess: float
    error: float


def neighbours(
    policy: Policy,
    bad: NDArray[np.bool_],
    probability: Floats,
    accounts: NDArray[Any],
    factors: Sequence[float] = FACTORS,
) -> list[Neighbour]:
    """The policy's cut-offs first, then every pair of them times `factors` that is still in order."""
    own, cluster = policy.cut_offs, clusters(accounts)
    base = realised(policy, own, bad, probability)
    pairs = [(own.review, own.reduce)]
    pairs += [(own.review * a, own.reduce * b) for a, b in product(factors, factors) if (a, b) != (1.0, 1.0)]
    found = []
    for review, reduce in pairs:
        if review < reduce < 1:
            cost = realised(policy, CutOffs(review=review, reduce=reduce), bad, probability)
            error = standard_error(mean(cost - base), bad, cluster)
            found.append(Neighbour(review, reduce, float(cost.mean()), float((cost - base).mean()), error))
    return found


def realised(policy: Policy, cut_offs: CutOffs, bad: NDArray[np.bool_], probability: Floats) -> Floats:
    """What the action cost by row, shape (n,): the cost matrix at the outcome itself instead of at a probability."""
    return policy.cost.spent(cut_offs.actions(policy.quantise(probability)), bad.astype(np.float64))
