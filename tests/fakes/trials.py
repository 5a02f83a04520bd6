"""What a roll-out has shown, in memory, beside a log in memory."""

from collections.abc import Sequence

from models.errors import PlatformError
from models.rollout import CANARY
from monitoring.trials import Decided, Pair, Shadow
from tests.fakes.decisions import InMemoryDecisionLog


class InMemoryTrials:
    def __init__(self, log: InMemoryDecisionLog) -> None:
        self._log = log
        self.shadows: list[Shadow] = []
        self.down: PlatformError | None = None

    def keep(self, shadows: Sequence[Shadow]) -> None:
        if self.down:
            raise self.down
        self.shadows += shadows

    def decided(self, model: str, rollout: int, challenger: str) -> Sequence[Decided]:
        rows = [row for row in self._log.decisions.values() if (row.model, row.rollout) == (model, rollout)]
        return [
            Decided(
                row.account_id, row.month, row.arm, row.action, row.probability, row.arm == CANARY and row.bundle != challenger
            )
            for row in rows
        ]

    def pairs(self, model: str, rollout: int) -> Sequence[Pair]:
        found = [
            (self._log.decisions[each.decision_id], each)
            for each in self.shadows
            if (each.model, each.rollout) == (model, rollout) and each.decision_id in self._log.decisions
        ]
        return [
            Pair(one.account_id, one.bundle, one.action, other.bundle, other.action, other.decided_in, other.scored_in)
            for one, other in found
        ]
