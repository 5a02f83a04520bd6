"""One connection: which requests it gives to the lane, and when it ends."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState

from serving.door.bodies import Header
from serving.door.connections import Connection, Patience
from serving.door.lane import Reply

REQUEST = b"POST /score HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{}"


class Wire(asyncio.Transport):
    """A transport whose other side takes everything."""

    def __init__(self) -> None:
        super().__init__()
        self.written, self.closed = b"", False

    def write(self, data: Any) -> None:
        self.written += data

    def close(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...


class Lane:
    """Takes every request, and answers when it is told to."""

    def __init__(self) -> None:
        self.replies: list[Reply] = []

    def head(self, method: bytes, url: bytes, headers: Sequence[Header]) -> Any:
        return "head"

    def take(self, head: Any, body: bytes, reply: Reply, gone: Callable[[], bool]) -> bool:
        self.replies.append(reply)
        return True

    def answer(self) -> None:
        self.replies[-1](200, (), b"by the lane", "id")


async def long_way(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"12")]})
    await send({"type": "http.response.body", "body": b"the long one"})


def connected(lane: Lane) -> tuple[Connection, Wire]:
    """Within a running loop."""
    config = uvicorn.Config(long_way, log_config=None, access_log=False)
    connection, wire = Connection(config, ServerState(), {}, patience=Patience(20.0), lane=lane), Wire()
    connection.connection_made(wire)
    return connection, wire


async def turns() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


def test_whoever_does_not_take_his_answers_goes_the_long_way_which_waits_for_him() -> None:
    async def asked() -> None:
        lane = Lane()
        connection, wire = connected(lane)
        connection.pause_writing()
        connection.data_received(REQUEST)
        await turns()
        assert (lane.replies, wire.written) == ([], b"")  # it would have been answered into a buffer that only grows
        connection.resume_writing()
        await turns()
        assert wire.written.endswith(b"the long one")
        connection.data_received(REQUEST)
        lane.answer()
        assert wire.written.endswith(b"by the lane")

    asyncio.run(asked())


def test_what_is_in_the_lane_when_the_service_stops_is_answered_and_then_its_connection_ends() -> None:
    async def asked() -> None:
        lane = Lane()
        connection, wire = connected(lane)
        connection.data_received(REQUEST)
        connection.shutdown()
        assert not wire.closed
        lane.answer()
        assert wire.written.endswith(b"by the lane")
        assert wire.closed

    asyncio.run(asked())


def test_what_is_answered_while_nothing_stops_leaves_its_connection_open() -> None:
    async def asked() -> None:
        lane = Lane()
        connection, wire = connected(lane)
        for _ in range(2):
            connection.data_received(REQUEST)
            lane.answer()
        assert wire.written.count(b"by the lane") == 2
        assert not wire.closed
        connection.connection_lost(None)

    asyncio.run(asked())


def refused(head: bytes) -> bytes:
    """The status of what is written at once; nothing if the lane has it, or the long way."""

    async def asked() -> bytes:
        connection, wire = connected(Lane())
        connection.data_received(head)
        return wire.written[9:12]

    return asyncio.run(asked())


@pytest.mark.parametrize("host", [b"a b", b"a,b", b"evil/..", b"\x80", b"a\xe4", b"a@b", b"a:b", b"[::1", b"a:80:80", b"<x>"])
def test_what_is_no_host_is_refused(host: bytes) -> None:
    assert refused(b"GET /ping HTTP/1.1\r\nhost: " + host + b"\r\n\r\n") == b"400"


@pytest.mark.parametrize("host", [b"", b"x", b"a-b_c.example:8080", b"127.0.0.1:1", b"[::1]:8080", b"[::ffff:1.2.3.4]", b"A:"])
def test_what_is_one_is_not(host: bytes) -> None:
    assert refused(b"GET /ping HTTP/1.1\r\nhost: " + host + b"\r\n\r\n") == b""


@pytest.mark.parametrize(
    ("version", "status"),
    [(b"1.1", b""), (b"1.0", b""), (b"0.9", b"505"), (b"2.0", b"505"), (b"1.2", b"400"), (b"3.0", b"400"), (b"11.1", b"400")],
)
def test_two_versions_of_http_are_spoken(version: bytes, status: bytes) -> None:
    assert refused(b"GET /ping HTTP/" + version + b"\r\nhost: x\r\n\r\n") == status
