"""Several workers behind one listening socket, and the small process that looks after them.

It has imported everything and opened nothing, and makes workers by fork: a new one takes requests after a fraction of a
second, and all share the memory of what was imported. The first one goes ahead, so what keeps a service from starting is said
once, and keys and tables that are missing are made once. It answers nothing itself, reads no key and no model.
"""

import gc
import logging
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkProcess
from typing import Any, Literal

SOON = 0.5
"""Seconds after taking its first requests within which the end of a worker counts as one that cannot work."""
ONE, LONGEST = 0.5, 30.0
"""Seconds before the third worker in a row is started in a place, doubled for each further one, and at most."""
GIVE_UP = 5
"""Ends in a row in every place after which the service ends, too: whoever started it should hear of it."""
LOOK = 1.0
"""Seconds after which the crew looks whether somebody is silent, at the latest."""
WATCHED = 3.0
"""Seconds between two looks of the crew, beyond which it was itself asleep (Ctrl-Z, a closed laptop) and calls nobody silent."""
MARGIN = 10.0
"""Seconds beyond the time to drain after which a stopping worker is killed: what it has not recorded, nobody was told."""

_STOPPING = (signal.SIGTERM, signal.SIGINT)
_FORK = get_context("fork")

Why = Literal["hung", "ended"]
Work = Callable[[Callable[[str], None], Callable[[], None]], int]
"""Works until SIGTERM; calls back once with what to say, when it takes requests, and from then on every second to show that it
does not hang. Returns the exit code."""

logger = logging.getLogger("steward.serving")


def pause(deaths: int) -> float:
    """Seconds before a new worker is started where so many in a row ended soon: the first ones at once."""
    return 0.0 if deaths < 2 else min(LONGEST, ONE * 2.0 ** (deaths - 2))


@dataclass
class Place:
    """Where one worker works; `deaths` counts those in a row that ended soon, `heard` is when it last showed that it lives."""

    number: int
    worker: ForkProcess | None = None
    news: Connection | None = None
    pulse: Connection | None = None
    heard: float = float("inf")
    began: float = 0.0
    ready: float | None = None
    deaths: int = 0
    due: float = 0.0
    hung: bool = False

    def __str__(self) -> str:
        return f"worker {self.number} (process {self.worker.pid if self.worker else '-'})"


