"""A verified release made ready to answer: what it decides about a record, how sure it is, and why."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import itemgetter
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from models.channel import Pointer, Release
from models.errors import NotApproved
from models.governance.explanation.counterfactual import Counsel
from models.governance.explanation.reasons import UNEXPLAINED, Explanation
from models.judging import Judge, unreadable
from models.scoring import Scorer
from serving.answers.checking import Checker, Record


class Judged(NamedTuple):
    """What is decided about one record, and what its client is told. `interval` spans probability and Venn-Abers (p0, p1).

    `out_of_distribution` names inputs that are unlike any that the model was made from, for which a person decides.
    """

    action: str
    probability: float
    interval: tuple[float, float]
    out_of_distribution: tuple[str, ...] = ()
    why: Explanation = UNEXPLAINED


@dataclass(frozen=True, kw_only=True)
class LoadedModel(Judge):
    """A verified release, ready to answer."""

    release: Release
    checker: Checker
    counsel: Counsel
    fallback: str = ""  # why the champion is stopped, if this model answers in its place

    @classmethod
    def load(cls, release: Release, make_scorer: Callable[[bytes], Scorer], max_records: int) -> Self:
        """Raises `Integrity` if the bundle cannot be read, its golden rows score differently or it cannot give reasons."""
        bundle, pointer = release.bundle, release.pointer
        judge = Judge.of(bundle, make_scorer, f"version {pointer.version} of {pointer.model}")
        try:
            counsel = Counsel(judge.contract, judge.policy, bundle.part("reasons.json"), judge.scorer, judge.rule)
        except (KeyError, TypeError, ValueError) as error:
            raise unreadable(bundle, error) from error
        return cls(**vars(judge), release=release, checker=Checker(judge.contract, max_records), counsel=counsel)

    @property
    def pointer(self) -> Pointer:
        return self.release.pointer

    @property
    def expires_at(self) -> datetime:
        """When the approval ends, under which this model answers."""
        return self.release.expires_at

    def example(self) -> dict[str, Any]:
        """A record that is accepted: the contract's own examples."""
        return {name: self.contract[name].example for name in self.checker.record.model_fields}

    def judged(self, records: Sequence[Record]) -> list[Judged]:
        """The decisions, with the reasons of each reduction. Raises `Integrity` if the graph gives anything but a probability."""
        found = self.verdicts(self.packed(records))
        named = {row: self._named(found.strange[row]) for row in np.flatnonzero(found.strange.any(axis=1)).tolist()}
        around = self.rule.intervals.around
        return [
            Judged(action, score, around(score), named.get(row, ()), found.why.get(row, UNEXPLAINED))
            for row, (action, score) in enumerate(zip(found.actions.tolist(), found.probability.tolist(), strict=True))
        ]

    def _named(self, strange: NDArray[np.bool_]) -> tuple[str, ...]:
        return tuple(name for name, odd in zip(self.contract.inputs, strange.tolist(), strict=True) if odd)

    def packed(self, records: Sequence[Record]) -> NDArray[np.float64]:
        """What the graph takes, shape (records, inputs)."""
        take = itemgetter(*self.contract.inputs)
        return np.array([take(record) for record in records], dtype=np.float64).reshape(len(records), -1)


def expired(model: LoadedModel) -> NotApproved:
    return NotApproved(
        f"the approval of {model.pointer.model} version {model.pointer.version} expired at {model.expires_at.isoformat()}",
        hint="nothing is decided without one: ask a validator for a new approval; it is picked up without a restart",
    )
