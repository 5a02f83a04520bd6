"""Time and memory of this process and of all below it."""

import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from time import perf_counter

from tests.benchmarks import monitoring

Figures = dict[str, float]


@contextmanager
def measured() -> Iterator[Figures]:
    """Seconds by the clock and of the processor, and gigabytes that were held at most, children's too."""
    told: Figures = {"before": resident()}
    began, cpu = perf_counter(), _cpu()
    yield told
    told |= {"seconds": perf_counter() - began, "cpu": _cpu() - cpu, "load": os.getloadavg()[0]}
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20
    told["peak"] = monitoring.high_water() + children + sum(map(_held, _living(os.getpid())))


def _cpu() -> float:
    """Spark's Java and Python are children that live on: they are asked while they do."""
    own = os.times()
    return own.user + own.system + own.children_user + own.children_system + sum(map(_spent, _living(os.getpid())))


def _living(parent: int) -> Iterator[int]:
    """The processes below one, all the way down."""
    for child in map(int, _children(Path(f"/proc/{parent}/task")).split()):
        yield child
        yield from _living(child)


def _children(tasks: Path) -> str:
    """As each thread has them; of none, if the process ended."""
    with suppress(FileNotFoundError, ProcessLookupError):
        return " ".join(_told(task / "children") for task in list(tasks.iterdir()))
    return ""


def _spent(process: int) -> float:
    """Processor seconds, those of its ended children too."""
    fields = _told(Path(f"/proc/{process}/stat")).rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


def _held(process: int) -> float:
    """Gigabytes at most."""
    lines = _told(Path(f"/proc/{process}/status")).splitlines()
    return next((int(line.split()[1]) for line in lines if line.startswith("VmHWM")), 0) / 2**20


def _told(path: Path) -> str:
    """What the system says of a thread or process; nothing of one that ended while it was asked."""
    try:
        return path.read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def resident() -> float:
    """Gigabytes that this process holds now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**30
