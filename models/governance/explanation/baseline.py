"""Whom a reduced account is compared with: real accounts just on the good side of the `reduce` cut-off, frozen in the bundle.

The mean of such accounts would be nobody, and need not lie near the cut-off itself. So single accounts are kept, by their
inputs alone: the first is the most typical of those near enough, each further one stands for what the others so far do not
(greedy medoids, distance in ranks). Accounts of different kinds meet at a cut-off, current ones and some that are behind;
comparing with the most typical ones alone made reasons jump from one kind to the other when the model was refitted.

The cut-off is the policy's own. Doubt may send accounts above it to a person instead (`rule.py`): that range moves with every
calibration, and with whom an account is compared should not.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.calibration import sigmoid
from models.contract import Columns, Contract
from models.errors import Integrity, Misconfigured, NotEnoughData
from models.governance.explanation.notices import check_notices
from models.policy import Adverse, Policy
from models.scoring import Scorer

Floats = NDArray[np.float64]

WIDTH = 0.05
"""Log-odds below the cut-off within which a baseline account lies."""
CANDIDATES = 500  # accounts among which medoids are sought: every pair of them is measured
KNOTS = 41  # quantiles of a mutable input: one in every 2.5 % of the accounts


def recorded(contract: Contract, policy: Policy, development: Columns, scorer: Scorer) -> dict[str, Any]:
    """What `reasons.json` holds: baseline accounts, and the scales on which a change of a mutable input is measured.

    `development` are the inputs of the accounts that the model was made from. Raises as `mapped` and `chosen` do.
    """
    mutable = mapped(contract, policy).mutable
    shares = np.linspace(0, 1, KNOTS)
    scales = {each.column: np.quantile(development[each.column], shares, method="nearest") for each in mutable}
    return {
        "columns": list(contract.inputs),
        "baseline": chosen(policy, contract.matrix(development), scorer).tolist(),
        "scales": {name: [float(value) for value in knots] for name, knots in scales.items()},
    }


def mapped(contract: Contract, policy: Policy) -> Adverse:
    """The policy's part on adverse decisions. Raises `Misconfigured` unless it speaks of every input once and of nothing else,
    in words that can be told to a customer."""
    adverse = policy.adverse
    if adverse is None:
        raise Misconfigured(
            f"the policy of {contract.name} has no reasons for adverse decisions", hint="give policy.adverse: groups and notices"
        )
    grouped = [name for group in adverse.groups for name in group.inputs]
    if missing := [name for name in contract.inputs if name not in grouped]:
        raise Misconfigured(
            f"no reason group holds {', '.join(missing)}",
            hint=f"whatever decides must be sayable: put it into a group of {contract.name}'s policy, with a notice text",
        )
    if doubled := sorted({name for name in grouped if grouped.count(name) > 1}):
        raise Misconfigured(f"{', '.join(doubled)} stand in more than one reason group", hint="an input is one reason, once")
    if foreign := sorted(_named(adverse) - set(contract.inputs)):
        raise Misconfigured(
            f"the policy's reasons speak of {', '.join(foreign)}, which no model of {contract.name} sees",
            hint="reasons, notices and help are about the contract's inputs alone",
        )
    check_notices(adverse)
    return adverse


def chosen(policy: Policy, rows: Floats, scorer: Scorer) -> Floats:
    """Up to `policy.adverse.baselines` accounts out of `rows`, both packed (accounts, inputs).

    The order of the rows does not matter, and equal accounts count once. Raises `NotEnoughData` if none is near enough.
    """
    near = np.unique(rows[_near(policy, scorer.log_odds(rows))], axis=0)
    if not len(near):
        raise NotEnoughData(
            f"none of {len(rows)} accounts lies within {WIDTH} log-odds on the good side of the reduce cut-off",
            hint="reasons need a real account to compare with: develop on more accounts",
        )
    kept = near[np.unique(np.linspace(0, len(near) - 1, CANDIDATES).round().astype(np.intp))]
    return kept[_medoids(_distances(kept), policy.adverse.baselines if policy.adverse else 0)]


def _distances(rows: Floats) -> Floats:
    """Between every two rows (n, n): ranks apart, ties at their middle, summed over the inputs."""
    total = np.zeros((len(rows), len(rows)))
    for values in rows.T:
        ordered = np.sort(values)
        rank = np.mean([np.searchsorted(ordered, values, side) for side in ("left", "right")], axis=0)
        total += np.abs(rank[:, None] - rank)
    return total


def _medoids(distances: Floats, count: int) -> list[int]:
    """Up to `count` rows; each brings all rows nearest, together, to the row of the chosen that is nearest to them."""
    chosen: list[int] = []
    nearest = np.full(len(distances), np.inf)
    for _ in range(min(count, len(distances))):
        chosen.append(int(np.argmin(np.minimum(nearest[:, None], distances).sum(axis=0))))
        nearest = np.minimum(nearest, distances[:, chosen[-1]])
    return chosen


def opened(contract: Contract, policy: Policy, part: Mapping[str, Any], scorer: Scorer) -> Floats:
    """The baseline accounts of a sealed `reasons.json`. Raises `Integrity` if one is not where a baseline must be."""
    baseline = np.array(part["baseline"], dtype=np.float64)
    if tuple(part["columns"]) != contract.inputs or baseline.ndim != 2 or baseline.shape[1] != len(contract.inputs):
        raise Integrity("reasons.json does not hold accounts of this contract", hint="seal the bundle again")
    if wrong := int(np.sum(~_near(policy, scorer.log_odds(baseline)))):
        raise Integrity(
            f"{wrong} of {len(baseline)} baseline accounts do not lie within {WIDTH} log-odds on the good side of the cut-off",
            hint="the cut-off or the graph was changed after they were chosen: seal the bundle again",
        )
    return baseline


def _near(policy: Policy, log_odds: Floats) -> NDArray[np.bool_]:
    cut = policy.cut_offs.reduce
    good = policy.quantise(sigmoid(log_odds)) < cut
    return np.asarray(good & (log_odds >= np.log(cut / (1 - cut)) - WIDTH))


def _named(adverse: Adverse) -> set[str]:
    """Every column that the policy's part on adverse decisions speaks of."""
    names = {name for group in adverse.groups for name in group.inputs}
    names |= {condition.column for rule in adverse.no_notice for condition in rule.when}
    names |= {each.column for each in adverse.mutable}
    return names | {each.until for each in adverse.mutable if isinstance(each.until, str)}
