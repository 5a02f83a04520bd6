"""The guardrails of a roll-out: limits that are stated, and signed with it, before the challenger answers anybody.

They are data: `monitoring/rollout` judges by them. Errors, latency and agreement are the policy's own limits. The distributions
and rates are tested anytime-valid: `false_alarms` bounds all of them together, over a whole roll-out, however often one looks.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from math import ceil, isfinite
from types import MappingProxyType
from typing import Any, Self

from models.errors import Misconfigured
from models.policy import Action

FALSE_ALARMS = 0.05
"""The one chance of a false alarm that `NEEDED` was simulated for."""
NEEDED = 12.5
"""Accounts needed, times share, share of the others and (drop / standard deviation of one decision)^2, so that a drop of the
size stated is found in at least 80 % of the roll-outs. From `make simulate-rollouts`; see docs/rollout.md."""

NOTHING_STATED: Mapping[str, Any] = MappingProxyType({})
MOST_DAYS = 31
MOST = MappingProxyType({"tolerance": 2.0, "latency_p50": 100.0, "latency_p99": 1_000.0})
"""A factor above is no limit any more. Those of latency leave room for a challenger of another kind."""


@dataclass(frozen=True)
class Guardrails:
    """Rates are shares of 1. `score_edges` are the inner edges of the champion's own bins of score, frozen in its bundle."""

    false_alarms: float = FALSE_ALARMS
    """Chance that a challenger which is no different is rolled back by any of the sequential tests. Signed, and no other."""
    drop: float = 0.02
    """The drop in favourable decisions that the test is sized for, in share of the accounts."""
    favourable_rate: float = 0.5
    """Share of favourable decisions expected of the champion. The test has most power where it is right, and is valid anyway."""
    score_edges: tuple[float, ...] = ()
    """Without them the distribution of the score is not tested."""
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict, hash=False)
    """All groups that there may be, by audit column, as contract and policy name them when it begins. They are bet on from the
    first account to the last: the same bets at every look, also where the audit columns cannot be had."""
    tolerance: float = 1.25
    """An action, or a bin of score, may be so many times as frequent in the canary as in the control, or the reverse."""
    error_rate: float = 0.01
    """Share of the canary's requests that may fail."""
    error_rise: float = 0.005
    """What the canary's share of failed requests may lie above the control's."""
    latency_p50: float = 1.5
    """The canary's median latency over the control's, at most."""
    latency_p99: float = 2.0
    """The same of the 99th percentile."""
    agreement: float = 0.90
    """Share of the accounts scored by both that get the same action, at least."""
    failures_in_a_row: int = 5
    """Failures one after the other from which on a serving process asks the challenger no more, without waiting for a verdict."""
    smallest_requests: int = 1_000
    """Requests of an arm, or pairs of shadow decisions, before errors, latency and agreement are judged."""
    smallest_accounts: int = 30_000
    """Accounts of both arms together, or in shadow, before anybody is asked for a promotion."""
    longest_days: int = MOST_DAYS
    """A roll-out that has not passed by then is rolled back, and the champion stays."""

    def __post_init__(self) -> None:
        for name in ("drop", "favourable_rate", "error_rate", "error_rise", "agreement"):
            _demand(name, "lies between 0 and 1", holds=0 < getattr(self, name) < 1)
        for name in ("tolerance", "latency_p50", "latency_p99"):
            _demand(name, f"is 1 or more, and at most {MOST[name]:g}", holds=1 <= getattr(self, name) <= MOST[name])
        _demand(
            "false_alarms",
            f"is {FALSE_ALARMS:g}: the accounts needed are known for no other",
            holds=self.false_alarms == FALSE_ALARMS,
        )
        for name in ("failures_in_a_row", "smallest_requests", "smallest_accounts", "longest_days"):
            whole = type(getattr(self, name)) is int
            _demand(name, "is a whole number above 0", holds=whole and getattr(self, name) >= 1)
        _demand("longest_days", f"is at most {MOST_DAYS}", holds=self.longest_days <= MOST_DAYS)
        _demand("drop", "is smaller than the rate of favourable decisions", holds=self.drop < self.favourable_rate)
        _demand("groups", "are named, at least one by each audit column", holds=all(self.groups.values()))
        rising = all(low < high for low, high in zip(self.score_edges, self.score_edges[1:], strict=False))
        _demand("score_edges", "are finite numbers that rise", holds=rising and all(map(isfinite, self.score_edges)))

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """From plain JSON data; what is not named has its default. Raises `Misconfigured`."""
        if unknown := sorted(set(data) - set(_names(cls))):
            raise Misconfigured(f"no such guardrail: {', '.join(unknown)}", hint=f"there are {', '.join(_names(cls))}")
        try:
            groups = {column: tuple(names) for column, names in dict(data.get("groups", {})).items()}
            return cls(**{**data, "score_edges": tuple(data.get("score_edges", ())), "groups": groups})
        except (TypeError, ValueError) as error:
            raise Misconfigured("a guardrail is no number", hint="see models/guardrails.py for what each one is") from error

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON data, as it is signed."""
        groups = {column: list(names) for column, names in self.groups.items()}
        return asdict(self) | {"score_edges": list(self.score_edges), "groups": groups}

    def fitted(self, reference: Mapping[str, Any], share: float, stated: Mapping[str, Any] = NOTHING_STATED) -> Self:
        """The same, with what follows from the champion: its bins, its rate of favourable decisions, and the accounts needed.

        `reference` is the champion's reference profile (`models/reference.py`), `share` the share of the canary; in shadow, where
        every account is scored by both, take .5. What is `stated` counts instead, and the accounts needed follow from it.
        """
        base = replace(self, **stated)
        counts = reference["actions"]
        rate = counts[Action.KEEP] / sum(counts.values())
        needed = accounts_needed(base.drop, rate, share)
        edges = tuple(reference["score"]["edges"])
        follows = {"favourable_rate": rate, "score_edges": edges, "smallest_accounts": needed}
        return replace(base, **{name: value for name, value in follows.items() if name not in stated})


def accounts_needed(drop: float, favourable_rate: float, share: float) -> int:
    """Accounts of both arms after which a drop of this size would have been found, in at least 80 % of the roll-outs."""
    _demand("share", "lies between 0 and 1", holds=0 < share < 1)
    return ceil(NEEDED * favourable_rate * (1 - favourable_rate) / (drop**2 * share * (1 - share)))


def _names(of: type[Guardrails]) -> list[str]:
    return [each.name for each in fields(of)]


def _demand(name: str, rule: str, *, holds: bool) -> None:
    if not holds:
        raise Misconfigured(f"guardrail {name}: {name} {rule}", hint="correct it in the request for the roll-out")
