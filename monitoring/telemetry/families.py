"""Numbers as Prometheus calls them: a family has a name, a kind, and samples by labels.

Labels take their values from short lists, and never from an account, a client or a record.
"""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Literal

Labels = tuple[tuple[str, str], ...]
Kind = Literal["counter", "gauge", "histogram"]


@dataclass
class Histogram:
    """`counts[i]` values lie at or below `ends[i]` and above the end before; the last ones are above all ends."""

    ends: Sequence[float]
    counts: list[int] = field(default_factory=list)
    total: float = 0.0

    def __post_init__(self) -> None:
        self.counts = self.counts or [0] * (len(self.ends) + 1)

    def add(self, value: float) -> None:
        self.counts[bisect_left(self.ends, value)] += 1
        self.total += value

    def copy(self) -> "Histogram":
        """As it is now: what is told must be what is kept, and counting goes on meanwhile."""
        return replace(self, counts=[*self.counts])

    def plus(self, other: "Histogram") -> "Histogram":
        """Both together; the ends are the same."""
        return Histogram(self.ends, [a + b for a, b in zip(self.counts, other.counts, strict=True)], self.total + other.total)


@dataclass(frozen=True)
class Family:
    """`adds_up`: what several workers count is told as one sum; else each tells what it sees itself."""

    name: str
    kind: Kind
    about: str
    samples: Mapping[Labels, float | Histogram]
    adds_up: bool = True

    def plus(self, other: "Family") -> "Family":
        both = dict(self.samples)
        for labels, value in other.samples.items():
            both[labels] = _sum(both[labels], value) if labels in both else value
        return replace(self, samples=both)


def gauge(name: str, about: str, value: float, *, adds_up: bool = False) -> Family:
    return Family(f"steward_{name}", "gauge", about, {(): value}, adds_up)


def joined(own: Iterable[Family], others: Iterable[Iterable[Family]]) -> list[Family]:
    """What one worker tells for all of them."""
    found = {family.name: family for family in own}
    for family in chain.from_iterable(others):
        if family.adds_up:
            found[family.name] = found[family.name].plus(family) if family.name in found else family
    return list(found.values())


def _sum(one: float | Histogram, other: float | Histogram) -> float | Histogram:
    if isinstance(one, Histogram) and isinstance(other, Histogram):
        return one.plus(other)
    if isinstance(one, Histogram) or isinstance(other, Histogram):
        raise TypeError("a histogram and a number do not add up")
    return one + other
