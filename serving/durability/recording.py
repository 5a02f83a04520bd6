"""Group commit: the requests in flight share one commit of the decision log.

While the log is quick, the event loop gives it what was decided together and waits for the moment that it takes: whatever
arrives meanwhile makes the next group. Nobody is handed from thread to thread, and the loop and the log do not fight for the
interpreter. What takes longer than a moment is waited for by a thread, and what arrives during that commit goes together into
the next, so a slow disk makes groups larger and no queue longer. An answer leaves when the commit that holds its decisions
has returned.
"""

import asyncio
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import NamedTuple, Protocol

from models.errors import Conflict, Unavailable
from monitoring.decisions import Entry, Intake
from serving.threads import started

AT_ONCE = 10_000
"""Decisions in one commit, at most, unless a single request has more."""
WAITING = 100_000
"""Decisions that may wait for a commit, at most; beyond them requests are turned away."""
MOMENT = 0.003
"""Seconds for which the event loop waits for a commit, at most."""
QUICK = 0.002
"""Seconds that commits take, smoothed, up to which the loop waits for them at all."""
_SMOOTHING = 0.2

Told = Callable[[Exception | None], None]
"""Hears, on the event loop, that the decisions are durable, or why they are not."""


class Commit(Protocol):
    """A commit under way."""

    def done(self, within: float) -> bool:
        """Whether it succeeded within so many seconds. Blocks for no longer."""
        ...

    def finish(self) -> None:
        """Durable when it returns. Raises as `Intake.append_all`."""
        ...


Begin = Callable[[Sequence[Entry]], Commit | None]
"""Begins a commit and returns at once; None if that is not possible now, and `append_all` is to be called."""


@dataclass(frozen=True)
class _Waiting:
    entry: Entry
    told: Told
    loop: asyncio.AbstractEventLoop


class _Work(NamedTuple):
    """A group, and its commit if one was begun."""

    group: Sequence[_Waiting]
    commit: Commit | None = None


_Ended = tuple[Sequence[_Waiting], Exception | None]
"""Some of a group, and why they are not recorded."""


def never(_: Sequence[Entry]) -> None:
    return None


