"""`python -m serving`: answer over HTTP with the champions of the release channel."""

import argparse
import json
import logging
import os
import shlex
import socket
import sys
from contextlib import suppress

import uvicorn

from models.errors import PlatformError, Unavailable
from serving import wiring
from serving.app import Limits, scoring_app


def main() -> int:
    """0: stopped when told to. 1: could not start, and the message says what to do. 2: misused."""
    about = "Answer over HTTP with the champions of the release channel."
    argparse.ArgumentParser(prog="python -m serving", description=about, epilog="Settings: see serving/settings.py").parse_args()
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("steward").setLevel(logging.INFO)
    try:
        settings = wiring.settings()
        service = wiring.service(settings)
        door = _listening(settings.host, settings.port)
    except PlatformError as error:
        print(error, file=sys.stderr)
        return 1
    limits = Limits(settings.max_body_bytes, settings.poll_seconds)
    parts = service.predictor, service.recorder, service.watcher, service.reviews
    beside = service.tracer, service.access, service.store
    app = scoring_app(*parts, limits, service.exposed, service.close, *beside)
    config = uvicorn.Config(
        app, log_config=None, access_log=False, server_header=False, timeout_graceful_shutdown=settings.drain_seconds
    )
    with suppress(KeyboardInterrupt):  # raised again by uvicorn after it ended in order
        Announcing(config, door, service).run(sockets=[door])
    return 0


class Announcing(uvicorn.Server):
    """Says where it is and what to try, once requests are taken."""

    def __init__(self, config: uvicorn.Config, door: socket.socket, service: wiring.Service) -> None:
        super().__init__(config)
        self._door = door
        self._service = service

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        host, port = self._door.getsockname()[:2]
        print("\n".join(_welcome(f"http://{f'[{host}]' if ':' in host else host}:{port}", self._service)), flush=True)


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


def _listening(host: str, port: int) -> socket.socket:
    """Bound before anything is said, so that what is said is true."""
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET, backlog=2048)
    except OSError as error:
        raise Unavailable(
            f"cannot listen on {host}:{port}: {os.strerror(error.errno or 0)}",
            hint="stop what listens there, or choose another port: STEWARD_SERVING_PORT=8081",
        ) from error


if __name__ == "__main__":
    sys.exit(main())
