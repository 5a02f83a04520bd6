"""What goes around every request and response, whoever answers: an id, the headers of a plain API, and patience.

Plain ASGI (spec 2.3), no framework. A refusal is often known before the body has arrived. A server that then closes the
connection resets it, and many clients lose the answer that they had not read yet (RFC 9112, 9.6). So the answer is sent
at once, and what is still coming is read and dropped before the connection closes, up to a bound.
"""

import asyncio
import re
import secrets
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from time import perf_counter
from typing import Any

from serving.door.needs import ours
from serving.telemetry.access import OTHER, AccessLog

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

PATIENT_BYTES = 128 * 2**20
PATIENT_SECONDS = 10.0
"""How much more of a refused body is read, and for how long, so that its sender comes to read the answer."""

PLAIN = (
    (b"x-content-type-options", b"nosniff"),
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
"""On every response: it is data, never a page, of nobody else's, and never kept."""

_REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}")


class Marked:
    """Gives every request an id of our own, and every response the headers of a plain API.

    The caller's id, if it is harmless, comes back in the response's header and goes nowhere else: it may hold an account's.
    """

    def __init__(
        self,
        app: Application,
        access: AccessLog | None = None,
        lane: Any = None,
        told: Callable[[str, str, int], None] = lambda _method, _path, _status: None,
    ) -> None:
        """`lane` is for who speaks to connections: the way past all this, by the same rules. `told` hears how every request that
        goes through here was answered: with a status, or 0 if nobody took an answer."""
        self._app = app
        self._access = access
        self.lane = lane
        self._told = told

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = secrets.token_hex(16)
        echo = echoed(_header(scope, b"x-request-id"), request_id)
        scope.setdefault("state", {}).update(request_id=request_id, echoed_id=echo)
        own = [(b"x-request-id", echo.encode()), *PLAIN]

        began, status = perf_counter(), 0

        async def marked(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), *own]
            await send(message)

        try:
            await self._app(scope, receive, marked)
        finally:
            self._told(scope["method"], scope["path"], status)
            if self._access:
                path = scope["path"] if ours(scope["path"]) else OTHER
                self._access.tell(scope["method"], path, status, perf_counter() - began, request_id)


def echoed(asked: str, request_id: str) -> str:
    """The caller's id if it is harmless, or else our own."""
    return asked if asked and _REQUEST_ID.fullmatch(asked) else request_id


class Patient:
    """Holds the connection open after an answer that was given before the request's body had come to its end."""

    def __init__(self, app: Application, most: int = PATIENT_BYTES, seconds: float = PATIENT_SECONDS) -> None:
        self._app = app
        self._most = most
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not _announces_a_body(scope):
            await self._app(scope, receive, send)
            return
        request = _Incoming(receive)

        async def patiently(message: Message) -> None:
            if message["type"] == "http.response.start" and not request.ended:
                message["headers"] = [*message.get("headers", ()), (b"connection", b"close")]
            last = message["type"] == "http.response.body" and not message.get("more_body", False)
            if not last or request.ended:
                await send(message)
                return
            await send({**message, "more_body": True})
            await request.drop(self._most, self._seconds)
            await send({"type": "http.response.body", "body": b""})

        await self._app(scope, request.receive, patiently)


@dataclass
class _Incoming:
    """What a client sends, and whether all of it has come."""

    source: Receive
    ended: bool = False

    async def receive(self) -> Message:
        message = await self.source()
        self.ended = message["type"] != "http.request" or not message.get("more_body", False)
        return message

    async def drop(self, most: int, seconds: float) -> None:
        """Read on to the end, or to the end of patience."""
        try:
            async with asyncio.timeout(seconds):
                while not self.ended and most > 0:
                    most -= len((await self.receive()).get("body", b""))
        except TimeoutError:
            return


def _announces_a_body(scope: Scope) -> bool:
    return bool(_header(scope, b"transfer-encoding")) or _header(scope, b"content-length") not in ("", "0")


def _header(scope: Scope, name: bytes) -> str:
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), "")
