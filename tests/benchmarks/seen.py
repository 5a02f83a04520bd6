"""What it costs the service to be seen: metrics, access log and traces.

    make benchmark-seen                         (or python -m tests.benchmarks.seen --blocks 6 --rounds 25)

Services that differ in nothing else run side by side, each on a home of its own, copied from `STEWARD_HOME` (default `var`).
Two of them count nothing at all, which no setting allows; their difference is what this run cannot tell apart. In every round
each is asked for a moment by 16 clients while the others idle, in a new order. A busy minute of the machine hits all of them,
and what is compared is compared within a round. All start anew for every block of rounds: a process that happens to lie well
in memory stays faster until it ends.
Traces go to a collector on this machine that throws them away; its own processor time is not the service's.

Prints processor time a request and throughput: medians over the rounds, and how much more or less than the one that counts
nothing, with an interval of 95 % (bootstrap over blocks, and rounds within them). Exit code 1 if all
together cost more than 5 %.
"""

import argparse
import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from models.errors import PlatformError
from tests.benchmarks.serving.collector import collector
from tests.benchmarks.serving.load import ask, drive
from tests.benchmarks.serving.material import Material
from tests.benchmarks.serving.running import Running, Server
from tests.benchmarks.serving.servers import servers

CLIENTS, SCRAPES, EVERY = 16, 20, 15
"""`EVERY`: seconds between two looks of Prometheus, by its own default."""
ALLOWED = 0.05
NOTHING, AGAIN, ALL = "nothing", "nothing, again", "metrics, access log, traces"
EVERY_TRACE = "metrics, every request traced"

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Slice:
    """One moment of one service: microseconds of processor time a request, and requests a second."""

    processor: float
    per_second: float


Slices = Mapping[str, Sequence[Slice]]
Started = Mapping[str, tuple[Running, Sequence[bytes]]]
"""By what is seen: the service, and what it is asked."""


def variants(material: Material, port: int) -> list[Server]:
    plain = next(server for server in servers(material) if server.name == "steward")
    log = {"STEWARD_SERVING_ACCESS_LOG": "true"}
    traces = {"STEWARD_SERVING_TRACES": f"http://127.0.0.1:{port}/v1/traces"}
    blind = [sys.executable, "-m", "tests.benchmarks.serving.blind"]
    settings: dict[str, Mapping[str, str]] = {
        "metrics": {},
        "metrics, access log": log,
        "metrics, traces": traces,
        ALL: log | traces,
        EVERY_TRACE: traces | {"STEWARD_SERVING_TRACES_SHARE": "1"},
    }
    seeing = [replace(plain, name=name, environment={**plain.environment, **more}) for name, more in settings.items()]
    return [*(replace(plain, name=name, command=blind) for name in (NOTHING, AGAIN)), *seeing]


def measured(running: Started, order: np.random.Generator, *, rounds: int, seconds: float) -> Slices:
    """One block."""
    found: dict[str, list[Slice]] = {name: [] for name in running}
    names = list(running)
    for number in range(-2, rounds):  # the first ones warm them
        for place in order.permutation(len(names)):
            one, requests = running[names[place]]
            computed = processor_seconds(one)
            asked = drive(one.port, requests, clients=CLIENTS, seconds=seconds)
            computed = processor_seconds(one) - computed
            if asked.refused:
                raise RuntimeError(f"{names[place]}: {asked.refused} requests were refused")
            if number >= 0:
                found[names[place]].append(Slice(computed / len(asked.latencies) * 1e6, asked.per_second))
    return found


def more(of: Floats, than: Floats, rng: np.random.Generator) -> tuple[float, float, float]:
    """By which part `of` is more, round by round (blocks, rounds): the median, and its bootstrap interval of 95 %."""
    ratios = of / than - 1
    blocks, rounds = ratios.shape
    drawn = []
    for _ in range(2_000):
        each = ratios[rng.integers(blocks, size=blocks)]
        drawn.append(np.median(np.take_along_axis(each, rng.integers(rounds, size=each.shape), 1)))
    low, high = np.quantile(drawn, [0.025, 0.975])
    return float(np.median(ratios)), float(low), float(high)


