"""`python -m monitoring`: open the console's door and say where it is."""

import socket
import sys

import uvicorn

from models.errors import PlatformError, Unavailable
from monitoring import wiring
from monitoring.console.app import console
from monitoring.wiring import opening


def main() -> int:
    try:
        settings = wiring.settings()
        guard, door = opening.guard(settings), opening.door(settings)
        listening = _listening(settings.host, settings.port)
    except PlatformError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    app = console(wiring.sources(settings), guard, door)
    where = f"[{settings.host}]" if ":" in settings.host else settings.host
    who = f"as {guard.local.name}" if guard.local else "people sign in"
    place = f"http://{where}:{listening.getsockname()[1]}/"
    sys.stdout.write(f"The console of {settings.home} is at {place}  ({who}; stop it with Ctrl-C)\n")
    sys.stdout.flush()
    uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False)).run(sockets=[listening])
    return 0


def _listening(host: str, port: int) -> socket.socket:
    """Bound before the address is printed, so that what is printed is true."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        raise Unavailable(
            f"the console cannot listen on {host}:{port}: {error.strerror}", hint="choose another: STEWARD_MONITORING_PORT=8091"
        ) from error


if __name__ == "__main__":
    sys.exit(main())
