"""What a connection may do before there is a request: uvicorn's protocol with an end to its patience.

By itself uvicorn 0.54 waits for ever for a head or a body that was begun, and httptools takes a head of any size. Here one look
a second over all connections ends those that take too long, so a request pays for readings of a clock and for no timer.
"""

import asyncio
import re
from collections.abc import Iterable, Sequence
from http import HTTPStatus
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from serving.door.bodies import Header
from serving.door.envelope import PLAIN
from serving.door.lane import Errand, Lane, Small
from serving.protocols.documents import PROBLEM, Problem

LARGEST_HEAD = 32 * 2**10
"""Bytes of the request line and the headers, at most."""
LOOK_SECONDS = 1.0

_STATUS = {status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode() for status in HTTPStatus}
_PLAIN = b"".join(b"%b: %b\r\n" % each for each in PLAIN)
_CLOSE = (b"connection", b"close")
_BODY = frozenset({b"content-length", b"transfer-encoding"})

_VERSIONS = ("1.1", "1.0")
_A_HOST = re.compile(rb"([a-z0-9._~%-]*|\[[a-f0-9:.]+\])(:[0-9]*)?", re.IGNORECASE)
"""A name or an address, and a port (RFC 9110, 7.2); of the marks that a name may have, those that names have. It may be empty."""

_UPGRADE, _HOST = 1, 2
"""Among the reasons: a request with a body that asks for another protocol; one that names no host, or several (RFC 9112, 3.2)."""
_REASONS = {
    _HOST: (400, "Bad Request", "this request does not name one host", "send one header Host, with a name or an address"),
    _UPGRADE: (
        400,
        "Bad Request",
        "a request with a body asks for another protocol",
        "send it without Upgrade; HTTP/1.1 is spoken",
    ),
    400: (400, "Bad Request", "this is no HTTP request", "see the specification of HTTP, RFC 9112"),
    408: (408, "Request Timeout", "the request did not come in time", "send head and body without a pause; nothing was decided"),
    431: (
        431,
        "Request Header Fields Too Large",
        f"the head is larger than {LARGEST_HEAD:,} bytes",
        "send fewer or shorter headers",
    ),
    505: (505, "HTTP Version Not Supported", "this version of HTTP is not spoken", "HTTP/1.1 is, and HTTP/1.0"),
}


class Patience:
    """Of one server: looks over its connections as long as there are any."""

    def __init__(self, receive_seconds: float, look_seconds: float = LOOK_SECONDS) -> None:
        self.receive_seconds = receive_seconds
        self._look_seconds = look_seconds
        self._looking = False

    def with_all(self, connections: Iterable[object], loop: asyncio.AbstractEventLoop) -> None:
        if not self._looking:
            self._looking = True
            loop.call_later(self._look_seconds, self._look, connections, loop)

    def _look(self, connections: Iterable[object], loop: asyncio.AbstractEventLoop) -> None:
        self._looking = False
        for connection in list(connections):
            if isinstance(connection, Connection):
                connection.end_if_late(loop.time())
                self.with_all(connections, loop)


class Unwanted(Exception):
    """Ends the parser's work on a head."""


