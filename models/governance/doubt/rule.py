"""The one rule from a score to an action: everything that decides, or counts decisions, asks it.

Beside the policy's own cut-offs, which stay as they are, two doubts send an account to a person: an interval that a cut-off
runs through (`uncertainty.py`, a wider review range) and an input unlike any that the model was made from (`familiar.py`).
Both are frozen in the bundle, in `uncertainty.json`.
"""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from models.bundle import Bundle
from models.errors import Integrity
from models.governance.doubt.familiar import Familiar
from models.governance.doubt.uncertainty import Intervals
from models.policy import Action, CutOffs, Policy

PART = "uncertainty.json"

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Actions = NDArray[np.str_]


@dataclass(frozen=True)
class Rule:
    """`band` is what the intervals make of the policy's cut-offs: below `review` keep, from `reduce` on reduce."""

    policy: Policy
    band: CutOffs
    intervals: Intervals
    familiar: Familiar

    @classmethod
    def made(cls, policy: Policy, intervals: Intervals, familiar: Familiar) -> Self:
        return cls(policy, intervals.band(policy), intervals, familiar)

    @classmethod
    def of(cls, bundle: Bundle) -> Self:
        """The rule that a bundle was sealed with. Raises `Integrity` if its part contradicts itself."""
        if PART not in bundle.files:
            raise Integrity(f"bundle {bundle.digest[:12]} has no {PART}", hint="an older release sealed it: train again")
        policy, part = bundle.policy, bundle.part(PART)
        intervals = Intervals.from_dict(part["intervals"])
        found = cls.made(policy, intervals, Familiar.from_dict(part["familiar"], bundle.contract))
        if found.band != CutOffs.model_validate(part["band"]):
            raise Integrity("the review band does not follow from policy and intervals", hint="seal the bundle again")
        if policy.robustness and not found.familiar.speaks_of(policy.robustness):
            raise Integrity("what is familiar is not what the policy takes together", hint="seal the bundle again")
        return found

    def actions(self, probability: Floats, rows: Floats) -> Actions:
        """The decisions: quantised probabilities (n,) and the packed inputs (n, inputs) that they were made of, to (n,)."""
        return self.judged(probability, rows)[0]

    def judged(self, probability: Floats, rows: Floats) -> tuple[Actions, Bools]:
        """The decisions, and which inputs of whom are out of distribution (n, inputs): answered and logged with them."""
        strange = self.familiar.strange(rows)
        actions = self.band.actions(probability)
        actions[strange.any(axis=1)] = Action.REVIEW.value
        return actions, strange

    def to_dict(self) -> dict[str, Any]:
        """What `uncertainty.json` holds."""
        return {
            "band": self.band.model_dump(),
            "intervals": self.intervals.to_dict(),
            "familiar": self.familiar.to_dict(),
        }
