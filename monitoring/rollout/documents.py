"""What is kept of every judgement of a roll-out: the verdict, on which roll-out, by which guardrails. Never overwritten."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol, Self

from models.bundle import canonical, sha256
from models.errors import Integrity
from models.guardrails import Guardrails
from models.policy import Frozen
from monitoring.rollout.judge import Verdict

FORMAT = 1


class VerdictDocument(Frozen):
    """`number` counts the roll-outs of a model; `mode` is "shadow" or "canary". Instants are ISO text; digests are of bundles.

    `ended`: the roll-out was over when this was judged. `swap_set` is the digest of a report on both bundles, "" for none.
    """

    format: int = FORMAT
    model: str
    number: int
    mode: str
    challenger: str
    challenger_version: int
    champion: str
    champion_version: int
    share: float
    started_at: str
    ends_at: str
    asked_by: str
    reason: str
    guardrails: dict[str, Any]
    recorded_at: str
    verdict: Verdict
    ended: bool = False
    swap_set: str = ""

    @property
    def limits(self) -> Guardrails:
        return Guardrails.from_dict(self.guardrails)

    @property
    def digest(self) -> str:
        """Names this very document, for the ledger."""
        return sha256(self.to_bytes())

    def to_bytes(self) -> bytes:
        return canonical(self.model_dump(mode="json"))

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Raises `Integrity` for what is no such document."""
        try:
            return cls.model_validate_json(data)
        except ValueError as error:
            raise Integrity("a verdict on a roll-out cannot be read", hint="it is damaged; judge the roll-out again") from error


def documented(
    rollout: Mapping[str, Any], verdict: Verdict, *, at: datetime, ended: bool = False, swap_set: str = ""
) -> VerdictDocument:
    """From a roll-out's plain fields (those of `VerdictDocument` up to `guardrails`) and its verdict."""
    return VerdictDocument(**rollout, verdict=verdict, recorded_at=at.isoformat(), ended=ended, swap_set=swap_set)


class VerdictStore(Protocol):
    def add(self, document: VerdictDocument) -> str:
        """Store it and return its digest; the same document again changes nothing. Durable when it returns."""
        ...

    def models(self) -> list[str]:
        """Those with a verdict on a roll-out."""
        ...

    def rollouts(self, model: str) -> list[int]:
        """Their numbers, the newest first; empty for an unknown model."""
        ...

    def found(self, model: str, number: int) -> list[tuple[str, VerdictDocument | None]]:
        """All that lies there about a roll-out, the newest first, each with its place; None for what is no verdict as written."""
        ...

    def verdicts(self, model: str, number: int) -> list[VerdictDocument]:
        """The newest first; empty for an unknown roll-out. Raises `Integrity` for a damaged one."""
        ...
