"""Why a past decision's account would be reduced: by the bundle that decided, whatever is in force by now."""

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
        """The same reasons as a reduction would have had. Raises `Expired`, `NotFound`, `Integrity`, `Unavailable`."""
        if not decision.inputs:
            raise Expired(
                f"decision {decision.decision_id} is past its retention: its inputs were deleted",
                hint="a reduction needs reasons, and nobody can find them any more: decide on what is known now",
            )
        contract, explainer = self._opened(decision.model, decision.bundle)
        (found,) = explainer.explain(np.array([[decision.inputs[name] for name in contract.inputs]], dtype=np.float64))
        return found

    def _open(self, model: str, digest: str) -> tuple[Contract, Explainer]:
        bundle = verified(self._channel, model, digest)
        scorer = self._make_scorer(bundle.graph)
        return bundle.contract, Explainer(bundle.contract, bundle.policy, bundle.part("reasons.json"), scorer)
