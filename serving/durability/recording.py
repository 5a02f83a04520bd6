"""Group commit: the requests in flight share one commit of the decision log.

One thread writes. What arrives while it commits goes together into the next commit, so a slow disk makes groups larger and
no queue longer. An answer leaves when the commit that holds its decisions has returned.
"""

import asyncio
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from models.errors import Conflict, Unavailable
from monitoring.decisions import Entry, Intake

AT_ONCE = 10_000
"""Decisions in one commit, at most, unless a single request has more."""
WAITING = 100_000
"""Decisions that may wait for a commit, at most; beyond them requests are turned away."""


@dataclass(frozen=True)
class _Waiting:
    entry: Entry
    told: "asyncio.Future[None]"


class Recorder:
    """For requests of one event loop. Nothing is started before the first entry."""

    def __init__(self, log: Intake, waiting: int = WAITING) -> None:
        self._log = log
        self._most = self._room = waiting
        self._waiting: list[_Waiting] = []
        self._arrived = threading.Condition()
        self._closing = False
        self._calling = False
        self._writer: threading.Thread | None = None

    @property
    def queued(self) -> int:
        """Decisions that wait for a commit now."""
        return self._most - self._room

    async def record(self, entry: Entry) -> None:
        """Durable when it returns. Raises what `Intake.append_all` raises, and `Unavailable` while too much waits already."""
        told: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        with self._arrived:
            if self._closing or len(entry.decisions) > self._room:
                raise Unavailable(
                    "the service is stopping" if self._closing else "more decisions wait for the decision log than may",
                    hint="try again; if it lasts, the log's database is too slow for what is asked",
                )
            self._room -= len(entry.decisions)
            self._waiting.append(_Waiting(entry, told))
            self._start()
        if not self._calling:
            self._calling = True
            told.get_loop().call_soon(self._call)
        await told

    @property
    def waiting(self) -> bool:
        """Whether decisions were answered that are not recorded yet."""
        return False

    def close(self) -> None:
        """Write what waits, then return. Blocks."""
        with self._arrived:
            self._closing = True
            self._arrived.notify()
        if self._writer is not None:
            self._writer.join()

    def _call(self) -> None:
        """Only now, so that what was decided together is committed together."""
        self._calling = False
        with self._arrived:
            self._arrived.notify()

    def _start(self) -> None:
        if self._writer is None:
            self._writer = threading.Thread(target=self._write, name="decision-log", daemon=True)
            self._writer.start()

    def _write(self) -> None:
        while group := self._next():
            for some, error in self._committed(group):
                with self._arrived:
                    self._room += sum(len(each.entry.decisions) for each in some)
                told = [each.told for each in some]
                told[0].get_loop().call_soon_threadsafe(_tell, told, error)

    def _next(self) -> list[_Waiting]:
        """What is committed together; nothing when there is no more to come."""
        with self._arrived:
            self._arrived.wait_for(lambda: self._waiting or self._closing)
            decisions = count = 0
            for count, each in enumerate(self._waiting, start=1):  # noqa: B007, the count is used
                decisions += len(each.entry.decisions)
                if decisions >= AT_ONCE:
                    break
            group, self._waiting = self._waiting[:count], self._waiting[count:]
            return group

    def _committed(self, group: Sequence[_Waiting]) -> Iterator[tuple[Sequence[_Waiting], Exception | None]]:
        """One commit for all. If one of them is refused, each by itself, so that no other falls with it."""
        try:
            self._log.append_all([each.entry for each in group])
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


def _tell(told: Sequence["asyncio.Future[None]"], error: Exception | None) -> None:
    for each in told:
        if each.done():  # the client went away; its decisions are in the log all the same
            continue
        if error is None:
            each.set_result(None)
        else:
            each.set_exception(error)
