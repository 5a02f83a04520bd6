"""The Prefect API of the embedded default: a child process that ends with its parent, one per `home`.

It is started before anything heavy is imported, so that its start hides behind our own. If `PREFECT_API_URL` is set,
or a server of the same home already runs (`make schedule`), that one is used.
"""

import os
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from models.errors import Unavailable
from pipelines.adapters import templates

START_SECONDS = 120.0
_HEALTH = "/health"
TOOL, DATABASE = "prefect", "prefect.db"

# The services that notice late runs and record task runs stay; what needs the network or nobody reads is off.
_ENVIRONMENT = {
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "DO_NOT_TRACK": "true",
    "PREFECT_CLI_PROMPT": "false",
    "PREFECT_LOGGING_LEVEL": "WARNING",
    "PREFECT_LOGGING_EXTRA_LOGGERS": "steward",  # our lines stand on its page of the run, too
    "PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW": "ignore",
    "PREFECT_LOGGING_SERVER_LEVEL": "ERROR",
    "PREFECT_SERVER_SERVICES_TRIGGERS_ENABLED": "false",
    "PREFECT_SERVER_LOGGING_LEVEL": "ERROR",
}


@dataclass(frozen=True)
class Api:
    """Where Prefect's API is, or will soon be."""

    url: str

    def await_ready(self, seconds: float = START_SECONDS) -> None:
        """Raises `Unavailable` if the API does not answer in time."""
        deadline = time.monotonic() + seconds
        while not _healthy(self.url):
            if time.monotonic() > deadline:
                raise Unavailable(
                    f"Prefect's API at {self.url} does not answer",
                    hint="see prefect/server.log below the home folder; unset PREFECT_API_URL to use a local one",
                )
            threading.Event().wait(0.1)


def api_url() -> str:
    """Where the API is that this process uses, "" if there is none."""
    return os.environ.get("PREFECT_API_URL", "")


@contextmanager
def prefect_api(home: Path, *, port: int = 0, ui: bool = False) -> Iterator[Api]:
    """The API, perhaps still starting; sets the environment that `import prefect` reads, so enter it before that import."""
    os.environ["PREFECT_HOME"] = str((home / "prefect").resolve())
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    if url := os.environ.get("PREFECT_API_URL") or _running(home):
        os.environ["PREFECT_API_URL"] = url
        yield Api(url)
        return
    child, url = _start(home, port or _free_port(), ui=ui)
    os.environ["PREFECT_API_URL"] = url
    if ui:
        _address(home).write_text(url)  # a long-running server may be shared; that of a single command ends with it
    try:
        yield Api(url)
    finally:
        del os.environ["PREFECT_API_URL"]
        if ui:
            _address(home).unlink(missing_ok=True)
        if child.stdin is not None:
            child.stdin.close()  # the child ends when this pipe does, also if we are killed
        child.wait(timeout=30)


def _start(home: Path, port: int, *, ui: bool) -> tuple[subprocess.Popen[bytes], str]:
    folder = home / "prefect"
    folder.mkdir(parents=True, exist_ok=True)
    templates.begin(TOOL, folder / DATABASE)
    url = f"http://127.0.0.1:{port}/api"
    environment = {name: value for name, value in os.environ.items() if name != "PREFECT_API_URL"}
    environment["PREFECT_UI_ENABLED"] = str(ui).lower()
    environment["PREFECT_UI_API_URL"] = url
    with (folder / "server.log").open("ab") as log:
        command = [sys.executable, "-m", "pipelines.adapters.prefect_server", str(port)]
        # In a session of its own: a terminal's ctrl-c is for us, who still need the server to end in order.
        child = subprocess.Popen(  # noqa: S603
            command, stdin=subprocess.PIPE, stdout=log, stderr=log, env=environment, start_new_session=True
        )
    return child, url


def _address(home: Path) -> Path:
    return home / "prefect" / "server.url"


def _running(home: Path) -> str | None:
    if _address(home).exists() and _healthy(url := _address(home).read_text().strip()):
        return url
    return None


def _healthy(url: str) -> bool:
    try:
        with urllib.request.urlopen(url + _HEALTH, timeout=5) as answer:  # noqa: S310
            return bool(answer.status == 200)
    except (urllib.error.URLError, TimeoutError, ConnectionError):
        return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def make_template() -> None:
    """Migrate an empty database once for this environment: that takes longer than starting the server."""
    from prefect.server.database import provide_database_interface
    from prefect.utilities.asyncutils import run_coro_as_sync

    run_coro_as_sync(provide_database_interface().create_db())


def _keep_template() -> None:
    with TemporaryDirectory() as folder:
        environment = os.environ | _ENVIRONMENT | {"PREFECT_HOME": folder}
        command = [sys.executable, "-c", "from pipelines.adapters.prefect_server import make_template; make_template()"]
        subprocess.run(command, env=environment, check=True)  # noqa: S603
        templates.keep(TOOL, Path(folder) / DATABASE)


def _serve(port: int) -> None:
    import uvicorn
    from prefect.server.api.server import create_app

    threading.Thread(target=_end_with_parent, daemon=True).start()
    uvicorn.run(create_app(), host="127.0.0.1", port=port, log_level="error", lifespan="on")


def _end_with_parent() -> None:
    sys.stdin.buffer.read()
    os._exit(0)


if __name__ == "__main__":
    if sys.argv[1] == "template":
        _keep_template()
    else:
        _serve(int(sys.argv[1]))
