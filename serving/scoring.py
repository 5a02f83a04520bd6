"""The scoring path, as plain ASGI (spec 2.3): a framework's routing and requests would cost more than the decision."""

from collections.abc import Callable, Sequence

from models.errors import PlatformError
from serving.answering import Desk
from serving.answers import Ask
from serving.bodies import Gone, Header, body, idempotency_key
from serving.documents import JSON
from serving.envelope import Application, Receive, Scope, Send

PATH = "/v1/models/{model}/score"

_BEFORE, _AFTER = PATH.split("{model}")
_ANSWERED = (b"content-type", JSON.encode())
_REPLAYED = (b"idempotent-replayed", b"true")


class Scoring:
    """Answers what is sent to the path. `refusal` makes the response to what went wrong, given the request's id."""

    def __init__(self, desk: Desk, most_bytes: int, refusal: Callable[[Exception, str], Application]) -> None:
        self._desk = desk
        self._most = most_bytes
        self._refusal = refusal

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request_id = scope["state"]["request_id"]
        try:
            key = idempotency_key(scope["headers"])
            sent = await body(scope, receive, self._most)
            answer = await self._desk.answer(Ask(_model(scope["path"]), sent, request_id, key))
        except Gone:
            return
        except Exception as error:
            await self._refusal(error, request_id)(scope, receive, send)
            if isinstance(error, PlatformError):
                return
            raise  # the server logs where it broke
        await _send(send, [_ANSWERED, _REPLAYED] if answer.replayed else [_ANSWERED], answer.response)


class Shortcut:
    """Takes what asks for a score past the routing of the others."""

    def __init__(self, scoring: Application, others: Application) -> None:
        self._scoring = scoring
        self._others = others

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        asked = scope["type"] == "http" and scope["method"] == "POST" and _model(scope["path"])
        await (self._scoring if asked else self._others)(scope, receive, send)


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
