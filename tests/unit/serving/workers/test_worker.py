"""How a worker stops."""

import socket
from typing import Any

import pytest
import uvicorn

from serving.workers.worker import Draining

REQUEST = b"GET / HTTP/1.1\r\nHost: test\r\n\r\n"


async def answering(scope: dict[str, Any], _: Any, send: Any) -> None:
    assert scope["type"] == "http"
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_who_has_connected_and_asked_before_a_worker_stops_is_answered(loop: Any) -> None:
    door = socket.create_server(("127.0.0.1", 0), backlog=64)
    address, clients = door.getsockname(), []

    def told_to_stop_with_clients_at_the_door() -> None:
        """None is accepted yet: the loop has had no turn since."""
        for _ in range(20):
            clients.append(socket.create_connection(address, timeout=10))
            clients[-1].sendall(REQUEST)
        server.should_exit = True

    config = uvicorn.Config(answering, loop=loop, lifespan="off", log_config=None, timeout_graceful_shutdown=5)
    server = Draining(config, told_to_stop_with_clients_at_the_door)
    server.run(sockets=[door])
    for client in clients:
        with client, client.makefile("rb") as answer:
            assert answer.read().startswith(b"HTTP/1.1 200 ")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(address, timeout=10)
