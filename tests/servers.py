"""The real server around an application, in a thread of the test."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from threading import Event, Thread
from typing import Any, cast

import uvicorn

from serving.door.connections import Connection, Patience
from serving.door.envelope import Application


class Server(uvicorn.Server):
    """Tells when it takes requests."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.taking = Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.taking.set()


@contextmanager
def serving(app: Application, patience: Patience, keep_alive_seconds: int = 65) -> Iterator[int]:
    """The port, as long as it is served; with the application's express lane, if it has one."""
    protocol = cast("type[Connection]", partial(Connection, patience=patience, lane=getattr(app, "lane", None)))
    quiet: dict[str, Any] = {"log_config": None, "access_log": False, "server_header": False}
    config = uvicorn.Config(app, http=protocol, ws="none", timeout_keep_alive=keep_alive_seconds, **quiet)
    server = Server(config)
    with socket.create_server(("127.0.0.1", 0)) as door:
        thread = Thread(target=server.run, kwargs={"sockets": [door]})
        thread.start()
        server.taking.wait()
        try:
            yield door.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join()