class Connection(HttpToolsProtocol):
    """One connection. It is cut if a request, head and body, is not there `receive_seconds` after its first byte."""

    def __init__(self, *given: Any, patience: Patience, lane: Lane | None = None, **named: Any) -> None:
        super().__init__(*given, **named)
        self._patience = patience
        self._lane = lane
        self._small: Small | None = None  # a request for the lane, until its body is there
        self._since: float | None = None  # when what is not whole yet began
        self._closing: float | None = None
        self._in_head = True
        self._head = 0  # bytes of a head that is not whole yet
        self._ended = False  # a request ended within what came last
        self._own = False  # what is not whole yet has a cycle
        self._last = False  # nothing more is taken; what was asked before is answered, then the connection closes
        self._unwanted = 0  # why the head that was read last is refused

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._since = self.loop.time()
        self._patience.with_all(self.connections, self.loop)

    def data_received(self, data: bytes) -> None:
        if self._since is None:
            self._since = self.loop.time()
        self._ended = False
        super().data_received(data)
        if self._in_head and self._since is not None:
            self._head += 0 if self._ended else len(data)  # behind another request nobody knows where it began
            if self._head > LARGEST_HEAD:
                self._end(431)

    def on_message_begin(self) -> None:
        self._since, self._in_head, self._head, self._own = self.loop.time(), True, 0, False
        self._unwanted = 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._in_head = False
        self._unwanted = self._judged()
        if self._unwanted:
            raise Unwanted
        self._small = self._for_the_lane()
        if self._small is None:
            self._go_the_long_way()

    def _go_the_long_way(self) -> None:
        super().on_headers_complete()  # raises where the address is none: then there is no cycle
        self._own = True
        if self.parser.should_upgrade():
            self.cycle.keep_alive = False  # what came with it is not read: the parser takes it for the other protocol's

    def _judged(self) -> int:
        """Why a head is refused; 0 if it is not."""
        version = self.parser.get_http_version()
        if version not in _VERSIONS:
            return 505
        # The parser takes no body of a request that asks for another protocol: its bytes would be read as the next request.
        if self.parser.should_upgrade() and any(name in _BODY for name, _ in self.headers):
            return _UPGRADE
        if self._large():
            return 431
        hosts = [value for name, value in self.headers if name == b"host"]
        named = (len(hosts) == 1 and _A_HOST.fullmatch(hosts[0])) or (not hosts and version == "1.0")
        return 0 if named else _HOST

    def on_body(self, body: bytes) -> None:
        if self._small is None:
            super().on_body(body)
        else:
            self._small.body += body  # no more than was announced: the parser sees to it

    def on_message_complete(self) -> None:
        self._since, self._ended, self._own = None, True, False
        small, self._small = self._small, None
        if small is not None:
            errand = Errand(self)
            if small.lane.take(small.head, bytes(small.body), errand.reply, errand.gone):
                self.cycle = errand  # type: ignore[assignment]
                return
            super().on_headers_complete()
            super().on_body(bytes(small.body))
        super().on_message_complete()

    def _for_the_lane(self) -> Small | None:
        """Only where nothing else goes on: no request before it that is not answered, nobody who does not read."""
        if self._lane is None or self.flow.write_paused or not (self.cycle is None or self.cycle.response_complete):
            return None
        if self.parser.get_http_version() != "1.1" or not self.parser.should_keep_alive():
            return None
        head = self._lane.head(self.parser.get_method(), self.url, self.headers)
        return head and Small(self._lane, head)

    def reply(self, errand: Errand, status: int, headers: Sequence[Header], body: bytes, echo: str) -> None:
        """An answer as uvicorn writes one."""
        defaults = self.server_state.default_headers
        lines = [_STATUS[status], *(b"%b: %b\r\n" % each for each in (*defaults, *headers)), _PLAIN]
        lines += [b"x-request-id: ", echo.encode(), b"\r\ncontent-length: ", str(len(body)).encode(), b"\r\n\r\n", body]
        self.transport.write(b"".join(lines))
        errand.response_complete = True
        if not errand.keep_alive or _CLOSE in defaults:
            self.transport.close()
        self.on_response_complete()

    def on_response_complete(self) -> None:
        if self._last and not self.pipeline:
            self.transport.close()
        super().on_response_complete()

    def shutdown(self) -> None:
        """What is on its way into the lane is answered, too: by the long way, which uvicorn knows of."""
        small, self._small = self._small, None
        if small is not None:
            self._go_the_long_way()
            super().on_body(bytes(small.body))
        super().shutdown()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002, uvicorn's own words
        self._end(self._unwanted or 400)

    def _large(self) -> bool:
        return len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers) > LARGEST_HEAD

    def end_if_late(self, now: float) -> None:
        """Also one that was closed, and whose client does not take what was written to it."""
        if self.transport.is_closing():
            self._closing = self._closing or now
            if now - self._closing > self._patience.receive_seconds:
                self.transport.abort()
        elif self._since is not None and now - self._since > self._patience.receive_seconds:
            self._end(408)

    def _end(self, reason: int) -> None:
        """Tell why and close. Requests before it are answered first: the refusal would be taken for the answer to one of them."""
        self._since = None
        if self._before_it():
            if self._own and self.pipeline:
                self.pipeline.popleft()  # what is refused; those that came before stand to its right
            self._last = True
            return
        answering = self.cycle is not None and self.cycle.response_started and not self.cycle.response_complete
        if not self.transport.is_closing() and not answering:
            self.transport.write(_refusal(reason))
        self.transport.close()

    def _before_it(self) -> bool:
        """Whether requests before the one that is refused are still to be answered."""
        if self._own:
            return bool(self.pipeline)
        return self.cycle is not None and not self.cycle.response_complete


def _refusal(reason: int) -> bytes:
    """Raw, for there is no request that could be answered."""
    status, title, detail, hint = _REASONS[reason]
    said = Problem(type="about:blank", title=title, status=status, detail=detail, hint=hint, request_id="")
    body = said.model_dump_json().encode()
    headers = [
        *PLAIN,
        (b"content-type", PROBLEM.encode()),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),
    ]
    lines = [f"HTTP/1.1 {status} {title}".encode(), *(name + b": " + value for name, value in headers)]
    return b"\r\n".join([*lines, b"", body])
