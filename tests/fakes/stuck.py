"""A decision log whose next call hangs until it is let go, and then succeeds or fails."""

import threading
from collections.abc import Callable, Sequence

from models.errors import PlatformError
from monitoring.decisions import Answered, Entry
from tests.fakes.decisions import InMemoryDecisionLog


class StuckLog(InMemoryDecisionLog):
    """`stuck` names what hangs: `before` the commit, or `after` it, before it is told. `calls` counts commits that began."""

    def __init__(self) -> None:
        self.stuck = ""
        self.calls = 0
        self.entered, self.let_go = threading.Event(), threading.Event()
        self.fails: PlatformError | None = None
        super().__init__()

    def append_all(self, entries: Sequence[Entry]) -> None:
        self._hanging(lambda: super(StuckLog, self).append_all(entries))

    def answered(self, key: str) -> Answered | None:
        if self.stuck == "looking":
            self.let_go.wait(30)
        return super().answered(key)

    def _hanging(self, commit: Callable[[], None]) -> None:
        self.calls += 1
        stuck, self.stuck = self.stuck, ""
        if stuck == "after":
            commit()
        if stuck:
            self.entered.set()
            self.let_go.wait(30)
            if self.fails:
                raise self.fails
        if stuck != "after":
            commit()
