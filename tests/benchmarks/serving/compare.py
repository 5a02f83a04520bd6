"""The rounds, and the table of what they gave."""

import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tests.benchmarks.serving.load import ask, drive
from tests.benchmarks.serving.material import BATCH, Material
from tests.benchmarks.serving.running import Server

CLIENTS = 16
EQUAL = 1e-5
"""By which a peer's probabilities may differ; Steward's are the graph's, rounded as the policy says."""


@dataclass(frozen=True)
class Round:
    """What one server did in one round. Times in milliseconds; `processor` is the microseconds that all of its processes
    computed for a request of 16 clients. `batch` is nan where records come one by one."""

    alone: float
    p50: float
    p95: float
    p99: float
    per_second: float
    processor: float
    batch: float
    cold_start: float
    megabytes: float


Rounds = Mapping[str, Sequence[Round]]


def compare(competing: Sequence[Server], material: Material, *, rounds: int, seconds: float) -> Rounds:
    found: dict[str, list[Round]] = defaultdict(list)
    order = np.random.default_rng(2)
    for number in range(rounds):
        for place in order.permutation(len(competing)):
            server = competing[place]
            print(f"round {number + 1} of {rounds}: {server.name}", file=sys.stderr, flush=True)
            found[server.name].append(measured(server, material, seconds))
    return {server.name: found[server.name] for server in competing}


def measured(server: Server, material: Material, seconds: float) -> Round:
    singles = [[record] for record in material.records]
    with server.running(singles[0], material.home.parent / f"{server.name}.log") as running:
        port = running.port
        _check(server, port, material)
        requests = server.requests(port, singles)
        drive(port, requests, clients=CLIENTS, seconds=min(1.0, seconds))
        alone = drive(port, requests, clients=1, seconds=seconds)
        computed = running.processor_seconds()
        many = drive(port, requests, clients=CLIENTS, seconds=seconds)
        computed = running.processor_seconds() - computed
        batch = float("nan")
        if server.batches:
            groups = [material.records[start : start + BATCH] for start in range(0, len(material.records), BATCH)]
            batch = drive(port, server.requests(port, groups), clients=1, seconds=seconds).milliseconds(50)
        if refused := alone.refused + many.refused:
            raise RuntimeError(f"{server.name} refused {refused} requests")
        p50, p95, p99 = (many.milliseconds(share) for share in (50, 95, 99))
        return Round(
            alone=alone.milliseconds(50),
            p50=p50,
            p95=p95,
            p99=p99,
            per_second=many.per_second,
            processor=computed / len(many.latencies) * 1e6,
            batch=batch,
            cold_start=running.cold_start,
            megabytes=running.megabytes(),
        )


def _check(server: Server, port: int, material: Material) -> None:
    """That it scores with the same model."""
    if server.said is None:
        return
    for record, expected in list(zip(material.records, material.probabilities, strict=True))[:50]:
        (request,) = server.requests(port, [[record]])
        status, answer = ask(port, request)
        if status != 200 or abs(server.said(answer)[0] - expected) > EQUAL:
            raise RuntimeError(f"{server.name} answers {status} {answer[:200]!r}, expected {expected}")


def table(found: Rounds, titles: Mapping[str, str], material: Material, *, rounds: int, seconds: float) -> str:
    """Medians over the rounds with the lowest and highest, and ratios to Steward's."""
    lines = [
        f"{rounds} rounds, {seconds:g} s a measurement, {len(material.records):,} records, bundle {material.bundle[:12]}.",
        "",
        "| server | p50, 1 client | 16 clients | p95 | p99 | requests/s | processor | batch of 1,000 | cold start | memory |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for name, each in found.items():
        cells = [
            _cell([one.alone for one in each], "ms"),
            _cell([one.p50 for one in each], "ms"),
            _cell([one.p95 for one in each], "ms"),
            _cell([one.p99 for one in each], "ms"),
            _cell([one.per_second for one in each], ""),
            _cell([one.processor for one in each], "us"),
            _cell([one.batch for one in each], "ms"),
            _cell([one.cold_start for one in each], "s"),
            _cell([one.megabytes for one in each], "MB"),
        ]
        lines.append(f"| {titles[name]} | {' | '.join(cells)} |")
    return "\n".join([*lines, *_ratios(found, titles)])


def _ratios(found: Rounds, titles: Mapping[str, str]) -> list[str]:
    if "steward" not in found or len(found) < 2:
        return []
    ours = found["steward"]
    lines = ["", "| Steward against | requests/s | batch of 1,000 |", "|---|---|---|"]
    for name, theirs in found.items():
        if name != "steward":
            faster = [a.per_second / b.per_second for a, b in zip(ours, theirs, strict=True)]
            batch = [b.batch / a.batch for a, b in zip(ours, theirs, strict=True)]
            lines.append(f"| {titles[name]} | {_cell(faster, 'x')} | {_cell(batch, 'x')} |")
    tail = [one.p99 / one.p50 for one in ours]
    return [*lines, "", f"p99 is {_cell(tail, 'x')} the p50 at {CLIENTS} clients."]


def _cell(values: Sequence[float], unit: str) -> str:
    """Median, and the range in brackets."""
    if np.isnan(values).any():
        return ""
    low, middle, high = min(values), float(np.median(values)), max(values)
    return f"{_number(middle)}{f' {unit}' if unit else ''} ({_number(low)} to {_number(high)})"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
