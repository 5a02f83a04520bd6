"""A verified release made ready to answer: what it decides about a record, how sure it is, and why."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import itemgetter
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from models.channel import Pointer, Release
from models.contract import Contract
from models.errors import Integrity, NotApproved
from models.governance.doubt.rule import Rule
from models.governance.explanation.counterfactual import Counsel
from models.governance.explanation.reasons import UNEXPLAINED, Explainer, Explanation
from models.policy import Action, Policy
from models.scoring import Scorer, check_golden_rows
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


@dataclass(frozen=True)
class LoadedModel:
    """A verified release, ready to answer."""

    release: Release
    contract: Contract
    policy: Policy
    checker: Checker
    scorer: Scorer
    rule: Rule
    explainer: Explainer
    counsel: Counsel
    fallback: str = ""  # why the champion is stopped, if this model answers in its place

    @classmethod
    def load(cls, release: Release, make_scorer: Callable[[bytes], Scorer], max_records: int) -> Self:
        """Raises `Integrity` if the bundle cannot be read, its golden rows score differently or it cannot give reasons."""
        bundle = release.bundle
        try:
            contract, policy = bundle.contract, bundle.policy
            scorer = make_scorer(bundle.graph)
            check_golden_rows(bundle, scorer)
            rule, compared = Rule.of(bundle), bundle.part("reasons.json")
            explainer = Explainer(contract, policy, compared, scorer)
            counsel = Counsel(contract, policy, compared, scorer, rule)
        except (KeyError, TypeError, ValueError) as error:
            raise Integrity(
                f"bundle {bundle.digest[:12]} of {bundle.model} cannot be read: {error}",
                hint="it was sealed for another release of the platform; promote one that fits",
            ) from error
        return cls(release, contract, policy, Checker(contract, max_records), scorer, rule, explainer, counsel)

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
        rows = self.packed(records)
        probability = self.probabilities(rows)
        actions, strange = self.rule.judged(probability, rows)
        named = {row: self._named(strange[row]) for row in np.flatnonzero(strange.any(axis=1)).tolist()}
        reduced = np.flatnonzero(actions == Action.REDUCE)
        why = dict(zip(reduced.tolist(), self.explainer.explain(rows[reduced]), strict=True))
        around = self.rule.intervals.around
        return [
            Judged(action, score, around(score), named.get(row, ()), why.get(row, UNEXPLAINED))
            for row, (action, score) in enumerate(zip(actions.tolist(), probability.tolist(), strict=True))
        ]

    def probabilities(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """Of packed inputs (records, inputs), quantised (records,). Raises `Integrity` if one is no probability."""
        probability = self.policy.quantise(self.scorer.probabilities(rows))
        if not ((probability >= 0) & (probability <= 1)).all():  # NaN too: it would pass every cut-off as harmless
            raise Integrity(
                f"version {self.pointer.version} of {self.pointer.model} gave a score that is no probability",
                hint="nothing was decided; roll back to the previous champion",
            )
        return probability

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
