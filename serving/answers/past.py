"""What the bundle that decided has to say for a reduction of a past decision's account, whatever is in force by now."""

from collections.abc import Callable
from functools import lru_cache

import numpy as np

from models.channel import ReleaseReader, verified
from models.contract import Contract
from models.errors import Expired
from models.governance.explanation.reasons import Explainer, Explanation
from models.scoring import Scorer
from monitoring.decisions import LoggedDecision

_KEPT = 4  # bundles: reviews come within days, and a champion stays for months


class PastReasons:
    """Safe for several threads. Bundles are read from the release channel, every byte verified."""

    def __init__(self, channel: ReleaseReader, make_scorer: Callable[[bytes], Scorer]) -> None:
        self._channel = channel
        self._make_scorer = make_scorer
        self._opened = lru_cache(maxsize=_KEPT)(self._open)

    def explain(self, decision: LoggedDecision) -> Explanation:
        """Whether a notice would be due, and the reasons if the score alone would have reduced the account: none if not.

        The score is at or above the policy's cut-off; doubt or unfamiliar input sent the account to a person all the same.
        Raises `Expired`, `NotFound`, `Integrity`, `Unavailable`.
        """
        if not decision.inputs:
            raise Expired(
                f"decision {decision.decision_id} is past its retention: its inputs were deleted",
                hint="a reduction needs reasons, and nobody can find them any more: decide on what is known now",
            )
        contract, cut_off, explainer = self._opened(decision.model, decision.bundle)
        (found,) = explainer.explain(np.array([[decision.inputs[name] for name in contract.inputs]], dtype=np.float64))
        return found if decision.probability >= cut_off else Explanation(found.no_notice, ())

    def _open(self, model: str, digest: str) -> tuple[Contract, float, Explainer]:
        bundle = verified(self._channel, model, digest)
        scorer = self._make_scorer(bundle.graph)
        explainer = Explainer(bundle.contract, bundle.policy, bundle.part("reasons.json"), scorer)
        return bundle.contract, bundle.policy.cut_offs.reduce, explainer
