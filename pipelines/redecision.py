"""A past decision made again: the inputs that the log has, through the bundle that it names, compared in everything that was
answered. Equal means equal: probabilities are quantised, so nothing is forgiven."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from models.bundle import Bundle
from models.channel import ReleaseChannel, history
from models.errors import Expired, Integrity, NotFound
from models.governance.doubt.rule import Rule
from models.governance.explanation.reasons import UNEXPLAINED, Explainer
from models.governance.ledger import Entry
from models.governance.signing import Trust
from models.governance.stop import stop_at
from models.lake import Lake
from models.policy import Action
from models.scoring import Scorer
from monitoring.chain import ChainKeys
from monitoring.custody import record_problem
from monitoring.decisions import DecisionLog, LoggedDecision
from monitoring.sealing import find_sealed
from pipelines.rebuild.differences import Difference, json_changes


def find(log: DecisionLog, lake: Lake, decision_id: str) -> LoggedDecision:
    """From the log, else from the sealed months. Raises `NotFound`."""
    try:
        return log.find(decision_id)
    except NotFound:
        return find_sealed(lake, decision_id)


@dataclass(frozen=True)
class Published:
    """What the channel's signed documents say of a bundle: its numbers in the registry, and why it stood in for another."""

    versions: frozenset[int]
    fallbacks: frozenset[str]

    @classmethod
    def of(cls, channel: ReleaseChannel, trust: Trust, model: str, digest: str) -> "Published":
        stops = (stop_at(channel, trust, model, number) for number in range(1, channel.stops(model) + 1))
        return cls(
            frozenset(pointer.version for pointer in history(channel, trust, model) if pointer.bundle == digest),
            frozenset(found.reason for found in stops if found.fallback == digest),
        )


def ensure_unedited(log: DecisionLog, entries: Sequence[Entry], keys: Callable[[], ChainKeys], decision_id: str) -> None:
    """Raises `Integrity` if the log's record is not the one that was written: account, month and time are in it, too.

    `entries` are the ledger's: it says since when a record needs a seal, and whose inputs retention deleted.
    """
    if problem := record_problem(log.linked(decision_id), entries, keys):
        raise Integrity(f"decision {decision_id} is not as it was answered: {problem}", hint="see `make verify` for all of them")


def redecide(decision: LoggedDecision, bundle: Bundle, load: Callable[[bytes], Scorer], published: Published) -> list[Difference]:
    """What comes out otherwise; empty if the decision is the same.

    Raises `Expired` if its inputs were deleted; whether retention did it, `ensure_unedited` says.

    Compared is everything that model, bundle and channel determine; what they do not, is sealed: see `ensure_unedited`.
    """
    if not decision.inputs:
        raise Expired(
            f"decision {decision.decision_id} of {decision.recorded_at:%Y-%m-%d} is past its retention: its inputs were deleted",
            hint="what was decided and why is kept, and the ledger says when the inputs went; it cannot be made again",
        )
    return json_changes("decision", answered(decision), _made_again(decision, bundle, load(bundle.graph), published))


def answered(decision: LoggedDecision) -> dict[str, Any]:
    """Everything that a decision is."""
    return {
        "model": decision.model,
        "bundle": decision.bundle,
        "version": decision.version,
        "fallback": decision.fallback,
        "probability": decision.probability,
        "action": decision.action,
        "out_of_distribution": list(decision.out_of_distribution),
        "no_notice": decision.no_notice,
        "reasons": [reason.to_dict() for reason in decision.reasons],
    }


def _made_again(decision: LoggedDecision, bundle: Bundle, scorer: Scorer, published: Published) -> dict[str, Any]:
    contract, policy, rule = bundle.contract, bundle.policy, Rule.of(bundle)
    row = np.array([[decision.inputs.get(name, np.nan) for name in contract.inputs]], dtype=np.float64)
    probability = policy.quantise(scorer.probabilities(row))
    actions, strange = rule.judged(probability, row)
    why = UNEXPLAINED
    if actions[0] == Action.REDUCE:
        (why,) = Explainer(contract, policy, bundle.part("reasons.json"), scorer).explain(row)
    return {
        "model": bundle.model,
        "bundle": bundle.digest,
        "version": decision.version if decision.version in published.versions else max(published.versions, default=None),
        "fallback": decision.fallback if decision.fallback in published.fallbacks else "",
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
