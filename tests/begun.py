"""Roll-outs for tests: a document that nobody signed, and what it takes to begin real ones in a bank in miniature."""

from datetime import timedelta
from typing import Any

from models.governance import release
from models.governance.rollouts import begin
from models.guardrails import Guardrails
from models.rollout import Mode, Rollout
from tests.office import MODEL, NOON, Bank

WEEK = timedelta(days=7)
_USUAL = Guardrails()


def paper_rollout(**changes: Any) -> Rollout:
    said: dict[str, Any] = {
        "model": MODEL,
        "number": 1,
        "mode": Mode.CANARY,
        "challenger": "c" * 64,
        "challenger_version": 2,
        "champion": "a" * 64,
        "champion_version": 1,
        "share": 0.1,
        "started_at": NOON.isoformat(),
        "ends_at": (NOON + WEEK).isoformat(),
        "asked_by": "ana",
        "reason": "it was better on paper",
        "guardrails": Guardrails(),
        "pointer": 1,
        "stop": 0,
    }
    return Rollout(**{**said, **changes})


def with_challenger(**changes: bytes) -> tuple[Bank, str]:
    """A bank that serves "first", and the digest of "second", whose promotion was asked for."""
    bank = Bank()
    release.promote(bank.office, MODEL, bank.ask("first"))
    return bank, bank.ask("second", "first", **changes)


def begun(
    bank: Bank,
    bundle: str,
    mode: Mode = Mode.CANARY,
    share: float = 0.1,
    reason: str = "a look at it",
    guardrails: Guardrails = _USUAL,
) -> Rollout:
    return begin(
        bank.office,
        MODEL,
        mode,
        bundle=bundle,
        share=1 if mode is Mode.SHADOW else share,
        ends=bank.clock.now() + WEEK,
        asked_by="ana",
        reason=reason,
        guardrails=guardrails,
    )
