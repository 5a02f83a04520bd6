"""A server of the comparison in processes of its own: started, asked, and what it costs."""

import os
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, perf_counter, sleep

import psutil

from tests.benchmarks.serving.load import ask, post
from tests.benchmarks.serving.material import Record

PATIENCE = 120.0
"""Seconds until a server answers, at most."""


@dataclass(frozen=True)
class Server:
    """One competitor. `body` turns records into the body of a request, `said` an answer into probabilities."""

    name: str
    title: str
    command: Sequence[str]
    path: str
    body: Callable[[Sequence[Record]], bytes]
    said: Callable[[bytes], list[float]] | None
    environment: Mapping[str, str]
    batches: bool = True
    prepare: Callable[[int], object] = lambda _port: None  # what it needs before it is started on that port

    def requests(self, port: int, groups: Sequence[Sequence[Record]]) -> list[bytes]:
        return [post(port, self.path, self.body(group)) for group in groups]

    @contextmanager
    def running(self, probe: Sequence[Record], log: Path) -> Iterator["Running"]:
        """Started, and answering: the cold start is the time from the command to the first answer with 200."""
        port = _free_port()
        self.prepare(port)
        command = [part.format(port=port) for part in self.command]
        environment = os.environ | {name: value.format(port=port) for name, value in self.environment.items()}
        with log.open("wb") as said:
            began = perf_counter()
            process = subprocess.Popen(command, env=environment, stdout=said, stderr=said, start_new_session=True)
            try:
                self._await(process, port, probe, log)
                yield Running(port, perf_counter() - began, process)
            finally:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGTERM)
                try:
                    process.wait(20)
                except subprocess.TimeoutExpired:
                    os.killpg(process.pid, signal.SIGKILL)
                    process.wait()

    def _await(self, process: subprocess.Popen[bytes], port: int, probe: Sequence[Record], log: Path) -> None:
        (request,) = self.requests(port, [probe])
        deadline = monotonic() + PATIENCE
        while monotonic() < deadline and process.poll() is None:
            with suppress(OSError):
                if ask(port, request)[0] == 200:
                    return
            sleep(0.01)  # nobody tells when another's server begins to listen
        raise RuntimeError(f"{self.name} does not answer:\n{log.read_text()[-3_000:]}")


@dataclass(frozen=True)
class Running:
    port: int
    cold_start: float
    process: subprocess.Popen[bytes]

    def megabytes(self) -> float:
        """Memory of the process and all its children: proportional set size, so that shared pages count once."""
        return sum(_pss(each) for each in self._family()) / 2**20

    def processor_seconds(self) -> float:
        """Computed so far by the process and all its children, in user and in kernel mode."""
        return sum(sum(each.cpu_times()[:2]) for each in self._family())

    def _family(self) -> list[psutil.Process]:
        whole = psutil.Process(self.process.pid)
        return [whole, *whole.children(recursive=True)]


def _pss(process: psutil.Process) -> int:
    try:
        full = process.memory_full_info()
    except psutil.Error:
        return 0
    return int(getattr(full, "pss", full.uss))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
