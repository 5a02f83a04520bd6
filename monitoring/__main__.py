"""`python -m monitoring`: open the console's door and say where it is."""

import socket
import sys
from collections.abc import Iterable
from contextlib import suppress
from ipaddress import IPv4Network, IPv6Network
from typing import Any

import uvicorn

from models.errors import PlatformError, Unavailable
from monitoring import wiring
from monitoring.console.app import console
from monitoring.console.numbers import add_metrics
from monitoring.telemetry.door import Counted, Observed
from monitoring.telemetry.logs import log_to_standard_error, no_trace
from monitoring.telemetry.tracing import untraced
from monitoring.wiring import opening


def main() -> int:
    try:
        settings = wiring.settings()
        guard, door = opening.guard(settings), opening.door(settings)
        tracing = wiring.tracing(settings)
        listening = _listening(settings.host, settings.port)
    except PlatformError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    log_to_standard_error("console", settings.log_format, tracing.trace if tracing else no_trace, quiet=True)
    app = console(wiring.sources(settings), guard, door)
    counted = Counted()
    add_metrics(app, wiring.numbers(settings, counted))
    where = f"[{settings.host}]" if ":" in settings.host else settings.host
    who = f"as {guard.local.name}" if guard.local else "people sign in"
    place = f"http://{where}:{listening.getsockname()[1]}/"
    sys.stdout.write(f"The console of {settings.home} is at {place}  ({who}; stop it with Ctrl-C)\n")
    sys.stdout.flush()
    seen = Observed(app, counted, tracing or untraced)
    with suppress(KeyboardInterrupt):  # raised again by uvicorn after it ended in order
        uvicorn.Server(configured(seen, settings.proxies)).run(sockets=[listening])
    if tracing:
        tracing.close()
    return 0


def configured(app: Any, proxies: Iterable[IPv4Network | IPv6Network]) -> uvicorn.Config:
    """The application is told where a request came from by a proxy whose word counts."""
    return uvicorn.Config(app, forwarded_allow_ips=[str(network) for network in proxies], log_config=None, access_log=False)


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