class Recorder:
    """For requests of one event loop. No thread is started before one is needed."""

    def __init__(self, log: Intake, waiting: int = WAITING, begin: Begin = never, moment: float = MOMENT) -> None:
        """`begin` belongs to the log; without one every commit is waited for by the thread."""
        self._log = log
        self._begin = begin
        self._moment = moment
        self._pace = 0.0  # seconds of a commit, smoothed
        self._most = self._room = waiting
        self._waiting: list[_Waiting] = []
        self._arrived = threading.Condition()
        self._work: _Work | None = None  # for the thread
        self._busy = False  # somebody commits: there is one commit at a time
        self._writing = False  # the thread does
        self._closing = False
        self._calling = False
        self._writer: threading.Thread | None = None

    @property
    def queued(self) -> int:
        """Decisions that wait for a commit now."""
        return self._most - self._room

    @property
    def waiting(self) -> bool:
        """Whether decisions were answered that are not recorded yet."""
        return False

    def take(self, entry: Entry, told: Told) -> None:
        """Commit this with the next `flush`. Raises `Unavailable` while too much waits already."""
        with self._arrived:
            if self._closing or len(entry.decisions) > self._room:
                raise Unavailable(
                    "the service is stopping" if self._closing else "more decisions wait for the decision log than may",
                    hint="try again; if it lasts, the log's database is too slow for what is asked",
                )
            self._room -= len(entry.decisions)
            self._waiting.append(_Waiting(entry, told, asyncio.get_running_loop()))

    async def record(self, entry: Entry) -> None:
        """Take it, and return when it was told. Raises what `Intake.append_all` raises, and what `take` raises."""
        await self._recorded(self.take, entry)

    async def _recorded(self, take: Callable[[Entry, Told], None], entry: Entry) -> None:
        loop = asyncio.get_running_loop()
        heard: asyncio.Future[None] = loop.create_future()

        def told(error: Exception | None) -> None:
            if heard.done():  # whoever waited went away; the decisions are in the log all the same
                return
            heard.set_result(None) if error is None else heard.set_exception(error)

        take(entry, told)
        if not self._calling:
            self._calling = True
            loop.call_soon(self._called)  # only then, so that what comes together is committed together
        await heard

    def flush(self) -> None:
        """Commit what was taken, together; or leave it to whoever is committing now."""
        with self._arrived:
            if self._busy or not self._waiting:
                return
            self._busy, group = True, self._next_group()
        began, commit = perf_counter(), None
        ended: Iterable[_Ended] = [(group, None)]
        try:
            commit = self._begin([each.entry for each in group]) if self._pace <= QUICK else None
            if commit is None or not commit.done(self._moment):
                self._leave(_Work(group, commit))
                return
            self._took(perf_counter() - began)
        except Exception as error:  # noqa: BLE001, whatever it is, those who wait must hear of it
            # There is no thread. What was begun is waited for here: its decisions are recorded, and its answers may leave.
            ended = self._committed(group, commit) if commit else [(group, error)]
        for some, refusal in list(ended):  # all of them have ended before anybody is told, who may flush again
            self._settled(some)
            _tell([each.told for each in some], refusal)
        self.flush()  # what was taken while those were told

    def close(self) -> None:
        """Write what waits, then return. Blocks."""
        with self._arrived:
            self._closing = True
            waiting = bool(self._waiting)
            self._arrived.notify()
        try:
            if waiting:
                self._start()
        except Unavailable:  # no further thread; this one has time
            self._write()
        if self._writer is not None:
            self._writer.join()

    def _called(self) -> None:
        self._calling = False
        self.flush()

    def _leave(self, work: _Work) -> None:
        """To the thread. Raises `Unavailable` if there is none to be had."""
        with self._arrived:
            self._start()
            self._work = work
            self._arrived.notify()

    def _start(self) -> None:
        if self._writer is None:
            self._writer = started("decision-log", self._write)

    def _write(self) -> None:
        while work := self._next():
            began = perf_counter()
            for some, error in self._committed(*work):
                with self._arrived:
                    self._room += sum(len(each.entry.decisions) for each in some)
                some[0].loop.call_soon_threadsafe(_tell, [each.told for each in some], error)
            self._took(perf_counter() - began)

    def _next(self) -> _Work | None:
        """What is committed together; None when there is no more to come. What arrived during a commit of the thread is its own
        next group."""
        with self._arrived:
            if not self._waiting or not self._writing:
                self._busy = self._busy and not self._writing
                self._writing = False
                self._arrived.wait_for(lambda: self._work or (self._closing and not self._busy))
            work, self._work = self._work, None
            if work is None and self._waiting:
                work = _Work(self._next_group())
            self._busy = self._writing = work is not None
            return work

    def _next_group(self) -> Sequence[_Waiting]:
        decisions = count = 0
        for count, each in enumerate(self._waiting, start=1):  # noqa: B007, the count is used
            decisions += len(each.entry.decisions)
            if decisions >= AT_ONCE:
                break
        group, self._waiting = self._waiting[:count], self._waiting[count:]
        return group

    def _settled(self, group: Sequence[_Waiting]) -> None:
        with self._arrived:
            self._room += sum(len(each.entry.decisions) for each in group)
            self._busy = False
            self._arrived.notify()

    def _took(self, seconds: float) -> None:
        self._pace += _SMOOTHING * (seconds - self._pace)

    def _committed(self, group: Sequence[_Waiting], commit: Commit | None = None) -> Iterator[_Ended]:
        """One commit for all. If one of them is refused, each by itself, so that no other falls with it."""
        try:
            if commit is None:
                self._log.append_all([each.entry for each in group])
            else:
                commit.finish()
        except Conflict as error:
            if len(group) == 1:
                yield group, error
            else:
                for each in group:
                    yield from self._committed([each])
        except Exception as error:  # noqa: BLE001, whatever it is, those who wait must hear of it
            yield group, error
        else:
            yield group, None


def _tell(told: Sequence[Told], error: Exception | None) -> None:
    for each in told:
        each(error)
