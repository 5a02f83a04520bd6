"""What is asked and what is answered, as bytes."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from models.bundle import sha256
from models.errors import Conflict
from models.governance.explanation.reasons import Explanation
from monitoring.decisions import Answered, LoggedDecision
from serving.loaded import Judged, LoadedModel

_spell = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode


@dataclass(frozen=True)
class Ask:
    """A request to score. `request_id` is our own; `idempotency_key` is the client's, "" for none."""

    model: str
    body: bytes
    request_id: str
    idempotency_key: str = ""

    @property
    def key(self) -> str:
        """Under which the answer is kept: a hash, for a client may put an account's id into its key. Models do not meet."""
        return f"{self.model}:{sha256(self.idempotency_key.encode())}" if self.idempotency_key else ""

    @property
    def digest(self) -> str:
        return sha256(self.body)


@dataclass(frozen=True)
class Answer:
    """The response's bytes, and whether they were given before."""

    response: bytes
    replayed: bool = False


def given_before(before: Answered, ask: Ask) -> Answer:
    if before.request_digest != ask.digest:
        raise Conflict(
            "the idempotency key was used for another body",
            hint="a retry repeats the body byte by byte; a new question takes a new key",
        )
    return Answer(before.response, replayed=True)


def told(decision_id: str, judged: Judged, why: Explanation) -> dict[str, Any]:
    """What a client gets of a decision: of a reduction its reasons, and whether it is one that needs no notice."""
    answer: dict[str, Any] = {"decision_id": decision_id, "decision": judged.action, "probability": judged.probability}
    answer["interval"] = judged.interval
    if judged.out_of_distribution:
        answer["out_of_distribution"] = judged.out_of_distribution
    if why.reasons:
        answer["reasons"] = [reason.to_dict() for reason in why.reasons]
        answer["no_notice"] = bool(why.no_notice)
    return answer | ({"no_notice_basis": why.no_notice} if why.no_notice else {})


def response_of(model: LoadedModel, decisions: Sequence[LoggedDecision], request_id: str) -> bytes:
    """Answers stand in the order of the records."""
    answers = [told(d.decision_id, _judged(model, d), Explanation(d.no_notice, d.reasons)) for d in decisions]
    pointer = model.pointer
    head = {"request_id": request_id, "model": pointer.model, "version": pointer.version, "bundle": pointer.bundle}
    head |= {"fallback": model.fallback} if model.fallback else {}
    return _spell(head | {"answers": answers}).encode()


def _judged(model: LoadedModel, decision: LoggedDecision) -> Judged:
    """As it was decided: the interval is a function of the score, so the log need not keep it."""
    interval = model.rule.intervals.around(decision.probability)
    return Judged(decision.action, decision.probability, interval, decision.out_of_distribution)
