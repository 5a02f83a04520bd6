"""What every engine must do: the same results for each row, from the same files."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent
from typing import Any
from uuid import uuid4

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from models.adapters.onnx_runtime import OnnxScorer
from models.adapters.places import Place
from models.contract import Columns
from models.errors import Conflict
from monitoring.adapters.sql_decisions import SqlDecisionLog
from pipelines.adapters.local_engine import LocalEngine
from pipelines.adapters.parquet_tables import files
from pipelines.scoring.deciding import Decide
from pipelines.scoring.parts import Batch, Engine, Kind, Part, Plan
from pipelines.scoring.run import Summary
from tests import sparks
from tests.batches import Batches, accounts, written
from tests.bundles import MODEL, real_bundle, record
from tests.rings import log_keys

EXACT = 1e-9


@pytest.fixture(scope="module", params=["local", "spark", "spark on a cluster"])
def engine(request: pytest.FixtureRequest, store: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """Begun when the store is there: executors are told of it at the start."""
    spill = tmp_path_factory.mktemp("spill")
    if request.param == "local":
        yield LocalEngine(2, spill)
        return
    sparks.skip_without()
    from pipelines.adapters.spark_engine import SparkEngine

    with ExitStack() as begun:
        master = begun.enter_context(sparks.cluster(spill / "cluster")) if "cluster" in request.param else "local[2]"
        yield SparkEngine(begun.enter_context(sparks.running(spill, master)))


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Two files, of several row groups each, one of them in a folder whose name looks like a partition, with a hole."""
    folder = tmp_path / "in of july"
    rows = [row | {"status_0": n % 12 - 2, "credit_limit": 1_000.0 * (n + 1)} for n, row in enumerate(accounts(40))]
    schema = pa.Table.from_pylist(rows).schema
    written(folder / "month=2005-07" / "one.parquet", rows[:25], schema)
    written(folder / "two.parquet", [*rows[25:], record(account_id="hole", bill_0=None)], schema)
    return folder


@dataclass(frozen=True)
class Doubled:
    """Work as small as it can be."""

    @property
    def kinds(self) -> Mapping[str, Kind]:
        return {"row": "integer", "twice": "number", "name": "text", "gone": "boolean"}

    def opened(self) -> Callable[[Batch], Columns]:
        def done(batch: Batch) -> Columns:
            gone = batch.missing.get("bill_0", np.zeros(len(batch), dtype=np.bool_))
            return {"row": batch.numbers, "twice": 2 * batch.columns["bill_0"], "name": batch.columns["account_id"], "gone": gone}

        return done


def plan(source: Path) -> Plan:
    return Plan.of(MODEL, str(source), "", files(str(source)), 10, "")


def worked(engine: Engine, work: Any, source: Path | str, parts: list[Part], into: Path) -> dict[int, list[dict[str, Any]]]:
    names = ["account_id", "bill_0"]
    done = list(engine.mapped(work, str(source), parts, names, lambda part: into / f"{part.number}.parquet"))
    assert sorted(part.number for part in done) == [part.number for part in parts]
    found = {part.number: pq.read_table(into / f"{part.number}.parquet").to_pylist() for part in parts}
    return {number: sorted(rows, key=lambda row: int(row["row"])) for number, rows in found.items()}


def test_every_part_has_its_own_rows_in_their_own_numbers(engine: Engine, source: Path, tmp_path: Path) -> None:
    parts = list(plan(source).parts)
    sent = [
        *pq.ParquetFile(source / "month=2005-07" / "one.parquet").read().to_pylist(),
        *pq.ParquetFile(source / "two.parquet").read().to_pylist(),
    ]

    found = worked(engine, Doubled(), source, parts, tmp_path / "out")

    assert [part.rows for part in parts] == [10, 10, 5, 10, 6]
    for part in parts:
        assert [row["row"] for row in found[part.number]] == list(range(part.offset, part.offset + part.rows))
        for row in found[part.number]:
            was = sent[row["row"]]
            assert row["name"] == was["account_id"]
            assert row["gone"] == (was["bill_0"] is None)
            assert row["gone"] or row["twice"] == 2 * was["bill_0"]


def test_only_the_parts_that_are_asked_for_are_worked_on(engine: Engine, source: Path, tmp_path: Path) -> None:
    every = list(plan(source).parts)

    found = worked(engine, Doubled(), source, [every[1], every[4]], tmp_path / "out")

    assert sum(len(rows) for rows in found.values()) == 16
    assert len(list((tmp_path / "out").iterdir())) == 2


def test_what_a_killed_run_left_beside_a_part_is_not_taken_for_it(engine: Engine, source: Path, tmp_path: Path) -> None:
    (part, *_), out = plan(source).parts, tmp_path / "out"
    out.mkdir()
    if not isinstance(engine, LocalEngine):
        (out / ".0.parquet.0123456789abcdef").write_bytes(b"of an executor that outlived its run")

    found = worked(engine, Doubled(), source, [part], out)

    assert len(found[0]) == 10
    assert [path.name for path in out.iterdir()] == ["0.parquet"]


def test_rows_are_read_from_a_bucket_too(engine: Engine, source: Path, store: str, tmp_path: Path) -> None:
    parts, copied = list(plan(source).parts), f"{store}/{uuid4().hex}"
    for part in parts:
        Place.at(copied).put(part.file, (source / part.file).read_bytes())

    found = worked(engine, Doubled(), copied, parts, tmp_path / "out")

    np.testing.assert_equal(found, worked(engine, Doubled(), source, parts, tmp_path / "again"))
    assert engine.repeated(copied, ("account_id", "snapshot_month"), 10) == []


