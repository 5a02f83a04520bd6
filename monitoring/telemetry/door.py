"""What a web application of ours tells of the requests it answers: an id for each, a line in the log, numbers. Plain ASGI.

A request is known by the pattern of its path ("/models/{model}"), never by the path: that may name a decision or an account.
"""

import logging
import secrets
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from contextlib import AbstractContextManager
from threading import Lock
from time import perf_counter
from typing import Any

from monitoring.telemetry.context import working
from monitoring.telemetry.families import Family, Histogram, Labels
from monitoring.telemetry.tracing import Tracing, untraced

Message = MutableMapping[str, Any]
Application = Callable[[Message, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]], Awaitable[None]]

SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
METRICS = "/metrics"
"""Asked every few seconds, by a machine: counted, and no line in the log."""
NOWHERE = "none"
"""In place of a pattern, of a request that has none."""

logger = logging.getLogger("steward.console")


class Counted:
    """What was answered, by pattern and status. Safe for several threads."""

    def __init__(self) -> None:
        self._turn = Lock()
        self._responses: Counter[tuple[str, int]] = Counter()
        self._seconds: defaultdict[str, Histogram] = defaultdict(lambda: Histogram(SECONDS))

    def add(self, page: str, status: int, seconds: float) -> None:
        with self._turn:
            self._responses[page, status] += 1
            self._seconds[page].add(seconds)

    def families(self) -> Iterator[Family]:
        with self._turn:
            counted, timed = dict(self._responses), {page: found.copy() for page, found in self._seconds.items()}
        responses: dict[Labels, float | Histogram] = {
            (("page", page), ("status", str(status))): count for (page, status), count in counted.items()
        }
        seconds: dict[Labels, float | Histogram] = {(("page", page),): found for page, found in timed.items()}
        yield Family("steward_console_responses", "counter", "requests to the console by page and status", responses)
        yield Family("steward_console_seconds", "histogram", "time of a request to the console", seconds)


class Observed:
    """An application, seen from outside."""

    def __init__(self, app: Application, counted: Counted, tracing: Tracing = untraced) -> None:
        self._app = app
        self._counted = counted
        self._tracing = tracing

    async def __call__(self, scope: Message, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id, began, status = secrets.token_hex(16), perf_counter(), 500
        parent = next((value.decode("latin-1") for name, value in scope["headers"] if name == b"traceparent"), "")

        async def marked(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), (b"x-request-id", request_id.encode())]
            await send(message)

        span: AbstractContextManager[Any] = self._tracing("request", parent)
        with working("request_id", request_id), span as noted:
            try:
                await self._app(scope, receive, marked)
            finally:
                page, seconds = _pattern(scope), perf_counter() - began
                self._counted.add(page, status, seconds)
                noted({"http.route": page, "http.request.method": scope["method"], "http.response.status_code": status})
                known = {"method": scope["method"], "path": page, "status": status, "milliseconds": round(seconds * 1e3, 3)}
                if page != METRICS:
                    logger.info("%s %s %s", scope["method"], page, status, extra=known)


def _pattern(scope: Message) -> str:
    found = getattr(scope.get("route"), "path", None)
    return found if isinstance(found, str) else NOWHERE
