"""The express lane: small requests to score are admitted, decided and answered by plain calls, without a task each.

It only accepts. What is not plainly a small body of JSON from somebody who may ask, it leaves untouched to the long way
through the framework, which alone refuses at the door and words the error. The rules are those of the long way: the same guard,
the same desk, the same refusals.
"""

import asyncio
import re
import secrets
from collections.abc import Callable, Sequence
from functools import lru_cache
from time import perf_counter
from typing import NamedTuple, Protocol

from models.errors import PlatformError
from serving.answers.answer import Answer, Ask
from serving.answers.desk import SMALL, Desk
from serving.door.bodies import Header
from serving.door.envelope import echoed
from serving.door.guard import LONGEST_ADDRESS, MOST_HEADERS, Guard
from serving.door.holders import Holder
from serving.door.lane import Reply
from serving.door.needs import Need, to_score
from serving.door.refusals import TooLate
from serving.protocols.documents import JSON
from serving.telemetry.access import AccessLog
from serving.telemetry.metering import Meter
from serving.telemetry.tracing import Traced, Tracer

_PATH = re.compile(rb"/v1/models/([A-Za-z0-9_.-]+)/score")
_JSON = (b"content-type", JSON.encode())
_PLAINLY = {b"content-type": _JSON[1], b"connection": b"keep-alive"}
"""Headers that must say just this, if they are there."""
_LONG_WAY = frozenset({b"idempotency-key", b"transfer-encoding", b"content-encoding", b"expect", b"upgrade"})
_GONE = 0


class Refusal(Protocol):
    """A response that is whole."""

    status_code: int
    raw_headers: list[Header]
    body: bytes | memoryview


class Head(NamedTuple):
    """What the head of such a request says."""

    need: Need
    path: str
    echo: str
    key: Sequence[bytes]  # values of `authorization`
    parent: str  # `traceparent`


class Express:
    """Of one event loop. `refusal` makes the response to what went wrong, given the request's id."""

    def __init__(
        self,
        desk: Desk,
        guard: Guard,
        meter: Meter,
        refusal: Callable[[Exception, str], Refusal],
        access: AccessLog | None = None,
        tracer: Tracer | None = None,
    ) -> None:
        self.desk = desk
        self.guard = guard
        self.meter = meter
        self.refusal = refusal
        self.access = access
        self.tracer = tracer

    def head(self, method: bytes, url: bytes, headers: Sequence[Header]) -> Head | None:
        """None for any request but a small one to score."""
        asked = _asked(url) if method == b"POST" and len(headers) <= MOST_HEADERS else None
        if asked is None:
            return None
        length, media, key, parent = -1, False, [], ""
        echo: str | None = None  # the first counts, as the long way has it
        for name, value in headers:
            if name in _LONG_WAY or (name in _PLAINLY and value != _PLAINLY[name]):
                return None
            if name == b"content-type":
                media = True
            elif name == b"content-length":
                length = int(value) if length < 0 and value.isdigit() else SMALL + 1
            elif name == b"x-request-id":
                echo = value.decode("latin-1") if echo is None else echo
            elif name == b"authorization":
                key.append(value)
            elif name == b"traceparent":
                parent = parent or value.decode("latin-1")
        return Head(*asked, echo or "", key, parent) if media and 0 < length <= SMALL else None

    def take(self, head: Head, body: bytes, reply: Reply, gone: Callable[[], bool]) -> bool:
        """Whether it is accepted; then `reply` is called once, unless the client is gone. Otherwise nothing has happened."""
        try:
            holder = self.guard.enter(head.need, head.key)
        except PlatformError:
            return False
        visit = _Visit(self, head, holder, reply, gone)
        self.desk.take(Ask(head.need.model, body, visit.request_id, holder=holder), visit)
        return True


class _Visit:
    """One request, from when it was accepted to its answer. A `Caller` of the desk."""

    __slots__ = ("_began", "_express", "_gone", "_head", "_holder", "_over", "_reply", "request_id")

    def __init__(self, express: Express, head: Head, holder: Holder, reply: Reply, gone: Callable[[], bool]) -> None:
        self.request_id = secrets.token_hex(16)
        self._express = express
        self._head = head
        self._holder = holder
        self._reply = reply
        self._gone = gone
        self._over = False
        self._began = perf_counter()
        express.meter.began()
        express.guard.deadlines.begin(self, asyncio.get_running_loop())

    @property
    def gone(self) -> bool:
        if not self._over and self._gone():
            self._leave(_GONE)
        return self._over

    def cancel(self) -> None:
        """It took too long."""
        if not self._over:
            self._refuse(TooLate(self._express.guard.deadlines.seconds))

    def hear(self, outcome: Answer | Exception) -> None:
        if self._over or self.gone:
            return
        if isinstance(outcome, Exception):
            self._refuse(outcome)
            if not isinstance(outcome, PlatformError):
                raise outcome  # its client was told; the desk logs where it broke
            return
        self._reply(200, (_JSON,), outcome.response, echoed(self._head.echo, self.request_id))
        self._leave(200, outcome)

    def _refuse(self, error: Exception) -> None:
        refusal = self._express.refusal(error, self.request_id)
        headers = [header for header in refusal.raw_headers if header[0] != b"content-length"]
        self._reply(refusal.status_code, headers, bytes(refusal.body), echoed(self._head.echo, self.request_id))
        self._leave(refusal.status_code)

    def _leave(self, status: int, answer: Answer | None = None) -> None:
        self._over = True
        express, ended = self._express, perf_counter()
        express.guard.deadlines.end(self)
        express.guard.leave(self._holder)
        express.meter.ended(ended - self._began)
        express.meter.responded(status)
        if express.access:
            express.access.tell("POST", self._head.path, status, ended - self._began, self.request_id)
        if express.tracer and express.tracer.wants(status, self._head.parent):
            model, parent, stages = self._head.need.model, self._head.parent, answer.stages if answer else {}
            express.tracer.tell(Traced.measured(self.request_id, model, status, parent, (self._began, ended), stages))


@lru_cache(maxsize=256)
def _asked(url: bytes) -> tuple[Need, str] | None:
    found = _PATH.fullmatch(url) if len(url) <= LONGEST_ADDRESS else None
    return (to_score(found[1].decode()), url.decode()) if found else None