def table(blocks: Sequence[Slices]) -> tuple[list[str], float]:
    """As Markdown; and by which part all of it makes a request dearer."""
    lines = [
        "| what is seen | processor, of a request | more than nothing | requests/s | less than nothing |",
        "|---|---|---|---|---|",
    ]
    rng, whole = np.random.default_rng(6), 0.0
    unseen = _figures(blocks, NOTHING)
    for name in blocks[0]:
        processor, rate = _figures(blocks, name)
        dearer, slower = more(processor, unseen[0], rng), more(unseen[1], rate, rng)
        cells = [_spread(processor, " us"), _part(dearer), _spread(rate, ""), _part(slower)]
        if name == NOTHING:
            cells[1] = cells[3] = ""
        lines.append(f"| {name} | {' | '.join(cells)} |")
        whole = dearer[0] if name == ALL else whole
    return lines, whole


def _figures(blocks: Sequence[Slices], name: str) -> tuple[Floats, Floats]:
    """Processor time and rate, each (blocks, rounds)."""
    return (
        np.array([[one.processor for one in block[name]] for block in blocks]),
        np.array([[one.per_second for one in block[name]] for block in blocks]),
    )


def _spread(values: Floats, unit: str) -> str:
    """Median, and the middle half in brackets."""
    low, middle, high = np.quantile(values, [0.25, 0.5, 0.75])
    return f"{middle:,.0f}{unit} ({low:,.0f} to {high:,.0f})"


def _part(values: tuple[float, float, float]) -> str:
    middle, low, high = (100 * value for value in values)
    return f"{middle:.1f} % ({low:.1f} to {high:.1f})"


def scrape(one: Running) -> float:
    """Seconds of processor time of one look of Prometheus."""
    request = f"GET /metrics HTTP/1.1\r\nHost: 127.0.0.1:{one.port}\r\n\r\n".encode()
    before = processor_seconds(one)
    for _ in range(SCRAPES):
        status, _body = ask(one.port, request)
        assert status == 200
    return (processor_seconds(one) - before) / SCRAPES


def processor_seconds(one: Running) -> float:
    """By the scheduler's own account, in nanoseconds: the usual one counts hundredths of a second, too coarse for a moment."""
    tasks = Path(f"/proc/{one.process.pid}/task").glob("*/schedstat")
    exact = sum(int(each.read_text().split()[0]) for each in tasks) / 1e9
    return exact or one.processor_seconds()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.seen", description="The cost of metrics, log and traces.")
    parser.add_argument("--home", type=Path, default=None, help="where the champion lies; default STEWARD_HOME or var")
    parser.add_argument("--blocks", type=int, default=6)
    parser.add_argument("--rounds", type=int, default=25, help="in each block")
    parser.add_argument("--seconds", type=float, default=0.25, help="of each service in each round")
    chosen = parser.parse_args()
    began, order = perf_counter(), np.random.default_rng(5)
    blocks, looks = [], []
    for number in range(chosen.blocks):
        print(f"block {number + 1} of {chosen.blocks}", file=sys.stderr, flush=True)
        with TemporaryDirectory(prefix="steward-seen-") as folder, ExitStack() as stack:
            try:
                running = started(chosen.home, Path(folder), stack)
            except PlatformError as error:
                print(error, file=sys.stderr)
                return 1
            blocks.append(measured(running, order, rounds=chosen.rounds, seconds=chosen.seconds))
            looks.append(scrape(running["metrics"][0]))
    lines, whole = table(blocks)
    print(f"{chosen.blocks} blocks of {chosen.rounds} rounds, {chosen.seconds:g} s for each, {CLIENTS} clients.\n")
    print("\n".join(lines))
    looked = float(np.median(looks))
    print(
        f"\nA look of Prometheus computes {looked * 1e3:.1f} ms: every {EVERY} s that is {looked / EVERY * 100:.2f} % of a core."
    )
    print(f"It took {perf_counter() - began:.0f} s.")
    return int(whole > ALLOWED)


def started(home: Path | None, folder: Path, stack: ExitStack) -> Started:
    port = stack.enter_context(collector())
    material = Material.gather(home, folder / "0")
    singles = [[record] for record in material.records]
    running = {}
    for place, server in enumerate(variants(material, port)):
        own = folder / str(place) / "home"
        if place:
            shutil.copytree(home or Path(os.environ.get("STEWARD_HOME", "var")), own)
        at_home = replace(server, environment={**server.environment, "STEWARD_HOME": str(own)})
        one = stack.enter_context(at_home.running(singles[0], folder / f"{place}.log"))
        running[server.name] = one, server.requests(one.port, singles)
    return running


if __name__ == "__main__":
    sys.exit(main())
