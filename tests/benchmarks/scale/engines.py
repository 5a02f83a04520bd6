"""The same works on each engine: DuckDB and Arrow, Spark local, and a standalone Spark cluster of two workers of a core each.

Starting Spark is part of the time, as it is of a command's; a cluster is there before.
"""

import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

from models.adapters.onnx_runtime import OnnxScorer
from models.lake import Lake
from monitoring.drift import Statistics
from pipelines.adapters.local_engine import LocalEngine
from pipelines.adapters.parquet_tables import files
from pipelines.scoring.deciding import Decide
from pipelines.scoring.parts import Engine, Plan, Work
from pipelines.wiring import platform
from tests import sparks
from tests.benchmarks import monitoring
from tests.benchmarks.scale.metering import Figures, measured
from tests.benchmarks.scale.places import CORES, FOLDER, PART_ROWS, champion, size, source
from tests.benchmarks.scale.works import Features, Probabilities


@dataclass(frozen=True)
class Begun:
    engine: Engine
    counting: Callable[[Lake], Statistics]


@contextmanager
def duckdb() -> Iterator[Begun]:
    yield Begun(LocalEngine(CORES, FOLDER / "spill"), monitoring.with_duckdb)


@contextmanager
def spark(master: str = f"local[{CORES}]") -> Iterator[Begun]:
    from monitoring.adapters.spark_statistics import SparkStatistics
    from pipelines.adapters.spark_engine import SparkEngine

    with sparks.running(FOLDER / "spill", master) as session:
        yield Begun(SparkEngine(session), lambda lake: SparkStatistics(lake, session, threads=CORES))


@contextmanager
def cluster() -> Iterator[Begun]:
    with sparks.cluster(FOLDER / "cluster") as master, spark(master) as begun:
        yield begun


ENGINES: Mapping[str, Callable[[], AbstractContextManager[Begun]]] = {"": duckdb, "spark_": spark, "cluster_": cluster}
"""By how the names of their figures begin."""
WORKS: Mapping[str, Callable[[], Work]] = {
    "features": lambda: Features("credit_default"),
    "probabilities": lambda: Probabilities(champion()),
    "decisions": lambda: Decide(champion(), 1, "", OnnxScorer, "2026-12"),  # with reasons, staged, not recorded
}


def on_every_engine() -> dict[str, Callable[[int], Figures]]:
    """What is measured, by name."""
    found: dict[str, Callable[[int], Figures]] = {}
    for prefix, engine in ENGINES.items():
        found |= {f"{prefix}{name}": _worked(engine, make) for name, make in WORKS.items()}
        found[f"{prefix}statistics"] = _counted(engine)
    return found


def _worked(engine: Callable[[], AbstractContextManager[Begun]], make: Callable[[], Work]) -> Callable[[int], Figures]:
    def measure(rows: int) -> Figures:
        with engine() as begun:
            return worked(make(), rows, begun.engine)

    return measure


def _counted(engine: Callable[[], AbstractContextManager[Begun]]) -> Callable[[int], Figures]:
    """The monthly report's figures over sealed decisions; see tests/benchmarks/monitoring.py."""

    def measure(rows: int) -> Figures:
        monitoring.written(rows)
        with engine() as begun:
            month = monitoring.Reported.of(rows, begun.counting)
            with measured() as told:
                month.count()
            return told

    return measure


def worked(work: Work, rows: int, engine: Engine) -> Figures:
    place, target = str(source(rows) / "snapshots"), FOLDER / "staged"
    shutil.rmtree(target, ignore_errors=True)
    plan = Plan.of("benchmark", place, "", files(place), PART_ROWS, "")
    names = platform().use_case.contract.request_model().model_fields
    with measured() as told:
        done = list(engine.mapped(work, place, plan.parts, list(names), lambda part: target / f"{part.number:06d}.parquet"))
    assert sum(part.rows for part in done) == rows
    told["bytes"] = size(target) / rows
    shutil.rmtree(target)
    return told
