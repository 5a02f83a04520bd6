"""A bundle made ready to decide: scores, actions and reasons of many accounts at once. Requests and batches use this one path."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.bundle import Bundle
from models.contract import Contract
from models.errors import Integrity
from models.governance.doubt.rule import Rule
from models.governance.explanation.reasons import Explainer, Explanation
from models.policy import Action, Policy
from models.scoring import Scorer, check_golden_rows


@dataclass(frozen=True)
class Verdicts:
    """Of n accounts: quantised probabilities (n,), actions (n,), which inputs are unlike any that the model was made from
    (n, inputs), and the reasons of each reduction, by row."""

    probability: NDArray[np.float64]
    actions: NDArray[np.str_]
    strange: NDArray[np.bool_]
    why: Mapping[int, Explanation]


@dataclass(frozen=True)
class Judge:
    """`name` is how errors call it: version and model."""

    name: str
    contract: Contract
    policy: Policy
    scorer: Scorer
    rule: Rule
    explainer: Explainer

    @classmethod
    def of(cls, bundle: Bundle, make_scorer: Callable[[bytes], Scorer], name: str) -> "Judge":
        """Raises `Integrity` if the bundle cannot be read, its golden rows score differently or it cannot give reasons."""
        try:
            contract, policy = bundle.contract, bundle.policy
            scorer = make_scorer(bundle.graph)
            check_golden_rows(bundle, scorer)
            explainer = Explainer(contract, policy, bundle.part("reasons.json"), scorer)
            return Judge(name, contract, policy, scorer, Rule.of(bundle), explainer)
        except (KeyError, TypeError, ValueError) as error:
            raise unreadable(bundle, error) from error

    def verdicts(self, rows: NDArray[np.float64]) -> Verdicts:
        """Of packed inputs (n, inputs). Raises `Integrity` if the graph gives anything but a probability."""
        probability = self.probabilities(rows)
        actions, strange = self.rule.judged(probability, rows)
        reduced = np.flatnonzero(actions == Action.REDUCE)
        why = dict(zip(reduced.tolist(), self.explainer.explain(rows[reduced]), strict=True))
        return Verdicts(probability, actions, strange, why)

    def probabilities(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """Of packed inputs (n, inputs), quantised (n,). Raises `Integrity` if one is no probability."""
        probability = self.policy.quantise(self.scorer.probabilities(rows))
        if not ((probability >= 0) & (probability <= 1)).all():  # NaN too: it would pass every cut-off as harmless
            raise Integrity(
                f"{self.name} gave a score that is no probability",
                hint="nothing was decided; roll back to the previous champion",
            )
        return probability


def unreadable(bundle: Bundle, error: Exception) -> Integrity:
    return Integrity(
        f"bundle {bundle.digest[:12]} of {bundle.model} cannot be read: {error}",
        hint="it was sealed for another release of the platform; promote one that fits",
    )
