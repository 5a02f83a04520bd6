"""A run history in memory."""

from collections.abc import Sequence

from models.errors import Unavailable
from monitoring.runs import FlowRun


class FakeRunHistory:
    def __init__(self, *runs: FlowRun, running: bool = True) -> None:
        self._runs = sorted((run for run in runs if run.started_at), key=lambda run: str(run.started_at), reverse=True)
        self._running = running

    def recent(self, limit: int) -> Sequence[FlowRun]:
        if not self._running:
            raise Unavailable("Prefect is not running", hint="make schedule")
        return self._runs[:limit]
