"""Spark for tests and benchmarks: a session of this process, and a cluster of this machine's processes.

CI has it and Java; elsewhere a test is skipped where one is missing.
"""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.stores import free_ports

if TYPE_CHECKING:
    from models.adapters.spark_session import Spark

CI = os.environ.get("CI") == "true"
WORKERS, CORES, PATIENCE = 2, 1, 120.0


@contextmanager
def running(spill: Path, master: str = "local[2]") -> Iterator["Spark"]:
    """One session at a time in a process: it ends with the context."""
    skip_without()
    from models.adapters.spark_session import Spark

    made = Spark(master, spill)
    yield made
    made.close()


def skip_without() -> None:
    missing = [name for name, there in {"pyspark": find_spec("pyspark"), "java": shutil.which("java")}.items() if not there]
    if missing and not CI:
        pytest.skip(f"{' and '.join(missing)} not there: make spark-setup")


@contextmanager
def cluster(folder: Path, settings: Path | None = None) -> Iterator[str]:
    """The address of a standalone cluster: Spark's own master and two workers of a core each. It ends with the context.

    `settings` is the folder of its `spark-defaults.conf`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    master, page, *doors = free_ports(2 + 2 * WORKERS)
    url = f"spark://127.0.0.1:{master}"
    with ExitStack() as started:
        own = ["--port", str(master), "--webui-port", str(page)]
        first = _daemon(started, folder, "master", ["master.Master", *own], settings)
        _await(first, page, 0, folder)
        for number in range(WORKERS):
            port, shown = doors[2 * number : 2 * number + 2]
            given = ["--cores", str(CORES), "--memory", "2g", "--port", str(port), "--webui-port", str(shown)]
            name = f"worker-{number}"
            _daemon(started, folder, name, ["worker.Worker", *given, "--work-dir", str(folder / name), url], settings)
        _await(first, page, WORKERS, folder)
        yield url


def _daemon(
    started: ExitStack, folder: Path, name: str, given: Sequence[str], settings: Path | None
) -> "subprocess.Popen[bytes]":
    """As `sbin/start-master.sh` and `start-worker.sh` start it, which the wheel does not carry."""
    import pyspark

    home = Path(pyspark.__file__).parent
    command = [str(home / "bin" / "spark-class"), f"org.apache.spark.deploy.{given[0]}", "--host", "127.0.0.1", *given[1:]]
    log = started.enter_context((folder / f"{name}.log").open("wb"))
    own = {
        **os.environ,
        "SPARK_HOME": str(home),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "SPARK_LOCAL_DIRS": str((folder / name).absolute()),
        **({"SPARK_CONF_DIR": str(settings)} if settings else {}),
    }
    process = subprocess.Popen(command, stdout=log, stderr=log, env=own)
    started.callback(_ended, process)
    return process


def _ended(process: "subprocess.Popen[bytes]") -> None:
    """Asked first: a worker takes its executors along."""
    process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _await(master: "subprocess.Popen[bytes]", page: int, workers: int, folder: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            found = httpx.get(f"http://127.0.0.1:{page}/json/", timeout=5, trust_env=False, follow_redirects=True).json()
            if found["aliveworkers"] >= workers:
                return
        except (httpx.HTTPError, ValueError):
            pass
        told = "\n".join(log.read_text()[-2_000:] for log in sorted(folder.glob("*.log")))
        assert master.poll() is None, told
        assert time.monotonic() < deadline, told
        Event().wait(0.2)
