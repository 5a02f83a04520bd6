"""Scoring off the hot path: decisions that were answered wait in a bounded queue for one thread of the process.

It never slows or fails an answer. What finds the queue full is dropped and counted; so is what the database does not take.
"""

import logging
import threading
from collections import Counter, deque
from collections.abc import Mapping, Sequence

from models.clock import Clock
from models.errors import PlatformError, Unavailable
from monitoring.decisions import LoggedDecision
from monitoring.trials import Trials
from serving.rollout.scoring import concerned, shadows
from serving.rollout.trial import Trial
from serving.threads import started

ROOM = 5_000
"""Decisions that may wait before another request's are dropped."""
AT_ONCE = 500
"""Decisions of one commit, at most."""
PAUSE = 0.25
"""Seconds between commits: they share the database with the decisions, which do not wait for long. A quarter of it after a full
one, so that a process scores as many as it answers, one record a request."""
SCORED, FAILED, DROPPED = "scored", "failed", "dropped"

logger = logging.getLogger("steward.serving")


class Shadowing:
    """Of one process. `offer` is called on the event loop, after the answer has left."""

    def __init__(self, store: Trials, clock: Clock, *, room: int = ROOM, pause: float = PAUSE) -> None:
        self._store = store
        self._clock = clock
        self._room = room
        self._pause = pause
        self._waiting: deque[tuple[Trial, LoggedDecision]] = deque()
        self._changed = threading.Condition()
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None
        self._troubled = False
        self.counted: Counter[tuple[str, int, str]] = Counter()  # by model, version and what became of it

    def offer(self, trials: Mapping[str, Trial], decisions: Sequence[LoggedDecision]) -> None:
        for trial in trials.values():
            if found := concerned(trial, decisions):
                self._put(trial, found)

    def close(self, within: float = 5.0) -> None:
        """Score and keep what waits; what is not done by then is lost, as any shadow may be."""
        with self._changed:
            self._closing.set()
            self._changed.notify()
        if self._thread:
            self._thread.join(within)

    def _put(self, trial: Trial, found: Sequence[LoggedDecision]) -> None:
        with self._changed:
            if len(self._waiting) >= self._room or self._closing.is_set() or not self._has_a_thread():
                self._count(trial, DROPPED, len(found))
                return
            self._waiting.extend((trial, each) for each in found)
            self._changed.notify()

    def _has_a_thread(self) -> bool:
        """Started not before there is something to do: a process may be forked until then."""
        if self._thread is None:
            try:
                self._thread = started("shadows", self._run)
            except Unavailable as error:
                self._tell(error)
                return False
        return True

    def _run(self) -> None:
        while batch := self._next():
            trial, decisions = batch
            try:
                found = shadows(trial, decisions, self._clock.now())
                self._store.keep(found)
            except Exception as error:  # noqa: BLE001, without this thread nothing would be scored any more
                self._count(trial, DROPPED, len(decisions))
                self._tell(error)
            else:
                failed = sum(not each.action for each in found)
                self._count(trial, FAILED, failed)
                self._count(trial, SCORED, len(found) - failed)
                self._troubled = False
            self._closing.wait(self._pause / 4 if len(decisions) == AT_ONCE else self._pause)

    def _next(self) -> tuple[Trial, list[LoggedDecision]] | None:
        """The oldest of one roll-out; None when there is nothing left to do."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closing.is_set())
            if not self._waiting:
                return None
            trial, first = self._waiting.popleft()
            batch = [first]
            while self._waiting and len(batch) < AT_ONCE and self._waiting[0][0] is trial:
                batch.append(self._waiting.popleft()[1])
            return trial, batch

    def _count(self, trial: Trial, what: str, decisions: int) -> None:
        self.counted[trial.begun.model, trial.begun.challenger_version, what] += decisions

    def _tell(self, error: Exception) -> None:
        if not self._troubled:
            what = error.problem if isinstance(error, PlatformError) else type(error).__name__
            logger.warning("what a roll-out's other bundle scores is not kept: %s", what)
        self._troubled = True
