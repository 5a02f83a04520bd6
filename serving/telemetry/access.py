"""The access log: one JSON object a line for every request, written some lines at a time so that no request waits for it.

It names method, path, status, duration and our own request id: no header, no query, nothing of a body.
"""

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime

SOON = 0.2
"""Seconds after which a line is written, at most."""


class AccessLog:
    """For one event loop. `write` takes whole lines."""

    def __init__(self, write: Callable[[str], object], now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._write = write
        self._now = now
        self._lines: list[str] = []

    def tell(self, method: str, path: str, status: int, seconds: float, request_id: str) -> None:
        said = {"at": self._now().isoformat(timespec="milliseconds"), "request_id": request_id, "method": method, "path": path}
        if not self._lines:
            asyncio.get_running_loop().call_later(SOON, self.flush)
        self._lines.append(json.dumps(said | {"status": status, "milliseconds": round(seconds * 1e3, 3)}))

    def flush(self) -> None:
        if self._lines:
            lines, self._lines = self._lines, []
            self._write("\n".join([*lines, ""]))
