"""A past decision made again: the inputs that the log has, through the bundle that it names, compared in everything that was
answered. Equal means equal: probabilities are quantised, so nothing is forgiven."""

from collections.abc import Callable
from typing import Any

import numpy as np

from models.bundle import Bundle
from models.errors import Expired, NotFound
from models.governance.doubt.rule import Rule
from models.governance.explanation.reasons import UNEXPLAINED, Explainer
from models.lake import Lake
from models.policy import Action
from models.scoring import Scorer
from monitoring.decisions import DecisionLog, LoggedDecision
from monitoring.sealing import find_sealed
from pipelines.rebuild.differences import Difference, json_changes


def find(log: DecisionLog, lake: Lake, decision_id: str) -> LoggedDecision:
    """From the log, else from the sealed months. Raises `NotFound`."""
    try:
        return log.find(decision_id)
    except NotFound:
        return find_sealed(lake, decision_id)


def redecide(decision: LoggedDecision, bundle: Bundle, load: Callable[[bytes], Scorer]) -> list[Difference]:
    """What comes out otherwise; empty if the decision is the same. Raises `Expired` if its inputs were deleted."""
    if not decision.inputs:
        raise Expired(
            f"decision {decision.decision_id} of {decision.recorded_at:%Y-%m-%d} is past its retention: its inputs were deleted",
            hint="what was decided and why is kept, and the ledger says when the inputs went; it cannot be made again",
        )
    return json_changes("decision", answered(decision), _made_again(decision, bundle, load(bundle.graph)))


def answered(decision: LoggedDecision) -> dict[str, Any]:
    """Everything that a decision is."""
    return {
        "probability": decision.probability,
        "action": decision.action,
        "out_of_distribution": list(decision.out_of_distribution),
        "no_notice": decision.no_notice,
        "reasons": [reason.to_dict() for reason in decision.reasons],
    }


def _made_again(decision: LoggedDecision, bundle: Bundle, scorer: Scorer) -> dict[str, Any]:
    contract, policy, rule = bundle.contract, bundle.policy, Rule.of(bundle)
    row = np.array([[decision.inputs.get(name, np.nan) for name in contract.inputs]], dtype=np.float64)
    probability = policy.quantise(scorer.probabilities(row))
    actions, strange = rule.judged(probability, row)
    why = UNEXPLAINED
    if actions[0] == Action.REDUCE:
        (why,) = Explainer(contract, policy, bundle.part("reasons.json"), scorer).explain(row)
    return {
        "probability": float(probability[0]),
        "action": str(actions[0]),
        "out_of_distribution": [name for name, odd in zip(contract.inputs, strange[0].tolist(), strict=True) if odd],
        "no_notice": why.no_notice,
        "reasons": [reason.to_dict() for reason in why.reasons],
    }


def told(decision: LoggedDecision) -> list[str]:
    """A decision in words."""
    where = f"{decision.model} version {decision.version}, bundle {decision.bundle[:12]}"
    lines = [
        f"decision {decision.decision_id} of {decision.recorded_at:%Y-%m-%d %H:%M}, on {decision.month}",
        f"  {where}{f', as a fallback: {decision.fallback}' if decision.fallback else ''}",
        f"  probability {decision.probability!r}: {decision.action}",
    ]
    lines += [f"  reason {number}: {reason.text}" for number, reason in enumerate(decision.reasons, start=1)]
    lines += [f"  out of distribution: {', '.join(decision.out_of_distribution)}"] if decision.out_of_distribution else []
    return lines + ([f"  no notice is due: {decision.no_notice}"] if decision.no_notice else [])
