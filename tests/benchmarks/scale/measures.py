"""What is measured, one size and one thing in a process of its own: `python -m tests.benchmarks.scale.measures WHAT ROWS`."""

import json
import os
import resource
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.dataset as ds

from models.adapters.onnx_runtime import OnnxScorer
from models.channel import release
from models.clock import Month
from models.judging import Judge
from pipelines.adapters.local_engine import LocalEngine
from pipelines.adapters.parquet_tables import files
from pipelines.scoring.deciding import Decide
from pipelines.scoring.parts import Engine, Plan, Work
from pipelines.scoring.step import carry_out, plan_batch
from pipelines.wiring import Platform, platform
from tests.benchmarks import monitoring
from tests.benchmarks.scale.works import Features, Probabilities
from tests.benchmarks.serving import scikit

MONTH, SEED, PART_ROWS, CORES, OPENED = Month(2005, 7), 2005, 50_000, 2, 20
FOLDER = Path(os.environ.get("STEWARD_HOME", "var")) / "benchmarks" / "scale"
Figures = dict[str, float]


def source(rows: int) -> Path:
    return FOLDER / f"{rows}"


def generate(rows: int) -> Figures:
    """Written by two processes; what was there is made again."""
    parts = platform()
    shutil.rmtree(source(rows), ignore_errors=True)
    recipe = parts.generator.recipe(rows, [MONTH], SEED, None)
    with measured() as told:
        parts.generator.write(recipe, str(source(rows)), CORES)
    return told | {"bytes": size(source(rows) / "snapshots") / rows}


def features(rows: int) -> Figures:
    return worked(Features("credit_default"), rows, local())


def probabilities(rows: int) -> Figures:
    return worked(Probabilities(bundle(platform())), rows, local())


def decisions(rows: int) -> Figures:
    """With reasons, staged, not recorded."""
    return worked(decide(), rows, local())


def spark_features(rows: int) -> Figures:
    return worked(Features("credit_default"), rows, spark())


def spark_probabilities(rows: int) -> Figures:
    return worked(Probabilities(bundle(platform())), rows, spark())


def spark_decisions(rows: int) -> Figures:
    return worked(decide(), rows, spark())


def recorded(rows: int) -> Figures:
    """The whole of `make score` without the flow engine: decided, in the decision log, handed out."""
    parts, output = platform(), FOLDER / f"recorded-{rows}"
    shutil.rmtree(output, ignore_errors=True)
    before = size(parts.settings.home, "decisions.db*")
    label = f"benchmark {perf_counter()}"  # another run each time
    with measured() as told:
        found = carry_out(parts, plan_batch(parts, "", str(source(rows) / "snapshots"), str(output), label))
    assert not found.refused
    return told | {"bytes": (size(parts.settings.home, "decisions.db*") - before) / rows}


def statistics(rows: int) -> Figures:
    """The monthly report's figures over sealed decisions; see tests/benchmarks/monitoring.py."""
    monitoring.written(rows)
    with measured() as told:
        monitoring.measured(rows)
    return told


def pandas_features(rows: int) -> Figures:
    """The whole file in memory, checked and computed column by column."""
    from models import catalog

    use_case, target = catalog.find("credit_default"), FOLDER / "pandas.parquet"
    with measured() as told:
        frame = pd.read_parquet(source(rows) / "snapshots" / f"month={MONTH}")
        for column in use_case.contract.columns:
            if column.name in frame and column.kind != "text":
                assert frame[column.name].between(column.minimum, column.maximum).all()
            elif column.name in frame:
                assert frame[column.name].str.fullmatch((column.pattern or "").strip("^$")).all()
        inputs = {name: frame[name].to_numpy() for name in use_case.contract.inputs}
        pd.DataFrame(use_case.features(inputs, np)).to_parquet(target)
    target.unlink()
    return told


