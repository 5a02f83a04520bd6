"""Two versions on the same accounts: who is treated otherwise, what it costs, and in what these accounts differ from others."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from models.policy import Action, CostMatrix
from pipelines.swap_set.report import BY_CHALLENGER, BY_CHAMPION, MEAN, REALISED, Cell, Change, Cost, Distinct

Floats = NDArray[np.float64]
Texts = NDArray[np.str_]

EXAMPLES = 5
DISTINCT = 4  # inputs that are named


@dataclass(frozen=True)
class Scored:
    """By account (n,): quantised probabilities and actions of one version."""

    probability: Floats
    actions: Texts

    def counts(self) -> dict[Action, int]:
        return {action: int(np.sum(self.actions == action.value)) for action in Action}


def cells(accounts: Texts, champion: Scored, challenger: Scored) -> tuple[Cell, ...]:
    """Every pair of actions, from the mildest. Examples are the first by pseudonym, which is a hash: nobody chose them."""
    found = []
    for was in Action:
        for now in Action:
            mine = np.sort(accounts[(champion.actions == was.value) & (challenger.actions == now.value)])
            examples = tuple(mine[:EXAMPLES].tolist()) if was is not now else ()
            found.append(Cell(champion=was, challenger=now, accounts=len(mine), examples=examples))
    return tuple(found)


def severity(actions: Texts) -> NDArray[np.int64]:
    return np.select([actions == action.value for action in Action], list(range(len(Action)))).astype(np.int64)


def costs(cost: CostMatrix, champion: Scored, challenger: Scored, confidence: float) -> tuple[Cost, ...]:
    """Expected cost of what both do. By its own probabilities either looks better, so both are told, and their mean."""
    readings = {
        MEAN: (champion.probability + challenger.probability) / 2,
        BY_CHAMPION: champion.probability,
        BY_CHALLENGER: challenger.probability,
    }
    return tuple(_cost(cost, name, champion, challenger, p, confidence) for name, p in readings.items())


def realised(cost: CostMatrix, champion: Scored, challenger: Scored, bad: NDArray[np.bool_], confidence: float) -> Cost:
    """What both would have cost, outcomes being what they are. An action may change an outcome: the matrix says by how much."""
    return _cost(cost, REALISED, champion, challenger, bad.astype(np.float64), confidence)


def _cost(cost: CostMatrix, reading: str, champion: Scored, challenger: Scored, p: Floats, confidence: float) -> Cost:
    """Paired: on most accounts both do the same, and the difference is exactly nothing."""
    theirs, ours = cost.spent(champion.actions, p), cost.spent(challenger.actions, p)
    difference = ours - theirs
    reach = NormalDist().inv_cdf((1 + confidence) / 2) * float(difference.std()) / sqrt(len(difference))
    mean = float(difference.mean())
    return Cost(
        reading=reading,
        accounts=len(p),
        champion=float(theirs.mean()),
        challenger=float(ours.mean()),
        difference=mean,
        low=mean - reach,
        high=mean + reach,
    )


def change(champion: Scored, challenger: Scored) -> Change:
    moved = challenger.probability - champion.probability
    return Change(
        mean=float(moved.mean()),
        mean_absolute=float(np.abs(moved).mean()),
        largest_of_99=float(np.quantile(np.abs(moved), 0.99)),
    )


def distinct(inputs: Mapping[str, Floats], flipped: NDArray[np.bool_]) -> tuple[Distinct, ...]:
    """The inputs in which those who are treated otherwise differ most from the others; none where everybody is in one part."""
    if not 0 < flipped.sum() < len(flipped):
        return ()
    found = [_differs(name, values.astype(np.float64), flipped) for name, values in inputs.items()]
    return tuple(sorted(found, key=lambda each: -abs(each.difference))[:DISTINCT])


def _differs(name: str, values: Floats, flipped: NDArray[np.bool_]) -> Distinct:
    mine, others, spread = float(values[flipped].mean()), float(values[~flipped].mean()), float(values.std())
    return Distinct(name=name, flipped=mine, others=others, difference=(mine - others) / spread if spread else 0.0)


def direction(champion: Scored, challenger: Scored) -> NDArray[np.int64]:
    """By account (n,): 1 if the challenger is harsher, -1 if it is milder, 0 if it does the same."""
    return np.asarray(np.sign(severity(challenger.actions) - severity(champion.actions)))


def other_costs(first: CostMatrix, second: CostMatrix) -> str:
    """A note where the two versions were sealed with different costs; "" otherwise."""
    return "" if first == second else "The two versions were sealed with different cost matrices; costs are by the champion's."
