"""Verdicts on roll-outs that tests tell stories with."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from models.adapters.file_ledger import FileLedger
from models.governance.ledger import Event
from models.guardrails import Guardrails
from monitoring.adapters.verdict_folder import VerdictFolder
from monitoring.rollout.documents import VerdictDocument, documented
from monitoring.rollout.judge import Seen, judge
from monitoring.rollout.observations import Observation, Pairs, Service

BEGAN = datetime(2026, 11, 2, 9, tzinfo=UTC)
LIMITS = Guardrails(favourable_rate=0.6, score_edges=(0.1, 0.2, 0.4), smallest_accounts=4_000, smallest_requests=100)
SOUND = Service(requests=5_000, errors=5, p50=0.002, p99=0.006)
AGREED = Pairs(accounts=1_000, agreed=960, champion_favourable=600, lost=15, gained=10)


def observed(count: int, kept: tuple[float, float] = (0.6, 0.6), share: float = 0.5, seed: int = 5) -> list[Observation]:
    """Of which the control and the canary keep these shares, and review the others."""
    generator = np.random.default_rng(seed)
    found = []
    for number in range(count):
        in_canary = bool(generator.random() < share)
        favoured = generator.random() < kept[int(in_canary)]
        action, score = ("keep", 0.05) if favoured else ("review", 0.3)
        found.append(Observation(f"a{number}", "canary" if in_canary else "control", action, score))
    return found


def judged(
    count: int = 5_000,
    kept: tuple[float, float] = (0.6, 0.6),
    *,
    days: float = 3,
    model: str = "credit_default",
    number: int = 1,
    mode: str = "canary",
    swap_set: str = "",
) -> VerdictDocument:
    """A stored verdict, `days` after the roll-out began."""
    seen = Seen(days, observed(count, kept), SOUND, SOUND, AGREED)
    rollout = {
        "model": model,
        "number": number,
        "mode": mode,
        "challenger": "c" * 64,
        "challenger_version": 2,
        "champion": "a" * 64,
        "champion_version": 1,
        "share": 0.5,
        "started_at": BEGAN.isoformat(),
        "ends_at": (BEGAN + timedelta(days=LIMITS.longest_days)).isoformat(),
        "asked_by": "k.ito",
        "reason": "retrained on August",
        "guardrails": LIMITS.to_dict(),
    }
    verdict = judge(seen, LIMITS, mode=mode, share=0.5)
    return documented(rollout, verdict, at=BEGAN + timedelta(days=days), swap_set=swap_set)


def keep(home: Path, *documents: VerdictDocument) -> None:
    """As the judge does: written, and named in the ledger."""
    for document in documents:
        VerdictFolder(home / "rollouts").add(document)
        facts = {"rollout": document.number, "verdict": document.digest, "state": document.verdict.state.value}
        at = datetime.fromisoformat(document.recorded_at)
        FileLedger(home / "ledger.jsonl").append(
            Event.ROLLOUT_JUDGED, model=document.model, actor="judge of roll-outs", at=at, facts=facts
        )
