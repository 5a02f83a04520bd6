"""A past decision made again: the inputs that the log has, through the bundle that it names, compared in everything that was
answered. Equal means equal: probabilities are quantised, so nothing is forgiven."""

from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any

import numpy as np

from models.bundle import Bundle
from models.channel import ReleaseChannel, history
from models.errors import Expired, Integrity, NotFound
from models.governance.doubt.rule import Rule
from models.governance.explanation.reasons import UNEXPLAINED, Explainer, Reason
from models.governance.ledger import Entry
from models.governance.rollout_records import read as rollouts_of
from models.governance.signing import Trust
from models.governance.stop import read as stops_of
from models.lake import Lake, PartitionVersion
from models.policy import Action
from models.rollout import Rollout
from models.scoring import Scorer
from monitoring.chain import ChainKeys
from monitoring.custody import is_missed, month_problem, record_problem
from monitoring.decisions import DecisionLog, LoggedDecision, Review
from monitoring.differences import Difference, json_changes
from monitoring.sealing import find_sealed


@dataclass(frozen=True)
class Past:
    """A decision and what a person made of it. `part` is the sealed month that it was read from; None if the log has it."""

    decision: LoggedDecision
    review: Review | None = None
    part: PartitionVersion | None = None


def find(log: DecisionLog, lake: Lake, decision_id: str) -> Past:
    """From the log, else from the sealed months, which keep no review. Raises `NotFound`."""
    try:
        return Past(log.find(decision_id), log.reviewed(decision_id))
    except NotFound:
        part, decision = find_sealed(lake, decision_id)
        return Past(decision, part=part)


@dataclass(frozen=True)
class Published:
    """What the channel's signed documents say of a bundle: its numbers in the registry, and why it stood in for another."""

    versions: AbstractSet[int]
    fallbacks: frozenset[str]

    @classmethod
    def of(cls, channel: ReleaseChannel, trust: Trust, model: str, digest: str) -> "Published":
        stops, _ = stops_of(channel, trust, model)  # what nobody can read says nothing of it
        documents, _ = rollouts_of(channel, trust, model)
        tried = {each.challenger_version for each in documents if isinstance(each, Rollout) and each.challenger == digest}
        return cls(
            tried.union(pointer.version for pointer in history(channel, trust, model) if pointer.bundle == digest),
            frozenset(found.reason for found in stops if found.fallback == digest),
        )


def edit(log: DecisionLog, entries: Sequence[Entry], keys: Callable[[], ChainKeys], past: Past) -> str:
    """Why the record is not the one that was written, "" if it is: account, month and time are in its seal, too.

    `entries` are the ledger's, attested: it says since when a record needs a seal, whose inputs retention deleted, and what
    each sealed month holds.
    """
    if past.part is not None:
        return month_problem(past.part, entries)
    decision_id = past.decision.decision_id
    problem = record_problem(log.linked(decision_id), entries, keys)
    reviewed = record_problem(log.linked_review(decision_id), entries, keys)
    return problem or (f"of its review: {reviewed}" if reviewed else "")


def ensure_same(past: Past, problem: str, differences: Sequence[Difference], entries: Sequence[Entry]) -> None:
    """Raises `Integrity` if the record was edited, comes out otherwise, or was taken out of the log, in this order."""
    named = f"decision {past.decision.decision_id}"
    first = differences[0].sentence if differences else ""
    if problem:
        hint = "see `make verify` for all of them; restore the log, or the sealed month, from its backup"
        raise Integrity(f"{named} is not as it was answered: {problem}{f'; {first}' if first else ''}", hint=hint)
    if first:
        hint = "this machine computes otherwise, or the log was edited: see the golden rows, then `make verify`"
        raise Integrity(f"{named} comes out otherwise: {first}", hint=hint)
    if past.part is not None and is_missed(entries):
        hint = "what its sealed month says is what the ledger noted; restore the log from its backup, and see `make verify`"
        raise Integrity(f"{named} was taken out of the log, which never loses one", hint=hint)


def redecide(decision: LoggedDecision, bundle: Bundle, load: Callable[[bytes], Scorer], published: Published) -> list[Difference]:
    """What comes out otherwise; empty if the decision is the same.

    Raises `Expired` if its inputs were deleted; whether retention did it, `edit` says.

    Compared is everything that model, bundle and channel determine; what they do not, is sealed: see `edit`.
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


def told(past: Past) -> list[str]:
    """A decision in words, and what a person made of it."""
    decision = past.decision
    where = f"{decision.model} version {decision.version}, bundle {decision.bundle[:12]}"
    lines = [
        f"decision {decision.decision_id} of {decision.recorded_at:%Y-%m-%d %H:%M}, on {decision.month}",
        f"  {where}{f', as a fallback: {decision.fallback}' if decision.fallback else ''}",
        f"  probability {decision.probability!r}: {decision.action}",
        *_why(decision.reasons, decision.no_notice),
    ]
    lines += [f"  {decision.arm} of roll-out {decision.rollout}"] if decision.arm else []
    lines += [f"  out of distribution: {', '.join(decision.out_of_distribution)}"] if decision.out_of_distribution else []
    if (review := past.review) is not None:
        lines.append(
            f"  reviewed {review.recorded_at:%Y-%m-%d %H:%M} by {review.reviewer}: {review.outcome} ({review.reason_code})"
        )
        lines += [f"  {line}" for line in _why(review.reasons, review.no_notice)]
    if past.part is not None:
        lines.append(f"  not in the log: read from the sealed month {past.part.month}, which keeps no review")
    return lines


def _why(reasons: Sequence[Reason], no_notice: str) -> list[str]:
    found = [f"  reason {number}: {reason.text}" for number, reason in enumerate(reasons, start=1)]
    return found + ([f"  no notice is due: {no_notice}"] if no_notice else [])