class Crew:
    """Run it once, in the main thread."""

    def __init__(
        self,
        count: int,
        work: Work,
        say: Callable[[str], None],
        drain_seconds: float,
        close: Callable[[], None] = lambda: None,
        silent_seconds: float = float("inf"),
        replaced: Callable[[Why], None] = lambda _: None,
    ) -> None:
        """`close` lets go of the address that the workers share: nobody is to wait in a queue that nobody empties any more.
        A worker that is silent for `silent_seconds` hangs, and is replaced. `replaced` hears why a worker had to be."""
        self._places = [Place(number) for number in range(1, count + 1)]
        self._work = work
        self._say = say
        self._drain_seconds = drain_seconds
        self._close = close
        self._silent_seconds = silent_seconds
        self._replaced = replaced
        self._looked = time.monotonic()
        self._took_requests = False
        self._code: int | None = None  # what it ends with, once it is ending
        self._deadline = float("inf")
        self._alive = os.pipe()  # ends for every worker when this process does, however it does

    def run(self) -> int:
        """0: stopped when told to, every worker in order. 1: workers cannot start, and the log says why."""
        with _signals() as told:
            while self._code is None or self._busy():
                self._start_those_due()
                happened = self._happenings() | {told: partial(self._heed, told)}
                for what in wait(list(happened), self._patience()):
                    happened[what]()
                self._kill_the_silent()
                self._kill_the_late()
        return self._code

    def _busy(self) -> list[Place]:
        return [place for place in self._places if place.worker]

    def _happenings(self) -> dict[Any, Callable[[], None]]:
        """What to wait for, and what to do about it."""
        found: dict[Any, Callable[[], None]] = {}
        for place in self._busy():
            if place.news:
                found[place.news] = partial(self._hear, place)
            if place.pulse:
                found[place.pulse] = partial(self._feel, place)
            if place.worker:
                found[place.worker.sentinel] = partial(self._replace, place)
        return found

    def _patience(self) -> float | None:
        due = [place.due for place in self._places if not place.worker] if self._code is None and self._took_requests else []
        watching = self._code is None and self._silent_seconds < float("inf") and bool(self._busy())
        until = min([*due, self._deadline, *([time.monotonic() + LOOK] if watching else [])])
        return None if until == float("inf") else max(0.0, until - time.monotonic())

    def _start_those_due(self) -> None:
        now = time.monotonic()
        for place in self._places if self._took_requests else self._places[:1]:
            if self._code is None and not place.worker and place.due <= now:
                self._start(place)

    def _start(self, place: Place) -> None:
        place.news, theirs = _FORK.Pipe(duplex=False)
        place.pulse, beats = _FORK.Pipe(duplex=False)
        place.worker = _FORK.Process(target=self._begin, args=(theirs, beats), name=f"worker-{place.number}")
        place.began, place.ready, place.heard, place.hung = time.monotonic(), None, float("inf"), False
        gc.freeze()  # what is shared stays shared: no worker's collector writes to it
        before = signal.pthread_sigmask(signal.SIG_BLOCK, _STOPPING)  # a worker must not miss one before it can heed it
        try:
            place.worker.start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        theirs.close()
        beats.close()

    def _begin(self, news: Connection, beats: Connection) -> None:
        """In the new process."""
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all; the crew tells
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPPING)
        alive, others = self._alive
        os.close(others)
        threading.Thread(target=_stop_without_the_crew, args=(alive,), daemon=True).start()
        os.set_blocking(beats.fileno(), False)
        sys.exit(self._work(news.send, partial(_beat, beats.fileno())))

    def _hear(self, place: Place) -> None:
        news, place.news = place.news, None
        try:
            said = news.recv() if news else ""
        except EOFError:
            return  # it ended before, which is noticed by itself
        place.ready = place.heard = time.monotonic()
        if not self._took_requests:
            self._took_requests = True
            self._say(said)
        logger.info("%s takes requests after %.2f s", place, place.ready - place.began)

    def _feel(self, place: Place) -> None:
        if place.pulse is None:
            return
        if os.read(place.pulse.fileno(), 4_096):
            place.heard = time.monotonic()
        else:
            place.pulse = None  # it ended, which is noticed by itself

    def _kill_the_silent(self) -> None:
        """Whoever hangs heeds no signal but this one. What it had not recorded, nobody was told."""
        now, since = time.monotonic(), self._looked
        self._looked = now
        for place in self._busy() if self._code is None else []:
            if now - since > WATCHED and place.heard < float("inf"):
                place.heard = now
            elif place.worker and now - place.heard > self._silent_seconds:
                logger.error("%s was silent for %.0f s: it hangs, and is killed", place, now - place.heard)
                place.heard, place.hung = float("inf"), True
                place.worker.kill()

    def _replace(self, place: Place) -> None:
        """Somebody ended: who starts in its place, and when."""
        if place.worker is None:
            return
        place.worker.join()
        name, how, place.worker = str(place), _ended(place.worker.exitcode), None
        if self._code is not None:
            return
        self._replaced("hung" if place.hung else "ended")
        soon = place.ready is None or time.monotonic() - place.ready < SOON
        place.deaths = place.deaths + 1 if soon else 0
        place.due = time.monotonic() + pause(place.deaths)
        if not self._took_requests:
            logger.critical("%s %s before it took a request: the service cannot start", name, how)
            self._stop(1)
        elif not self._busy() and all(each.deaths >= GIVE_UP for each in self._places):
            logger.critical("%s %s; no worker can work any more, the service ends", name, how)
            self._stop(1)
        else:
            logger.error("%s %s; a new one starts%s", name, how, _when(pause(place.deaths)))

    def _heed(self, told: socket.socket) -> None:
        if set(told.recv(4_096)) & {*_STOPPING} and self._code is None:
            self._stop(0)

    def _stop(self, code: int) -> None:
        self._code = code
        self._close()
        self._deadline = time.monotonic() + self._drain_seconds + MARGIN
        for place in self._busy():
            if place.worker:
                place.worker.terminate()

    def _kill_the_late(self) -> None:
        if time.monotonic() < self._deadline:
            return
        for place in self._busy():
            logger.error("%s did not stop in time and is killed", place)
            if place.worker:
                place.worker.kill()
        self._deadline = float("inf")


@contextmanager
def _signals() -> Iterator[socket.socket]:
    """Readable when this process is told to stop."""
    ours, theirs = socket.socketpair()
    theirs.settimeout(0)  # as the wakeup needs it
    before = {number: signal.signal(number, lambda *_: None) for number in _STOPPING}
    wakened = signal.set_wakeup_fd(theirs.fileno())
    try:
        yield ours
    finally:
        signal.set_wakeup_fd(wakened)
        for number, handler in before.items():
            signal.signal(number, handler)
        ours.close()
        theirs.close()


def _beat(pulse: int) -> None:
    """Never waits: a crew that does not listen now has other troubles, or is gone."""
    with suppress(BlockingIOError, BrokenPipeError):
        os.write(pulse, b".")


def _stop_without_the_crew(alive: int) -> None:
    """Nobody would replace or stop a worker whose parent was killed, and the port would stay taken."""
    os.read(alive, 1)
    os.kill(os.getpid(), signal.SIGTERM)


def _ended(code: int | None) -> str:
    return f"was ended by {signal.Signals(-code).name}" if code is not None and code < 0 else f"ended with code {code}"


def _when(seconds: float) -> str:
    return f" in {seconds:.1f} s" if seconds else " at once"
