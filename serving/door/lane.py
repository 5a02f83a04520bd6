"""What a connection needs to know of an express lane, and what uvicorn wants to know of a request in it."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from serving.door.bodies import Header

Reply = Callable[[int, Sequence[Header], bytes, str], None]
"""Status, headers, body and the id that is echoed."""


class Lane(Protocol):
    """Takes small requests past tasks and the framework; see `serving.protocols.express`."""

    def head(self, method: bytes, url: bytes, headers: Sequence[Header]) -> Any:
        """None for a request that is not for it."""
        ...

    def take(self, head: Any, body: bytes, reply: Reply, gone: Callable[[], bool]) -> bool:
        """Whether it is accepted; then `reply` is called once, unless the client is gone. Otherwise nothing has happened."""
        ...


class Answering(Protocol):
    """A connection on which an errand is answered."""

    transport: asyncio.Transport

    def reply(self, errand: "Errand", status: int, headers: Sequence[Header], body: bytes, echo: str) -> None: ...


class Small:
    """A request for the lane, whose body is still to come."""

    __slots__ = ("body", "head", "lane")

    def __init__(self, lane: Lane, head: Any) -> None:
        self.lane = lane
        self.head = head
        self.body = bytearray()


class Errand:
    """A request in the lane, with what uvicorn wants to know of one that is under way."""

    __slots__ = (
        "_connection",
        "body",
        "disconnected",
        "keep_alive",
        "message_event",
        "more_body",
        "response_complete",
        "response_started",
    )

    def __init__(self, connection: Answering) -> None:
        self._connection = connection
        self.body = b""
        self.disconnected = self.more_body = self.response_started = self.response_complete = False
        self.keep_alive = True
        self.message_event = _UNHEARD

    def gone(self) -> bool:
        """Also if another request came behind it: uvicorn tells only the last one."""
        return self.disconnected or self._connection.transport.is_closing()

    def reply(self, status: int, headers: Sequence[Header], body: bytes, echo: str) -> None:
        self._connection.reply(self, status, headers, body, echo)


class _Unheard:
    """An event that nobody waits for."""

    def set(self) -> None: ...


_UNHEARD = _Unheard()
