"""How many records one core decides in process, from the bytes of a batch to its actions, and what telling of a request costs.

    python -m tests.benchmarks.in_process

Reads the champion of `STEWARD_HOME` (default `var`) and real accounts of its newest month. A batch goes through the same check,
graph and rule as a request: without reasons, ids, seals and log, which are measured over HTTP (`make bench-serving`). The process
is held to one core where the system can do that. Prints medians over the repeats, with the range.
"""

import asyncio
import json
import os
import sys
from collections.abc import Callable, Sequence
from datetime import date
from functools import partial
from operator import itemgetter
from pathlib import Path
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from models.adapters.onnx_runtime import OnnxScorer
from models.bundle import Bundle
from models.clock import Month
from models.contract import Contract
from models.credit_default import USE_CASE
from models.governance.doubt.rule import Rule
from monitoring.decisions import LoggedDecision
from serving.adapters.otlp import OtlpTracer
from serving.answers.checking import Checker, Record
from serving.telemetry.access import AccessLog
from serving.telemetry.metering import DECIDE, RECORD, Meter
from serving.telemetry.tracing import Traced
from serving.workers.collecting import settle
from tests.benchmarks.reasons import champion
from tests.benchmarks.serving.collector import collector
from tests.bundles import NOW

TARGET = 150_000
"""Records a second."""
BATCH, REPEATS, REQUESTS = 10_000, 15, 20_000
TRACED = REQUESTS // 5
"""So few that the spans have room until they are sent."""
SHARE, LINES = 0.01, 800
"""Of the requests that are traced by default; lines of the access log written at a time."""


def seconds(act: Callable[[], object]) -> list[float]:
    taken = []
    for _ in range(REPEATS):
        began = perf_counter()
        act()
        taken.append(perf_counter() - began)
    return taken


def main() -> int:
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    bundle = champion(Path(os.environ.get("STEWARD_HOME", "var")))
    print(f"{BATCH:,} records a batch, {REPEATS} repeats, bundle {bundle.digest[:12]}; microseconds a record: median, range")
    timed = stages(bundle)
    settle()  # as a worker does that has loaded everything
    for name, act in timed.items():
        taken = seconds(act)
        told(name, [one / BATCH * 1e6 for one in taken])
    rate = BATCH / float(np.median(taken))
    print(f"  {rate:,.0f} records a second on one core ({BATCH / max(taken):,.0f} to {BATCH / min(taken):,.0f})")
    print("microseconds a request, of the thread that answers")
    told("metrics: all that is counted of a request with one record", [one / REQUESTS * 1e6 for one in seconds(counted)])
    told("access log: one line", [one / REQUESTS * 1e6 for one in seconds(logged)])
    with collector() as port:
        tracer = OtlpTracer(f"http://127.0.0.1:{port}/v1/traces", share=SHARE)
        told(f"traces: of {SHARE:.0%} of the requests", [one / TRACED * 1e6 for one in seconds(partial(traced, tracer))])
        tracer.close()
    return int(rate < TARGET)


def stages(bundle: Bundle) -> dict[str, Callable[[], object]]:
    """What can be timed, all of it together last."""
    contract, policy, scorer, rule = bundle.contract, bundle.policy, OnnxScorer(bundle.graph), Rule.of(bundle)
    checker, body = Checker(contract, BATCH), batch(contract)
    take = itemgetter(*contract.inputs)

    def packed(records: Sequence[Record]) -> NDArray[np.float64]:
        return np.array([take(record) for record in records], dtype=np.float64)

    def scored(inputs: NDArray[np.float64]) -> NDArray[np.float64]:
        return policy.quantise(scorer.probabilities(inputs))

    def whole() -> None:
        inputs = packed(checker.records(body))
        rule.judged(scored(inputs), inputs)

    records = checker.records(body)
    rows = packed(records)
    probability = scored(rows)
    return {
        "contract: bytes to checked records": lambda: checker.records(body),
        "packing": lambda: packed(records),
        "graph, in one run": lambda: scored(rows),
        "rule: doubt, cut-offs, unfamiliar input": lambda: rule.judged(probability, rows),
        "all of it": whole,
    }


def batch(contract: Contract) -> bytes:
    """The body of a request with real accounts."""
    source = USE_CASE.source()
    month = source.months()[-1]
    columns = source.cohort(month, date.max).columns
    values = zip(*[columns[name][:BATCH].tolist() for name in contract.inputs], strict=True)
    names = [contract.key, contract.time, *contract.inputs]
    records = [dict(zip(names, (f"A{number:07d}", str(month), *row), strict=True)) for number, row in enumerate(values)]
    return json.dumps({"records": records}).encode()


def counted() -> None:
    meter = Meter()
    decision = LoggedDecision("d", "m", 1, "b" * 64, "a", Month(2005, 9), {}, 0.1, "keep", NOW, "r")
    for _ in range(REQUESTS):
        meter.began()
        meter.took(DECIDE, 0.001)
        meter.took(RECORD, 0.001)
        meter.recorded([decision])
        meter.ended(0.002)
        meter.responded(200)


def logged() -> None:
    """As many lines at a time as a loaded service writes."""

    async def run() -> None:
        with Path(os.devnull).open("w") as output:
            log = AccessLog(output.write)
            for number in range(REQUESTS):
                log.tell("POST", "/v1/models/credit_default/score", 200, 0.001, "0" * 32)
                if number % LINES == 0:
                    log._hand_over()
            log.close()

    asyncio.run(run())


def traced(tracer: OtlpTracer) -> None:
    stages = {DECIDE: (1.0, 1.5), RECORD: (1.5, 2.0)}
    for _ in range(TRACED):
        if tracer.wants(200, ""):
            tracer.tell(Traced.measured("0" * 32, "m", 200, "", (1.0, 2.0), stages))


def told(name: str, microseconds: list[float]) -> None:
    print(f"  {np.median(microseconds):7.2f} ({min(microseconds):.2f} to {max(microseconds):.2f})  {name}")


if __name__ == "__main__":
    sys.exit(main())
