"""A run history in memory."""

from collections.abc import Sequence

from models.errors import NotFound, Unavailable
from monitoring.runs import FlowRun, LogLine, Planned


class FakeRunHistory:
    def __init__(
        self, *runs: FlowRun, running: bool = True, planned: Sequence[Planned] = (), lines: Sequence[LogLine] = ()
    ) -> None:
        self._runs = sorted((run for run in runs if run.started_at), key=lambda run: str(run.started_at), reverse=True)
        self._running = running
        self._planned = sorted(planned, key=lambda run: run.at)
        self._lines = lines

    def recent(self, limit: int) -> Sequence[FlowRun]:
        self._ensure_running()
        return self._runs[:limit]

    def find(self, run: str) -> FlowRun:
        self._ensure_running()
        found = next((each for each in self._runs if each.id == run), None)
        if found is None:
            raise NotFound(f"the orchestrator knows no run {run}")
        return found

    def log(self, run: str, limit: int) -> Sequence[LogLine]:
        self._ensure_running()
        return self._lines[:limit]

    def planned(self) -> Sequence[Planned]:
        self._ensure_running()
        return self._planned

    def _ensure_running(self) -> None:
        if not self._running:
            raise Unavailable("Prefect is not running", hint="make schedule")