def mlflow_pyfunc(rows: int) -> Figures:
    """The same model as MLflow loads it."""
    import mlflow

    parts = platform()
    assert parts.registry.versions("credit_default")  # follows a home that was moved
    mlflow.set_tracking_uri(parts.settings.mlflow_url or f"sqlite:///{parts.settings.home.resolve() / 'mlflow' / 'mlflow.db'}")
    model = mlflow.pyfunc.load_model("models:/credit_default@champion")
    return asked(lambda frame: model.predict(frame)["probability"], rows)


def scikit_pyfunc(rows: int) -> Figures:
    """The same trees as teams log a model, a scikit-learn pipeline, as MLflow loads it. Answers are compared first."""
    import mlflow

    champion, where = bundle(platform()), FOLDER / "scikit"
    shutil.rmtree(where, ignore_errors=True)
    scikit.save(champion, where)
    model = mlflow.pyfunc.load_model(str(where))
    golden = scikit.golden(champion)
    ours = OnnxScorer(champion.graph).probabilities(golden)
    np.testing.assert_allclose(model.predict(scikit.frame(champion.contract, golden))[:, 1], ours, atol=1e-5)
    return asked(lambda frame: pd.Series(model.predict(frame)[:, 1]), rows)


def asked(predict: Callable[[pd.DataFrame], "pd.Series[float]"], rows: int) -> Figures:
    """With data frames of a part's size, one after the other."""
    contract, target = platform().use_case.contract, FOLDER / "pyfunc.parquet"
    types = {name: "int64" if contract[name].codes else "float64" for name in contract.inputs}
    with measured() as told:
        batches = ds.dataset(source(rows) / "snapshots", format="parquet").to_batches(
            columns=list(contract.inputs), batch_size=PART_ROWS
        )
        found = [predict(batch.to_pandas().astype(types)) for batch in batches]
        pd.concat(found).to_frame("probability").to_parquet(target)
    assert sum(map(len, found)) == rows
    target.unlink()
    return told


def opened(rows: int) -> Figures:
    """Bundles made ready to decide, side by side: `rows` is how many."""
    found = bundle(platform())
    before = resident()
    with measured() as told:
        kept = [Judge.of(found, OnnxScorer, f"{number}") for number in range(rows)]
    return told | {"bytes": (resident() - before) * 2**30 / len(kept)}


WHAT: Mapping[str, Callable[[int], Figures]] = {
    each.__name__: each
    for each in (
        generate,
        features,
        pandas_features,
        spark_features,
        probabilities,
        mlflow_pyfunc,
        scikit_pyfunc,
        spark_probabilities,
        decisions,
        spark_decisions,
        recorded,
        statistics,
        opened,
    )
}


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


def local() -> Engine:
    return LocalEngine(CORES, FOLDER / "spill")


def spark() -> Engine:
    from models.adapters.spark_session import Spark
    from pipelines.adapters.spark_engine import SparkEngine

    return SparkEngine(Spark(f"local[{CORES}]", FOLDER / "spill"))


def decide() -> Decide:
    found = bundle(platform())
    return Decide(found, 1, "", OnnxScorer, "2026-12")


def bundle(parts: Platform) -> Any:
    return release(parts.channel, parts.trust(), "credit_default", now=parts.clock.now()).bundle


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
    for task in Path(f"/proc/{parent}/task").iterdir():
        for child in map(int, (task / "children").read_text().split()):
            yield child
            yield from _living(child)


def _spent(process: int) -> float:
    """Processor seconds, those of its ended children too."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


def _held(process: int) -> float:
    """Gigabytes at most."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return next((int(line.split()[1]) for line in lines if line.startswith("VmHWM")), 0) / 2**20


def resident() -> float:
    """Gigabytes that this process holds now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**30


def size(folder: Path, names: str = "**/*.parquet") -> int:
    return sum(path.stat().st_size for path in folder.glob(names))


if __name__ == "__main__":
    print(json.dumps(WHAT[sys.argv[1]](int(sys.argv[2]))))
