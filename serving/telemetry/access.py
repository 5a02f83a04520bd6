"""The access log: one JSON object a line for every request, written some lines at a time so that no request waits for it.

Its form is that of every log line (`monitoring.telemetry.logs`). It names method, path, status, duration and our own request id:
no header, no query, nothing of a body. Of a path that is none of ours it says only that: what a caller wrote there may name an
account.
"""

import asyncio
import json
import os
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache

_spelled = lru_cache(maxsize=1_024)(json.dumps)

OTHER = "other"
"""In place of a path that is none of ours."""
SOON = 0.2
"""Seconds after which a line is written, at most."""


class AccessLog:
    """For one event loop. `write` takes whole lines."""

    def __init__(self, write: Callable[[str], object], now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._write = write
        self._now = now
        self._lines: list[str] = []
        origin = {"level": "info", "service": "serving", "process": os.getpid(), "logger": "steward.access", "message": "request"}
        self._origin = json.dumps(origin)[1:-1]

    def tell(self, method: str, path: str, status: int, seconds: float, request_id: str) -> None:
        if not self._lines:
            asyncio.get_running_loop().call_later(SOON, self.flush)
        # Spelled by hand, in a tenth of the time; what others chose is spelled by the library, once.
        at = self._now().isoformat(timespec="milliseconds")
        what = f'"request_id": "{request_id}", "method": {_spelled(method)}, "path": {_spelled(path)}'
        self._lines.append(f'{{"at": "{at}", {self._origin}, {what}, "status": {status}, "milliseconds": {seconds * 1e3:.3f}}}')

    def flush(self) -> None:
        if self._lines:
            lines, self._lines = self._lines, []
            self._write("\n".join([*lines, ""]))
