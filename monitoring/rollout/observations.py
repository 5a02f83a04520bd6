"""What a roll-out is judged by: the first answer that each account got, and how the arms served."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from models.policy import Action
from monitoring.rollout.bets import CANARY, CONTROL, UNSEEN, Whole

ARMS = ("control", "canary")  # by their number in `bets`

_ACTIONS = tuple(action.value for action in Action)


@dataclass(frozen=True)
class Observation:
    """What an account's request came to. A failed one has no action and no probability: "" and NaN."""

    account: str  # its pseudonym
    arm: str
    action: str
    probability: float
    failed: bool = False


@dataclass(frozen=True)
class Segments:
    """The group of every account by one audit column, as the restricted table's door hands it out.

    `groups` are all that there may be, stated before anybody was seen: which ones turn up must not decide what is bet on.
    """

    column: str
    groups: tuple[str, ...]
    of: Mapping[str, str]  # group by account; who is not in it is not looked at
    minimum_cell: int  # accounts of a group before a figure of it is shown


def as_signed(groups: Mapping[str, tuple[str, ...]], given: Iterable[Segments]) -> list[Segments]:
    """By every column that was signed: whoever is in a group that was named. Of a column that cannot be had, nobody is."""
    found = {each.column: each for each in given}
    nobody = {column: Segments(column, names, {}, 1) for column, names in groups.items()}
    return [replace(found.get(column, nobody[column]), groups=names) for column, names in groups.items()]


@dataclass(frozen=True)
class Service:
    """How one arm served since the roll-out began. Latencies in seconds; None where too few were measured."""

    requests: int = 0
    errors: int = 0
    p50: float | None = None
    p99: float | None = None
    timed: int = 0  # of the requests: the latencies are theirs

    @property
    def error_rate(self) -> float:
        return self.errors / self.requests if self.requests else 0.0


@dataclass(frozen=True)
class Pairs:
    """Accounts that both bundles scored (shadow decisions): how many, with the same action, and favoured by the champion.

    `lost` are favoured by the champion alone, `gained` by the challenger alone.
    """

    accounts: int = 0
    agreed: int = 0
    champion_favourable: int = 0
    lost: int = 0
    gained: int = 0

    @property
    def challenger_favourable(self) -> int:
        return self.champion_favourable - self.lost + self.gained

    @property
    def agreement(self) -> float:
        return self.agreed / self.accounts if self.accounts else 0.0

    @property
    def drop(self) -> float:
        """In the share of favourable decisions, on the same accounts: which arm they are in is no chance in it, who came is."""
        return (self.lost - self.gained) / self.accounts if self.accounts else 0.0


def first_per_account(observations: Iterable[Observation]) -> list[Observation]:
    """In the order given, which is that of time. Later answers to an account are no news about an arm: they repeat the first."""
    first: dict[str, Observation] = {}
    for observation in observations:
        first.setdefault(observation.account, observation)
    return list(first.values())


def paired(actions: Iterable[tuple[str, str]]) -> Pairs:
    """From the champion's and the challenger's action on each account."""
    accounts = agreed = champion = lost = gained = 0
    for by_champion, by_challenger in actions:
        accounts += 1
        agreed += by_champion == by_challenger
        kept, keeps = by_champion == Action.KEEP, by_challenger == Action.KEEP
        champion += kept
        lost += kept and not keeps
        gained += keeps and not kept
    return Pairs(accounts, agreed, champion, lost, gained)


@dataclass(frozen=True)
class Classes:
    """What the tests look at, by account (n,): the arm, whether the request failed, the action's number, the bin of the score.

    `groups` are the numbers of the groups by audit column, -1 where none is known.
    """

    arms: Whole
    failed: Whole
    actions: Whole
    bins: Whole
    groups: Mapping[str, Whole] = field(default_factory=dict)

    @classmethod
    def of(cls, observations: Sequence[Observation], edges: Sequence[float], segments: Sequence[Segments] = ()) -> "Classes":
        """A failed request has neither action nor bin. Raises `ValueError` for an arm or an action that there is not."""
        failed = np.array([each.failed for each in observations], dtype=np.int64)
        scores = np.array([each.probability for each in observations], dtype=np.float64)
        known = [UNSEEN if each.failed else _ACTIONS.index(each.action) for each in observations]
        return cls(
            arms=np.array([ARMS.index(each.arm) for each in observations], dtype=np.int64),
            failed=failed,
            actions=np.array(known, dtype=np.int64),
            bins=np.where(failed == 1, UNSEEN, np.searchsorted(np.asarray(edges, dtype=np.float64), scores, side="right")),
            groups={each.column: _numbers(each, observations) for each in segments},
        )

    @property
    def favourable(self) -> Whole:
        """0 is favourable, 1 is not: review counts as not, until a person has decided."""
        return np.where(self.actions == UNSEEN, UNSEEN, (self.actions != _ACTIONS.index(Action.KEEP)).astype(np.int64))

    def within(self, column: str) -> Whole:
        """Group and favourable or not, as one number; see `bets.on_drop_within`."""
        groups, favourable = self.groups[column], self.favourable
        return np.where((groups == UNSEEN) | (favourable == UNSEEN), UNSEEN, 2 * groups + favourable)

    def shares(self, classes: Whole, at: int) -> tuple[float, float]:
        """How frequent a class is among those that a test looks at: in the control and in the canary."""
        return self._share(classes, at, CONTROL), self._share(classes, at, CANARY)

    def _share(self, classes: Whole, at: int, arm: int) -> float:
        looked_at = classes[(self.arms == arm) & (classes != UNSEEN)]
        return float(np.mean(looked_at == at)) if looked_at.size else 0.0


def _numbers(segments: Segments, observations: Sequence[Observation]) -> Whole:
    places = {group: number for number, group in enumerate(segments.groups)}
    named = (segments.of.get(each.account, "") for each in observations)
    return np.array([places.get(group, UNSEEN) for group in named], dtype=np.int64)
