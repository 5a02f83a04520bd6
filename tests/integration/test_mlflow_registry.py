"""The registry in MLflow: what a person finds there, and that stock MLflow scores it without a line of ours."""

import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from itertools import chain
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pytest

from models.adapters.onnx_runtime import OnnxScorer
from models.bundle import Bundle
from models.clock import FixedClock
from models.errors import Unavailable
from models.registry import ModelVersion, RunRecord
from pipelines.adapters.mlflow_registry import MlflowRegistry
from tests.samples import NOON, SAMPLE, numbered, rows

pytestmark = pytest.mark.integration
MODEL = "credit_default"

# Runs in a process that cannot import the platform: it scores with stock MLflow what it is given as JSON.
STOCK = """
import json, sys

class Locked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"models", "monitoring", "pipelines", "serving", "tests"}:
            raise ImportError(f"{name} is out of reach here")

sys.meta_path.insert(0, Locked())
import mlflow, pandas as pd

url, columns = json.load(sys.stdin)
mlflow.set_tracking_uri(url)
model = mlflow.pyfunc.load_model("models:/credit_default@champion")
answer = {
    "scores": model.predict(pd.DataFrame(columns))[["probability", "log_odds"]].to_dict("list"),
    "example": model.predict(model.input_example)["probability"].tolist(),
    "bundle": model.metadata.metadata["bundle"],
    "inputs": {column.name: column.type.name for column in model.metadata.signature.inputs},
}
print(json.dumps(answer))
"""


@pytest.fixture(autouse=True)
def _tracking_uri_of_the_process_is_put_back() -> Iterator[None]:
    before = mlflow.get_tracking_uri()
    yield
    mlflow.set_tracking_uri(before)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture
def registry(home: Path) -> MlflowRegistry:
    return MlflowRegistry.below(home, FixedClock(NOON))


def registered(registry: MlflowRegistry, bundle: Bundle, picture: Path) -> ModelVersion:
    picture.write_bytes(b"a picture")
    params = {f"parameter_{number}": str(number) for number in range(130)}
    metrics = {f"metric_{number}": number / 7 for number in range(120)}
    run = RunRecord("train 2005-08-31", params, metrics, {"as_of": "2005-08-31"}, {"plots/roc.png": picture})
    return registry.register(MODEL, run, bundle.files, bundle.digest)


def test_stock_mlflow_scores_the_champion_without_a_line_of_this_platform(registry: MlflowRegistry, tmp_path: Path) -> None:
    bundle = numbered(11)
    registered(registry, bundle, tmp_path / "roc.png")
    registry.mirror(MODEL, {"champion": bundle.digest})
    columns = rows(50)
    given = json.dumps([registry.url, {name: values.tolist() for name, values in columns.items()}])

    done = subprocess.run([sys.executable, "-c", STOCK], input=given, capture_output=True, text=True, check=False, cwd=tmp_path)

    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    ours = OnnxScorer(bundle.graph)
    assert answer["scores"]["probability"] == ours.probabilities(SAMPLE.contract.matrix(columns)).tolist()
    assert answer["scores"]["log_odds"] == ours.log_odds(SAMPLE.contract.matrix(columns)).tolist()
    assert answer["bundle"] == bundle.digest
    assert answer["inputs"] == {name: "long" if SAMPLE.contract[name].codes else "double" for name in SAMPLE.contract.inputs}
    example = {name: np.array([SAMPLE.contract[name].example]) for name in SAMPLE.contract.inputs}
    assert answer["example"] == ours.probabilities(SAMPLE.contract.matrix(example)).tolist()
    assert list(tmp_path.iterdir()) == [tmp_path / "roc.png"]


def test_a_run_holds_all_that_was_measured_under_the_platforms_time(registry: MlflowRegistry, tmp_path: Path) -> None:
    version = registered(registry, numbered(12), tmp_path / "roc.png")

    run = mlflow.MlflowClient(registry.url).get_run(version.run_id)

    assert (len(run.data.params), len(run.data.metrics)) == (130, 120)
    assert run.data.metrics["metric_119"] == 119 / 7
    assert (run.info.status, run.info.start_time) == ("FINISHED", int(NOON.timestamp() * 1000))
    assert [model.model_id for model in run.outputs.model_outputs]
    plots = Path(run.info.artifact_uri.removeprefix("file://")) / "plots"
    assert (plots / "roc.png").read_bytes() == b"a picture"


def test_everything_lies_below_home(registry: MlflowRegistry, home: Path, tmp_path: Path) -> None:
    version = registered(registry, numbered(13), tmp_path / "roc.png")

    found = mlflow.MlflowClient(registry.url).get_model_version(MODEL, str(version.version))

    run = mlflow.MlflowClient(registry.url).get_run(version.run_id)
    assert found.source.startswith("models:/m-")
    assert run.info.artifact_uri.startswith((home / "mlflow" / "artifacts").as_uri())
    assert not Path("mlruns").exists()
    assert not Path("mlflow.db").exists()


def places_named_in(database: Path) -> set[str]:
    """Every text of every table that speaks of a file."""
    with closing(sqlite3.connect(database)) as connection:
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        cells = chain.from_iterable(chain.from_iterable(connection.execute(f"SELECT * FROM {table}") for table in tables))
        return {cell for cell in cells if isinstance(cell, str) and "file:" in cell}


