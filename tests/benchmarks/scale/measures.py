"""What is measured, one size and one thing in a process of its own: `python -m tests.benchmarks.scale.measures WHAT ROWS`."""

import json
import os
import shutil
import sys
from collections.abc import Callable, Mapping
from time import perf_counter

from models.adapters.onnx_runtime import OnnxScorer
from models.judging import Judge
from pipelines.scoring.step import carry_out, plan_batch
from pipelines.wiring import platform
from tests.benchmarks import monitoring
from tests.benchmarks.scale.engines import on_every_engine
from tests.benchmarks.scale.intake import taken_in
from tests.benchmarks.scale.metering import Figures, measured, resident
from tests.benchmarks.scale.peers import mlflow_pyfunc, pandas_features, scikit_pyfunc
from tests.benchmarks.scale.places import CORES, FOLDER, MONTH, SEED, champion, size, source


def generate(rows: int) -> Figures:
    """Written by two processes; what was there is made again. So are decisions for the statistics, unless they are there."""
    parts = platform()
    shutil.rmtree(source(rows), ignore_errors=True)
    recipe = parts.generator.recipe(rows, [MONTH], SEED, None)
    with measured() as told:
        parts.generator.write(recipe, str(source(rows)), CORES)
    monitoring.written(rows)
    return told | {"bytes": size(source(rows) / "snapshots") / rows}


def recorded(rows: int) -> Figures:
    """The whole of `make score` without the flow engine: decided, in a decision log of its own, handed out."""
    log, output = FOLDER / "log", FOLDER / f"recorded-{rows}"
    for folder in (log, output):
        shutil.rmtree(folder, ignore_errors=True)
    log.mkdir(parents=True)
    os.environ["STEWARD_DATABASE_URL"] = f"sqlite:///{(log / 'decisions.db').resolve()}"
    parts, label = platform(), f"benchmark {perf_counter()}"  # another run each time
    with measured() as told:
        found = carry_out(parts, plan_batch(parts, "", str(source(rows) / "snapshots"), str(output), label))
    assert not found.refused
    held = size(log, "*")
    shutil.rmtree(log)
    return told | {"bytes": held / rows}


def opened(rows: int) -> Figures:
    """Bundles made ready to decide, side by side: `rows` is how many."""
    found = champion()
    before = resident()
    with measured() as told:
        kept = [Judge.of(found, OnnxScorer, f"{number}") for number in range(rows)]
    return told | {"bytes": (resident() - before) * 2**30 / len(kept)}


WHAT: Mapping[str, Callable[[int], Figures]] = {
    "generate": generate,
    "taken_in": taken_in,
    "pandas_features": pandas_features,
    "mlflow_pyfunc": mlflow_pyfunc,
    "scikit_pyfunc": scikit_pyfunc,
    **on_every_engine(),
    "recorded": recorded,
    "opened": opened,
}

MOST = {"taken_in": 10_000_000}
"""Ingest holds a month in memory, about eight gigabytes for ten million rows: more is not tried."""


if __name__ == "__main__":
    print(json.dumps(WHAT[sys.argv[1]](int(sys.argv[2]))))
