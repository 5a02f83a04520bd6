"""Ends what takes too long. All requests have the same time, so the oldest is always the next one: one timer serves all."""

import asyncio
from typing import Protocol


class Cancellable(Protocol):
    """A task, or what is like one."""

    def cancel(self) -> object: ...


class Deadlines:
    """For what one event loop works on."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._due: dict[Cancellable, float] = {}  # in the order of their beginning
        self._timer: asyncio.TimerHandle | None = None

    def begin(self, task: Cancellable, loop: asyncio.AbstractEventLoop) -> None:
        due = loop.time() + self.seconds
        self._due[task] = due
        if self._timer is None:
            self._timer = loop.call_at(due, self._sweep, loop)

    def end(self, task: Cancellable) -> bool:
        """Whether it was still in time; otherwise it was cancelled from here."""
        return self._due.pop(task, None) is not None

    def _sweep(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timer = None
        now = loop.time()
        while self._due:
            task, due = next(iter(self._due.items()))
            if due > now:
                self._timer = loop.call_at(due, self._sweep, loop)
                return
            del self._due[task]
            task.cancel()
