"""The mode `async`: for the models that are named, an answer leaves before its decision is recorded.

What is answered and not recorded yet is lost if the process is killed. It is never more than `most` decisions, and all of them
were answered within `longest` seconds of each other: when the oldest waits longer, requests are turned away. Nothing is
dropped: what the log and its spool do not take is tried until they do.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from models.errors import Conflict, Unavailable
from monitoring.decisions import Entry, Intake
from serving.durability.recording import Begin, Recorder, Told, never

LAST = 10.0
"""Seconds that a stopping service goes on trying."""
PAUSES = (0.05, 0.1, 0.2, 0.5, 1.0)
"""Seconds between tries; the last from then on."""

logger = logging.getLogger("steward.serving")


@dataclass(frozen=True)
class Window:
    """What a killed process may lose of the models that are answered before they are recorded."""

    most: int
    longest: float


class Deferring(Recorder):
    """A request with an idempotency key is recorded before it is answered all the same: a key is a promise about the log."""

    def __init__(
        self,
        log: Intake,
        models: Collection[str],
        window: Window,
        pauses: Sequence[float] = PAUSES,
        last: float = LAST,
        now: Callable[[], float] = time.monotonic,
        begin: Begin = never,
    ) -> None:
        super().__init__(log, begin=begin)
        self.models = frozenset(models)
        self._window = window
        self._pauses = pauses
        self._last = last
        self._now = now
        self._later: list[Entry] = []
        self._held = 0  # decisions that were answered and are not recorded
        self._since: float | None = None  # when the oldest of them was answered
        self._next_since: float | None = None  # the same of those that are not being written yet
        self._writing_later: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ends_at: float | None = None

    def take(self, entry: Entry, told: Told) -> None:
        """Told at once if its model is answered first, and written soon. Raises as `Recorder.take`."""
        decisions = len(entry.decisions)
        deferred = entry.decisions[0].model in self.models and entry.answered is None and decisions <= self._window.most
        if not deferred:
            super().take(entry, told)
            return
        self._refuse_beyond(decisions)
        self._later.append(entry)
        self._held += decisions
        self._next_since = self._next_since or self._now()
        self._since = self._since or self._next_since
        if self._writing_later is None:
            self._loop = asyncio.get_running_loop()
            self._writing_later = self._loop.create_task(self._write_later())
        told(None)

    @property
    def waiting(self) -> bool:
        return self._held > 0

    def close(self) -> None:
        """Write what waits, then return. Blocks; not for the event loop's own thread."""
        self._ends_at = self._now() + self._last
        if self._loop is not None and self._writing_later is not None:
            asyncio.run_coroutine_threadsafe(self._written(), self._loop).result()
        super().close()

    def _refuse_beyond(self, decisions: int) -> None:
        if self._ends_at is not None:
            raise Unavailable("the service is stopping", hint="try again")
        late = self._since is not None and self._now() - self._since > self._window.longest
        if late or self._held + decisions > self._window.most:
            raise Unavailable(
                f"{self._held:,} decisions were answered and are not recorded yet; no more may be",
                hint="try again; if it lasts, the log's database is too slow for what is asked",
            )

    async def _write_later(self) -> None:
        while self._later:
            entries, self._later = self._later, []
            self._since, self._next_since = self._next_since, None
            together = Entry([decision for entry in entries for decision in entry.decisions])
            await self._persist(together)
            self._held -= len(together.decisions)
            self._since = self._next_since
        self._writing_later = None

    async def _persist(self, entry: Entry) -> None:
        """Until it is recorded. Only a service that is stopping gives up in the end, and says how much is lost."""
        tries = 0
        while True:
            try:
                return await self._recorded(super().take, entry)
            except Conflict:  # its ids are our own: an earlier try that failed was committed after all
                return None
            except Exception as error:  # noqa: BLE001, nobody waits for it who could hear of it
                if self._ends_at is not None and self._now() > self._ends_at:
                    logger.critical("%s decisions that were answered are lost: %s", len(entry.decisions), error)
                    return None
                if not tries:
                    logger.warning("what was answered is not recorded yet: %s", error)
            await asyncio.sleep(self._pauses[min(tries, len(self._pauses) - 1)])
            tries += 1

    async def _written(self) -> None:
        if self._writing_later is not None:
            await self._writing_later
