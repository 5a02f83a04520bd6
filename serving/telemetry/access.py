"""The access log: one JSON object a line for every request, spelled and written many lines at a time so that no request waits.

Its form is that of every log line (`monitoring.telemetry.logs`). It names method, path, status, duration and our own request id:
no header, no query, nothing of a body. Of a path that is none of ours it says only that: what a caller wrote there may name an
account. A thread of its own writes: whoever reads the output may be slow. If he does not read at all, or the disk is full, lines
are dropped, and a line says how many.
"""

import asyncio
import json
import logging
import os
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import lru_cache
from queue import SimpleQueue
from time import time
from typing import NamedTuple

from models.errors import Unavailable
from serving.threads import started

OTHER = "other"
"""In place of a path that is none of ours."""
SOON = 0.2
"""Seconds after which a line is written, at most, while the output is read."""
MOST = 10_000
"""Lines that wait, at most; those of two seconds under full load."""

_spelled = lru_cache(maxsize=1_024)(json.dumps)
_head = lru_cache(maxsize=1_024)(lambda method, path: f'"method": {_spelled(method)}, "path": {_spelled(path)}')

logger = logging.getLogger("steward.serving")


class _Line(NamedTuple):
    at: float
    method: str
    path: str
    status: int
    seconds: float
    request_id: str


class AccessLog:
    """For one event loop. `write` takes whole lines, `now` gives seconds since 1970."""

    def __init__(self, write: Callable[[str], object], now: Callable[[], float] = time, most: int = MOST) -> None:
        self._write = write
        self._now = now
        self._request, self._loss = (
            _origin("info", "request"),
            _origin("warning", "lines were dropped: they could not be written"),
        )
        self._most = most
        self._waiting: list[_Line] = []
        self._dropped = 0
        self._due = False  # a flush is
        self._writing = False
        self._batches: SimpleQueue[tuple[str, int] | None] = SimpleQueue()  # with the lines that it stands for
        self._lost: SimpleQueue[int] = SimpleQueue()  # lines of batches that could not be written
        self._writer: threading.Thread | None = None
        self._troubled = False

    def tell(self, method: str, path: str, status: int, seconds: float, request_id: str) -> None:
        if not self._due:
            self._soon()
        if len(self._waiting) < self._most:
            self._waiting.append(_Line(self._now(), method, path, status, seconds, request_id))
        else:
            self._dropped += 1

    def close(self, within: float = 5.0) -> None:
        """Write what waits, within so many seconds. Blocks."""
        self._hand_over()
        if self._writer:
            self._batches.put(None)
            self._writer.join(within)

    def _soon(self) -> None:
        self._due = True
        asyncio.get_running_loop().call_later(SOON, self._flush)

    def _flush(self) -> None:
        self._due = False
        if self._writing:
            self._soon()
        else:
            self._hand_over()

    def _hand_over(self) -> None:
        while not self._lost.empty():  # nobody else takes any out
            self._dropped += self._lost.get()
        if (self._waiting or self._dropped) and self._has_a_writer():
            self._writing = True
            count = len(self._waiting) + self._dropped
            self._batches.put(("\n".join([*self._lines(), ""]), count))

    def _has_a_writer(self) -> bool:
        """Started not before there is something to do: a process may be forked until then."""
        if self._writer is None:
            try:
                self._writer = started("access-log", self._run)
            except Unavailable as error:  # lines wait for the next time
                self._tell(error)
                return False
        return True

    def _lines(self) -> Iterator[str]:
        """Spelled by hand, in a tenth of the time; what others chose is spelled by the library, once."""
        waiting, self._waiting = self._waiting, []
        dropped, self._dropped = self._dropped, 0
        for at, method, path, status, seconds, request_id in waiting:
            when, what = _instant(at), f'"request_id": "{request_id}", {_head(method, path)}'
            yield f'{{"at": "{when}", {self._request}, {what}, "status": {status}, "milliseconds": {seconds * 1e3:.3f}}}'
        if dropped:
            yield f'{{"at": "{_instant(self._now())}", {self._loss}, "dropped": {dropped}}}'

    def _run(self) -> None:
        """What could not be written counts as dropped. The line that it may have torn is ended before the next."""
        torn = ""
        while batch := self._batches.get():
            text, count = batch
            try:
                self._write(torn + text)
                torn = ""
            except (OSError, ValueError) as error:  # nobody reads any more, or the disk is full
                torn = "\n"
                self._lost.put(count)
                self._tell(error)
            else:
                self._troubled = False
            self._writing = False

    def _tell(self, error: Exception) -> None:
        if not self._troubled:
            logger.warning("the access log cannot be written: %s", error)
        self._troubled = True


def _origin(level: str, message: str) -> str:
    said = {"level": level, "service": "serving", "process": os.getpid(), "logger": "steward.access", "message": message}
    return json.dumps(said)[1:-1]


def _instant(at: float) -> str:
    whole = int(at)
    return f"{_second(whole)}.{int((at - whole) * 1e3):03d}+00:00"


@lru_cache(maxsize=8)
def _second(whole: int) -> str:
    return datetime.fromtimestamp(whole, UTC).strftime("%Y-%m-%dT%H:%M:%S")
