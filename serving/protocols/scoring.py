"""The scoring path, as plain ASGI (spec 2.3): a framework's routing and requests would cost more than the decision."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from time import perf_counter
from types import MappingProxyType
from typing import NamedTuple, Protocol

from models.errors import PlatformError
from serving.answers.answer import Ask
from serving.answers.desk import Desk
from serving.door.bodies import Gone, Header, body, idempotency_key
from serving.door.envelope import Application, Receive, Scope, Send
from serving.protocols.documents import JSON
from serving.protocols.frames import brings_a_frame
from serving.telemetry.metering import Meter
from serving.telemetry.tracing import Traced, Tracer

PATH = "/v1/models/{model}/score"

_BEFORE, _AFTER = PATH.split("{model}")
_ANSWERED = (b"content-type", JSON.encode())
_GONE = 0
_REPLAYED = (b"idempotent-replayed", b"true")


class Refusal(Protocol):
    """A response, itself an ASGI application."""

    status_code: int

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]: ...


class Scoring:
    """Answers what is sent to the path. `refusal` makes the response to what went wrong, given the request's id. Without a
    `tracer` nothing is traced."""

    def __init__(
        self,
        desk: Desk,
        most_bytes: int,
        refusal: Callable[[Exception, str], Refusal],
        meter: Meter,
        tracer: Tracer | None = None,
    ) -> None:
        self._desk = desk
        self._most = most_bytes
        self._refusal = refusal
        self._meter = meter
        self._tracer = tracer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        began, done = perf_counter(), _Done(_GONE)
        self._meter.began()
        try:
            done = await self._answer(scope, receive, send)
        finally:
            ended = perf_counter()
            self._meter.ended(ended - began)
            parent = _parent(scope) if self._tracer else ""
            if self._tracer and self._tracer.wants(done.status, parent):
                request_id, model = scope["state"]["request_id"], _model(scope["path"])
                self._tracer.tell(Traced.measured(request_id, model, done.status, parent, (began, ended), done.stages))
        if done.unexpected:
            raise done.unexpected  # its client was told; the server logs where it broke

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> "_Done":
        request_id, holder = scope["state"]["request_id"], scope["state"]["holder"]
        try:
            key = idempotency_key(scope["headers"])
            sent = await body(scope, receive, self._most)
            answer = await self._desk.answer(Ask(_model(scope["path"]), sent, request_id, key, holder))
        except Gone:
            return _Done(_GONE)
        except Exception as error:  # noqa: BLE001, whatever it is, the client is told and it is raised further on
            refusal = self._refusal(error, request_id)
            await refusal(scope, receive, send)
            return _Done(refusal.status_code, None if isinstance(error, PlatformError) else error)
        await _send(send, [_ANSWERED, _REPLAYED] if answer.replayed else [_ANSWERED], answer.response)
        return _Done(200, stages=answer.stages)


class _Done(NamedTuple):
    status: int
    unexpected: Exception | None = None
    stages: Mapping[str, tuple[float, float]] = MappingProxyType({})


class Shortcut:
    """Takes what asks for a score past the routing of the others."""

    def __init__(self, scoring: Application, others: Application) -> None:
        self._scoring = scoring
        self._others = others

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        asked = scope["type"] == "http" and scope["method"] == "POST" and _model(scope["path"]) and not brings_a_frame(scope)
        await (self._scoring if asked else self._others)(scope, receive, send)


def _parent(scope: Scope) -> str:
    return next((value.decode("latin-1") for name, value in scope["headers"] if name == b"traceparent"), "")


def _model(path: str) -> str:
    """Whom the scoring path asks; "" for any other path."""
    if not (path.startswith(_BEFORE) and path.endswith(_AFTER)):
        return ""
    name = path[len(_BEFORE) : -len(_AFTER)]
    return "" if "/" in name else name


async def _send(send: Send, headers: Sequence[Header], content: bytes) -> None:
    length = (b"content-length", str(len(content)).encode())
    await send({"type": "http.response.start", "status": 200, "headers": [*headers, length]})
    await send({"type": "http.response.body", "body": content})
