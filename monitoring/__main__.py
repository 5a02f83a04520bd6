"""`python -m monitoring`: open the viewer's door and say where it is."""

import socket
import sys
from contextlib import suppress

import uvicorn

from models.errors import PlatformError, Unavailable
from monitoring import wiring
from monitoring.console.app import console
from monitoring.console.numbers import add_metrics
from monitoring.telemetry.door import Counted, Observed
from monitoring.telemetry.logs import log_to_standard_error, no_trace
from monitoring.telemetry.tracing import untraced

LOOPBACK = ["localhost", "127.0.0.1", "[::1]"]


def main() -> int:
    try:
        settings = wiring.settings()
        tracing = wiring.tracing(settings)
        door = _listening(settings.host, settings.port)
    except PlatformError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    log_to_standard_error("console", settings.log_format, tracing.trace if tracing else no_trace, quiet=True)
    local = settings.host in {"localhost", "127.0.0.1", "::1"}
    app = console(wiring.sources(settings), hosts=LOOPBACK if local else ["*"])
    counted = Counted()
    add_metrics(app, wiring.numbers(settings, counted))
    where = f"[{settings.host}]" if ":" in settings.host else settings.host
    sys.stdout.write(f"The viewer of {settings.home} is at http://{where}:{door.getsockname()[1]}/  (stop it with Ctrl-C)\n")
    sys.stdout.flush()
    seen = Observed(app, counted, tracing or untraced)
    with suppress(KeyboardInterrupt):  # raised again by uvicorn after it ended in order
        uvicorn.Server(uvicorn.Config(seen, log_config=None, access_log=False)).run(sockets=[door])
    if tracing:
        tracing.close()
    return 0


def _listening(host: str, port: int) -> socket.socket:
    """Bound before the address is printed, so that what is printed is true."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        raise Unavailable(
            f"the viewer cannot listen on {host}:{port}: {error.strerror}", hint="choose another: STEWARD_MONITORING_PORT=8091"
        ) from error


if __name__ == "__main__":
    sys.exit(main())