def test_what_stands_twice_is_found(engine: Engine, source: Path) -> None:
    written(source / "three.parquet", [record(account_id="A3"), record(account_id="A7"), record(account_id="new")])
    names = ("account_id", "snapshot_month")

    assert engine.repeated(str(source), names, 10) == [("A3", "2005-07"), ("A7", "2005-07")]
    assert len(engine.repeated(str(source), names, 1)) == 1


def test_nothing_stands_twice(engine: Engine, source: Path) -> None:
    assert engine.repeated(str(source), ("account_id", "snapshot_month"), 10) == []


@pytest.fixture(scope="module")
def by_numpy() -> list[dict[str, Any]]:
    """The same rows decided in one piece, by no engine at all."""
    rows = [row | {"status_0": n % 12 - 2, "credit_limit": 1_000.0 * (n + 1)} for n, row in enumerate(accounts(40))]
    columns = {name: np.array([row[name] for row in rows]) for name in record()}
    columns = {name: values.astype(object) if values.dtype.kind == "U" else values for name, values in columns.items()}
    done = Decide(real_bundle(0.2), 1, "", OnnxScorer, "2005-08").opened()
    found = done(Batch(columns, {}, np.arange(len(rows))))
    return [dict(zip(found, values, strict=True)) for values in zip(*(column.tolist() for column in found.values()), strict=True)]


def test_the_graph_decides_alike_on_every_engine(
    engine: Engine, source: Path, tmp_path: Path, by_numpy: list[dict[str, Any]]
) -> None:
    made = Batches(tmp_path, engine=engine, make_scorer=OnnxScorer)
    made.promote(real_bundle(0.2))
    made.source.symlink_to(source)

    found: Summary = made.run()

    assert found.refused == 1
    assert_decided(made.answers(), by_numpy)
    assert {answer["action"] for answer in made.answers()} >= {"keep", "reduce"}


def assert_decided(answers: list[dict[str, Any]], by_numpy: list[dict[str, Any]]) -> None:
    assert len(answers) == len(by_numpy) == 40
    for answer, expected in zip(answers, by_numpy, strict=True):
        assert answer["account_id"] == expected["account_id"]
        assert abs(answer["probability"] - expected["probability"]) <= EXACT
        for name in ("action", "reasons", "no_notice", "out_of_distribution", "interval_low", "interval_high"):
            assert answer[name] == expected[name]


def killed_after(parts: int, home: Path, bucket: str, log: str, spark: bool) -> None:
    """A process that scores with an engine of its own, and is killed when it has handed out so many parts."""
    own = f"SparkEngine(Spark('local[2]', Path({str(home / 'spark')!r})))" if spark else f"LocalEngine(2, Path({str(home)!r}))"
    script = home / "scoring.py"
    script.write_text(
        dedent(f"""
        from dataclasses import replace
        from pathlib import Path
        from models.adapters.onnx_runtime import OnnxScorer
        from models.adapters.spark_session import Spark
        from monitoring.adapters.sql_decisions import SqlDecisionLog
        from pipelines.adapters.local_engine import LocalEngine
        from pipelines.adapters.spark_engine import SparkEngine
        from tests.batches import Batches, Deadly
        from tests.bundles import real_bundle
        from tests.integration.test_batch_scoring import Meddling
        from tests.rings import log_keys

        die = Deadly({2 * parts})  # before and after each
        log = SqlDecisionLog({log!r}, log_keys)
        made = Batches(Path({str(home)!r}), log=log, engine={own}, make_scorer=OnnxScorer, bucket={bucket!r})
        made.promote(real_bundle(0.2))
        desk = made.desk
        made.run(replace(desk, runs=Meddling(desk.runs, ("hand_out",), die)))
        """)
    )
    environment = dict(os.environ, PYTHONPATH=str(Path(__file__).parents[2]))
    ended = subprocess.run([sys.executable, script], env=environment, check=False, timeout=120)
    assert ended.returncode == -signal.SIGKILL


def test_answers_in_a_bucket_are_those_of_every_row_once_after_a_kill(
    engine: Engine, source: Path, store: str, tmp_path: Path, by_numpy: list[dict[str, Any]]
) -> None:
    """Two parts are there, and one of them is noted: the other is handed out once more."""
    bucket, url = f"{store}/{uuid4().hex}", f"sqlite:///{tmp_path / 'decisions.db'}"
    made = Batches(tmp_path, engine=engine, make_scorer=OnnxScorer, bucket=bucket)
    made.promote(real_bundle(0.2))
    made.source.symlink_to(source)
    killed_after(2, tmp_path, bucket, url, spark=not isinstance(engine, LocalEngine))
    made.log = SqlDecisionLog(url, log_keys)

    found = made.run()

    assert (found.refused, found.now) == (1, 4)
    assert_decided(made.answers(), by_numpy)
    ids = [link["decision_id"] for link in made.log.links()]
    assert sorted(ids) == sorted(answer["decision_id"] for answer in made.answers())
    assert made.run().now == 0
    with pytest.raises(Conflict, match="answers of another run"):
        made.run(label="again")
    made.log.close()
