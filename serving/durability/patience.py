"""Have something done by another thread, and wait for it no longer than one has patience."""

import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, Generic, TypeVar, cast

from models.errors import Unavailable
from serving.threads import started

Result = TypeVar("Result")


class TooSlow(Exception):
    """It goes on, and whoever asked will not hear how it ends."""


class Job(Generic[Result]):
    """Something that is being done by a helper."""

    def __init__(self, act: Callable[[], Result]) -> None:
        self._act = act
        self._result: Result | None = None
        self._error: Exception | None = None
        self._ended = threading.Lock()  # of all that can be waited for with a limit it costs least
        self._ended.acquire()

    def run(self) -> None:
        try:
            self._result = self._act()
        except Exception as error:  # noqa: BLE001, it is raised where it is waited for
            self._error = error
        self._ended.release()

    def done(self, within: float) -> bool:
        """Whether it succeeded within so many seconds."""
        return self._has_ended(within) and self._error is None

    def result(self, within: float) -> Result:
        """What `act` returns or raises. Raises `TooSlow` if that is not known within so many seconds."""
        if not self._has_ended(within):
            raise TooSlow
        if self._error:
            raise self._error
        return cast("Result", self._result)

    def _has_ended(self, within: float) -> bool:
        if not self._ended.acquire(timeout=within):
            return False
        self._ended.release()  # for whoever asks again
        return True


class Helpers:
    """Threads that do what they are given, one after the other. They end with the process, whatever they are stuck in."""

    def __init__(self, name: str, threads: int = 1, between: Callable[[], None] = lambda: None) -> None:
        """`between` is called after each job, and when somebody pokes."""
        self._name = name
        self._count = threads
        self._between = between
        self._jobs: SimpleQueue[Job[Any] | None] = SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._starting = threading.Lock()
        self._ended = False

    def begin(self, act: Callable[[], Result]) -> Job[Result]:
        """Returns at once. Raises `Unavailable` if there is no thread for it; then it is not done later either."""
        self.ready()
        job = Job(act)
        self._jobs.put(job)
        return job

    def do(self, act: Callable[[], Result], within: float) -> Result:
        """What `act` returns or raises. Raises `TooSlow` if that is not known within so many seconds, and as `begin`."""
        return self.begin(act).result(within)

    def poke(self) -> None:
        """Raises as `begin`."""
        self.ready()
        self._jobs.put(None)

    def close(self, within: float) -> None:
        """End after what was given, if that comes to an end within so many seconds."""
        with self._starting:
            self._ended = True
            for _ in self._threads:
                self._jobs.put(None)
        for thread in self._threads:
            thread.join(within)

    def ready(self) -> None:
        """Start one more thread, until there are as many as there may be. Raises `Unavailable` if there is none at all."""
        if len(self._threads) == self._count or self._ended:
            return
        with self._starting:
            if len(self._threads) < self._count:
                try:
                    self._threads.append(started(f"{self._name}-{len(self._threads)}", self._work))
                except Unavailable:
                    if not self._threads:
                        raise

    def _work(self) -> None:
        while True:
            job = self._jobs.get()
            if job:
                job.run()
            self._between()
            if job is None and self._ended:
                return