def test_a_home_that_was_moved_still_loads_its_champion_and_logs_below_itself(
    registry: MlflowRegistry, home: Path, tmp_path: Path
) -> None:
    bundle, later = numbered(15), numbered(16)
    registered(registry, bundle, tmp_path / "roc.png")
    registry.mirror(MODEL, {"champion": bundle.digest})
    before, moved = shutil.copytree(home, tmp_path / "before"), tmp_path / "else where"
    copied = MlflowRegistry.below(before, FixedClock(NOON))
    assert copied.bundle(copied.versions(MODEL)[0]) == bundle.files
    before.rename(moved)

    there = MlflowRegistry.below(moved, FixedClock(NOON))

    assert there.bundle(next(v for v in there.versions(MODEL) if v.bundle_digest == bundle.digest)) == bundle.files
    mlflow.set_tracking_uri(there.url)
    champion: Any = mlflow.pyfunc.load_model(f"models:/{MODEL}@champion")
    assert champion.metadata.metadata["bundle"] == bundle.digest
    version = registered(there, later, tmp_path / "roc.png")
    run = mlflow.MlflowClient(there.url).get_run(version.run_id)
    assert run.info.artifact_uri.startswith((moved / "mlflow" / "artifacts").as_uri())
    places = places_named_in(moved / "mlflow" / "mlflow.db")
    assert places
    assert all(place.startswith((moved / "mlflow" / "artifacts").as_uri()) for place in places)
    assert all(place.startswith(home.as_uri()) for place in places_named_in(home / "mlflow" / "mlflow.db"))
    assert not [file for file in moved.rglob("MLmodel") if "file:" in file.read_text()]


def test_an_experiment_that_keeps_its_files_elsewhere_is_left_alone(registry: MlflowRegistry, home: Path, tmp_path: Path) -> None:
    registry.versions(MODEL)
    first, chosen = shutil.copytree(home, tmp_path / "first"), (tmp_path / "chosen").as_uri()
    experiment = mlflow.MlflowClient(MlflowRegistry.below(first, FixedClock(NOON)).url).create_experiment("of a person", chosen)
    second = MlflowRegistry.below(shutil.copytree(first, tmp_path / "second"), FixedClock(NOON))

    second.versions(MODEL)

    assert mlflow.MlflowClient(second.url).get_experiment(experiment).artifact_location == chosen


class Killed(BaseException):
    """The process is gone. Not an `Exception`: nothing may catch it on the way."""


@pytest.mark.parametrize("step", ["_log_run", "_log_model", "_ensure_registered"])
def test_a_registration_that_was_killed_is_completed_and_leaves_one_run(step: str, home: Path, tmp_path: Path) -> None:
    def done_and_killed(self: MlflowRegistry, *given: Any) -> None:
        getattr(super(dying, self), step)(*given)
        raise Killed

    dying = type("Dying", (MlflowRegistry,), {step: done_and_killed})
    bundle = numbered(20 + len(step))
    with pytest.raises(Killed):
        registered(dying.below(home, FixedClock(NOON)), bundle, tmp_path / "roc.png")

    registry = MlflowRegistry.below(home, FixedClock(NOON))
    version = registered(registry, bundle, tmp_path / "roc.png")

    assert registry.bundle(version) == bundle.files
    client = mlflow.MlflowClient(registry.url)
    experiment = client.get_experiment_by_name(MODEL)
    assert experiment is not None
    runs = client.search_runs([experiment.experiment_id], f"tags.`steward.bundle` = '{bundle.digest}'")
    assert [run.info.run_id for run in runs] == [version.run_id]
    assert [found.version for found in registry.versions(MODEL) if found.bundle_digest == bundle.digest] == [version.version]


def test_a_server_that_does_not_answer_is_unavailable_with_its_url_and_a_hint(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    registry = MlflowRegistry("http://127.0.0.1:9", FixedClock(NOON))

    with pytest.raises(Unavailable, match=r"http://127\.0\.0\.1:9") as refused:
        registry.versions(MODEL)
    assert "STEWARD_PIPELINES_MLFLOW_URL" in refused.value.hint


def test_a_database_that_is_none_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "mlflow").mkdir()
    (tmp_path / "mlflow" / "mlflow.db").write_text("this is not a database, and never was one" * 100)

    with pytest.raises(Unavailable, match=r"mlflow\.db"):
        MlflowRegistry.below(tmp_path, FixedClock(NOON)).versions(MODEL)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """A tracking server in a process of its own that keeps database and files."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    where = ["--backend-store-uri", f"sqlite:///{tmp_path / 'server.db'}", "--artifacts-destination", str(tmp_path / "files")]
    command = [sys.executable, "-m", "mlflow", "server", *where, "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True) as process:
        try:
            for _ in range(240):
                with suppress(OSError), socket.create_connection(("127.0.0.1", port), 0.5):
                    break
                time.sleep(0.5)  # another process's port: there is no event to wait for
            yield f"http://127.0.0.1:{port}"
        finally:
            os.killpg(process.pid, signal.SIGTERM)


@pytest.mark.soak
def test_a_tracking_server_keeps_bundles_as_well_as_the_embedded_default(server: str, tmp_path: Path) -> None:
    registry, bundle = MlflowRegistry(server, FixedClock(NOON)), numbered(14)

    version = registered(registry, bundle, tmp_path / "roc.png")
    registry.mirror(MODEL, {"champion": bundle.digest})

    assert registered(registry, bundle, tmp_path / "roc.png").version == version.version
    assert registry.bundle(version) == bundle.files
    assert registry.versions(MODEL)[0].aliases == ("champion",)
