"""`python -m serving`: answer over HTTP with the champions of the release channel."""

import argparse
import os
import socket
import sys
from contextlib import suppress
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from models.errors import PlatformError, Unavailable
from monitoring.telemetry.logs import log_to_standard_error
from serving import wiring
from serving.app import Limits
from serving.workers.crew import Crew
from serving.workers.worker import work


def main() -> int:
    """0: stopped when told to. 1: could not start, and the message says what to do. 2: misused."""
    about = "Answer over HTTP with the champions of the release channel."
    argparse.ArgumentParser(prog="python -m serving", description=about, epilog="Settings: see serving/settings.py").parse_args()
    try:
        settings = wiring.settings()
        log_to_standard_error("serving", settings.log_format)
        door = _listening(settings.host, settings.port)
    except PlatformError as error:
        print(error, file=sys.stderr)
        return 1
    limits = Limits(
        settings.max_body_bytes, settings.poll_seconds, settings.bounds, settings.receive_seconds, settings.keep_alive_seconds
    )
    if settings.workers == 1 and not settings.supervised:
        return work(partial(wiring.service, settings), door, limits, settings.drain_seconds, say)
    with TemporaryDirectory(prefix="steward-workers-") as numbers:
        answer = partial(work, partial(wiring.service, settings, Path(numbers)), door, limits, settings.drain_seconds)
        replaced = wiring.replaced(Path(numbers))
        return Crew(settings.workers, answer, say, settings.drain_seconds, door.close, settings.silent_seconds, replaced).run()


def say(text: str) -> None:
    with suppress(OSError):  # nobody reads any more, or the disk is full: that ends no service
        wiring.to_standard_output(f"{text}\n")


def _listening(host: str, port: int) -> socket.socket:
    """Bound before anything is said, so that what is said is true. Workers share it: a port taken twice is an error."""
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET, backlog=2048)
    except OSError as error:
        raise Unavailable(
            f"cannot listen on {host}:{port}: {os.strerror(error.errno or 0)}",
            hint="stop what listens there, or choose another port: STEWARD_SERVING_PORT=8081",
        ) from error


if __name__ == "__main__":
    sys.exit(main())
