"""Reasons for adverse decisions: exact Baseline Shapley values, in log-odds, over the policy's groups of inputs.

For every coalition of groups the account's own values stand in the coalition and a baseline account's in the rest; all
coalitions are scored, so nothing is sampled (Shapley 1953; against a baseline: Sundararajan & Najmi 2020). Values are means
over the baseline accounts (`baseline.py`). They add up to the account's log-odds less the mean of the baseline accounts'.

Listed is a group with a positive value whose reset to the baseline, of it alone, lowers the probability: through an
interaction it may also raise it, even in a monotone model, and such a reason would not help. All that is needed is in the
bundle: groups and notices in policy.json, accounts in reasons.json.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import factorial
from operator import eq, ge, le
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from models.bundle import Bundle
from models.calibration import sigmoid
from models.contract import Contract
from models.errors import Integrity
from models.governance.explanation.baseline import mapped, opened
from models.policy import NoNotice, Policy, ReasonGroup
from models.scoring import Scorer

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

MOST = 4
"""Reasons in one notice, at most: more are not likely to help (Regulation B, comment 9(b)(2)-1)."""
BATCH = 4_096
"""Rows scored at once, at most: a large request must not need memory without bound."""

ADDITIVE = 1e-6
"""Log-odds by which the values of an account may miss its own, at most."""

_COMPARISONS = {"==": eq, "<=": le, ">=": ge}


@dataclass(frozen=True)
class Reason:
    """One reason, as it is answered and logged; `contribution` is in log-odds. `confirmed`: its reset lowers the probability."""

    code: str
    group: str
    text: str
    contribution: float
    confirmed: bool = True

    def to_dict(self) -> dict[str, Any]:
        return vars(self).copy()

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        return cls(**data)


@dataclass(frozen=True)
class Explanation:
    """What an account is told. `no_notice` is the rule by which no notice is due, "" if one is; `dropped` are the groups
    with a positive value that their own reset did not confirm."""

    no_notice: str
    reasons: tuple[Reason, ...]
    dropped: tuple[str, ...] = ()


UNEXPLAINED = Explanation("", ())


@dataclass(frozen=True)
class Values:
    """Of n accounts over g groups: Shapley values (n, g), and whether the reset of a group lowers the probability (n, g)."""

    shapley: Floats
    lowers: Bools


class Explainer:
    """Reasons of one bundle. Safe for several threads. An account's reasons do not depend on those that are asked with it."""

    def __init__(self, contract: Contract, policy: Policy, part: Mapping[str, Any], scorer: Scorer) -> None:
        """`part` is `reasons.json`. Raises `Misconfigured` if an input has no reason, `Integrity` for a wrong baseline."""
        self.adverse = mapped(contract, policy)
        self._quantise, self._quantum, self._scorer = policy.quantise, policy.quantum, scorer
        self._inputs = contract.inputs
        self._baseline = opened(contract, policy, part, scorer)
        self._good = scorer.log_odds(self._baseline)
        groups = self.adverse.groups
        self._weights, members = _coalitions(len(groups))
        owner = [next(k for k, group in enumerate(groups) if name in group.inputs) for name in contract.inputs]
        self._own = members[:, owner]  # (coalitions, inputs): where the account's own value stands
        self._without = [len(members) - 1 - 2**k for k in range(len(groups))]  # the coalition of all groups but k
        self._step = max(1, BATCH // ((len(members) - 1) * len(self._baseline)))

    @property
    def base(self) -> float:
        """Mean log-odds of the baseline accounts: what the values of an account and this add up to are its own."""
        return float(self._good.mean())

    def explain(self, rows: Floats) -> list[Explanation]:
        """What accounts with the action `reduce` are told; `rows` are their packed inputs (n, inputs). Raises `Integrity` if a
        value is no number.

        One to `MOST` reasons each. The values of an account above the cut-off sum to more than zero, so one at least is
        positive; if no reset confirms a positive one, the largest is given and says so.
        """
        if not len(rows):
            return []
        found = self.values(rows)
        if not np.isfinite(found.shapley).all():
            raise Integrity("the reasons of a reduction are no numbers", hint="roll back to the previous champion")
        told = zip(self.no_notice(rows), self._quantise(found.shapley).tolist(), found.lowers.tolist(), strict=True)
        return [self._told(*each) for each in told]

    def values(self, rows: Floats) -> Values:
        """Of any accounts, packed inputs (n, inputs), in chunks of bounded size."""
        parts = [self._part(rows[start : start + self._step]) for start in range(0, len(rows), self._step)]
        return Values(np.concatenate([part.shapley for part in parts]), np.concatenate([part.lowers for part in parts]))

    def no_notice(self, rows: Floats) -> list[str]:
        """The basis of the first rule by which no notice is due, "" where one is."""
        rules = self.adverse.no_notice
        return [next((rule.basis for rule in rules if holds(rule, self._inputs, row)), "") for row in rows.tolist()]

    def _part(self, rows: Floats) -> Values:
        """All mixtures of these accounts with the baseline accounts, scored in one batch."""
        mixed = np.where(self._own[1:, None, :], rows[:, None, None, :], self._baseline)
        worth = np.empty((len(rows), len(self._own), len(self._baseline)))
        worth[:, 0] = self._good
        worth[:, 1:] = self._scorer.log_odds(mixed.reshape(-1, rows.shape[1])).reshape(mixed.shape[:-1])
        # Sums along the last axis, no matrix product: their bits do not depend on how many accounts there are.
        shapley = np.add.reduce(_mean(worth)[:, None, :] * self._weights, axis=2)
        after, before = _mean(sigmoid(worth[:, self._without])), sigmoid(worth[:, -1:, 0])
        return Values(shapley, after < before - self._quantum)

    def _told(self, no_notice: str, shapley: Sequence[float], lowers: Sequence[bool]) -> Explanation:
        groups = self.adverse.groups
        positive = [k for k in sorted(range(len(shapley)), key=lambda k: -shapley[k]) if shapley[k] > 0]
        confirmed = [k for k in positive if lowers[k]]
        listed = confirmed[:MOST] or positive[:1]
        return Explanation(
            no_notice=no_notice,
            reasons=tuple(_reason(groups[k], shapley[k], confirmed=bool(confirmed)) for k in listed),
            dropped=tuple(groups[k].name for k in positive if k not in confirmed),
        )


def check_additive(bundle: Bundle, scorer: Scorer) -> None:
    """Explain the golden rows: every code, both ends of every range. Raises `Integrity` if values do not add up."""
    rows = np.array(bundle.part("golden.json")["inputs"], dtype=np.float64)
    explainer = Explainer(bundle.contract, bundle.policy, bundle.part("reasons.json"), scorer)
    missing = explainer.values(rows).shapley.sum(axis=1) + explainer.base - scorer.log_odds(rows)
    if not (worst := float(np.abs(missing).max())) <= ADDITIVE:
        raise Integrity(
            f"the reasons of a golden row miss its log-odds by {worst:.3g}, more than {ADDITIVE}",
            hint="the graph does not score a row the same alone and in a batch; do not seal it",
        )


def holds(rule: NoNotice, inputs: tuple[str, ...], row: Sequence[float]) -> bool:
    """Whether every condition of the rule holds for an account's packed inputs."""
    return all(_COMPARISONS[each.comparison](row[inputs.index(each.column)], each.value) for each in rule.when)


def _mean(values: Floats) -> Floats:
    """Along the last axis; of few values `numpy.mean` takes twice as long."""
    return np.asarray(np.add.reduce(values, axis=-1) / values.shape[-1])


def _coalitions(groups: int) -> tuple[Floats, Bools]:
    """Weights (groups, coalitions) that turn the worth of every coalition into Shapley values, and members (coalitions, groups).

    Group k is in coalition c if bit k of c is set. A coalition of s groups with k counts (s-1)! (g-s)! / g! for k, one
    without it -s! (g-s-1)! / g!.
    """
    members = (np.arange(2**groups)[:, None] >> np.arange(groups)) % 2 == 1
    weights = np.empty((groups, len(members)))
    for coalition, present in enumerate(members):
        size = int(present.sum())
        for k in range(groups):
            others = size - int(present[k])
            share = factorial(others) * factorial(groups - others - 1) / factorial(groups)
            weights[k, coalition] = share if present[k] else -share
    return weights, members


def _reason(group: ReasonGroup, contribution: float, *, confirmed: bool) -> Reason:
    return Reason(group.code, group.name, group.notice, contribution, confirmed)
