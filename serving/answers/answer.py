"""What is asked and what is answered, as bytes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic_core import to_json

from models.bundle import sha256
from models.errors import Conflict
from monitoring.decisions import Answered
from serving.answers.loaded import Judged, LoadedModel
from serving.door.holders import ANYBODY, Holder


@dataclass(frozen=True)
class Ask:
    """A request to score. `request_id` is our own; `idempotency_key` is the client's, "" for none. Only `version` may answer, if
    one is asked for."""

    model: str
    body: bytes
    request_id: str
    idempotency_key: str = ""
    holder: Holder = ANYBODY
    version: int | None = None

    @property
    def key(self) -> str:
        """Under which the answer is kept: a hash, for a client may put an account's id into its key. Models do not meet,
        nor do the holders of API keys: what one of them got, no other is shown."""
        whose = f"{self.holder.name} " if self.holder.name else ""
        return f"{self.model}:{sha256((whose + self.idempotency_key).encode())}" if self.idempotency_key else ""

    @property
    def digest(self) -> str:
        return sha256(self.body)


@dataclass(frozen=True)
class Answer:
    """The response's bytes, and whether they were given before. `stages`: from when until when each took, by `perf_counter`."""

    response: bytes
    replayed: bool = False
    stages: Mapping[str, tuple[float, float]] = field(default_factory=dict)


def given_before(before: Answered, ask: Ask) -> Answer:
    if before.request_digest != ask.digest:
        raise Conflict(
            "the idempotency key was used for another body",
            hint="a retry repeats the body byte by byte; a new question takes a new key",
        )
    return Answer(before.response, replayed=True)


def told(decision_id: str, judged: Judged) -> dict[str, Any]:
    """What a client gets of a decision: of a reduction its reasons, and whether it is one that needs no notice."""
    answer: dict[str, Any] = {"decision_id": decision_id, "decision": judged.action, "probability": judged.probability}
    answer["interval"] = judged.interval
    if judged.out_of_distribution:
        answer["out_of_distribution"] = judged.out_of_distribution
    if judged.why.reasons:
        answer["reasons"] = [reason.to_dict() for reason in judged.why.reasons]
        answer["no_notice"] = bool(judged.why.no_notice)
    return answer | ({"no_notice_basis": judged.why.no_notice} if judged.why.no_notice else {})


def response_of(model: LoadedModel, judged: Sequence[tuple[str, Judged]], request_id: str) -> bytes:
    """Decisions with their ids; answers stand in the order of the records."""
    pointer = model.pointer
    head = {"request_id": request_id, "model": pointer.model, "version": pointer.version, "bundle": pointer.bundle}
    head |= {"fallback": model.fallback} if model.fallback else {}
    return to_json(head | {"answers": [told(decision_id, each) for decision_id, each in judged]})
