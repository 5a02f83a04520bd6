"""One worker: the application under uvicorn, from its first look at the release channel to its last answer."""

import asyncio
import json
import select
import shlex
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import cast

import uvicorn

from models.errors import PlatformError
from serving import wiring
from serving.app import Limits, scoring_app
from serving.door.connections import Connection, Patience
from serving.workers.collecting import settle

TAKE_UP = 0.25
"""Seconds that a stopping worker goes on accepting who has connected already, at most."""
BEAT = 1.0
"""Seconds between two signs of life."""
LINGER = 0.3
"""Seconds that a stopping worker goes on answering on open connections, each answer closing its own."""


def work(
    join: Callable[[], wiring.Service],
    door: socket.socket,
    limits: Limits,
    drain_seconds: int,
    say: Callable[[str], None],
    beat: Callable[[], None] | None = None,
) -> int:
    """Answer requests until told to stop. `say` hears once what to try, when requests are taken; `beat` from then on that the
    event loop turns.

    0: stopped when told to. 1: could not start, and the message says what to do.
    """
    try:
        service = join()
    except PlatformError as error:
        print(error, file=sys.stderr, flush=True)
        return 1
    parts = service.predictor, service.recorder, service.watcher, service.reviews
    app = scoring_app(
        *parts,
        limits,
        service.sight,
        service.close,
        service.store,
        register=service.register,
        shadowing=service.shadowing,
        frames=service.frames,
    )
    config = uvicorn.Config(
        app,
        http=cast("type[Connection]", partial(Connection, patience=Patience(limits.receive_seconds), lane=app.lane)),
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=limits.keep_alive_seconds,
        timeout_graceful_shutdown=drain_seconds,
    )
    host, port = door.getsockname()[:2]
    url = f"http://{f'[{host}]' if ':' in host else host}:{port}"

    def started() -> None:
        settle()
        say("\n".join(_welcome(url, service)))

    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with suppress(KeyboardInterrupt):  # uvicorn ends in order, and then raises again what told it to
        Draining(config, started, beat).run(sockets=[door])
    return 0


class Draining(uvicorn.Server):
    """Stops without breaking off: uvicorn alone closes a connection whose next request is under way already."""

    def __init__(self, config: uvicorn.Config, started: Callable[[], None], beat: Callable[[], None] | None = None) -> None:
        super().__init__(config)
        self._told = started
        self._beat = beat

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._told()
        self._show_that_it_turns()

    def _show_that_it_turns(self) -> None:
        if self._beat:
            self._beat()
            asyncio.get_running_loop().call_later(BEAT, self._show_that_it_turns)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Take nothing new, answer what comes on open connections and close each with its answer; then as uvicorn does."""
        for door in sockets or []:
            await _taken_up(door)
        for server in self.servers:
            server.close()
        for door in sockets or []:  # now: whoever connects is to be refused, and goes elsewhere, instead of waiting for nobody
            door.close()
        self.server_state.default_headers = [*self.server_state.default_headers, (b"connection", b"close")]
        with suppress(TimeoutError):
            async with asyncio.timeout(LINGER):
                await asyncio.sleep(0.01)  # some turns: who was accepted last is among the connections then
                while self.server_state.connections:
                    await asyncio.sleep(0.01)
        await super().shutdown(sockets)


async def _taken_up(door: socket.socket) -> None:
    """Until nobody is waiting to be accepted: whoever closes the address last resets them, with the requests they have sent."""
    waiting, quiet = select.poll(), False  # quiet for a turn: who was accepted in the one before has a connection now
    waiting.register(door, select.POLLIN)
    with suppress(TimeoutError):
        async with asyncio.timeout(TAKE_UP):
            while waiting.poll(0) or not quiet:
                quiet = not waiting.poll(0)
                await asyncio.sleep(0)


def _welcome(url: str, service: wiring.Service) -> list[str]:
    lines = [f"Serving at {url} (stop it with Ctrl-C)"]
    for name, model in service.predictor.models.items():
        body = shlex.quote(json.dumps(model.example()))
        lines += [
            f"  {name} version {model.pointer.version}, bundle {model.pointer.bundle[:12]}. Try:",
            f"  curl -s {url}/v1/models/{name}/score -H 'content-type: application/json' -d {body}",
        ]
    lines += [f"  {name} is stale: the release channel does not confirm it" for name in sorted(service.watcher.seen.stale)]
    if obstacle := service.watcher.obstacle():
        lines += [f"  not ready: {obstacle.problem}", f"  -> {obstacle.hint}; it is picked up without a restart"]
    return lines
