"""The model registry in MLflow: SQLite and a folder below the platform's home, or a tracking server by URL.

A bundle is logged as an ONNX model that stock MLflow loads and scores without a line of this platform, with the
bundle's own files beside it. Importing MLflow costs seconds: import this module only where runs are logged.
"""

import logging
import os
import shutil
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory

# Read when MLflow is imported or connects: nothing is reported to anybody, and a dead server is noticed within seconds.
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")
os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "20")

import mlflow.artifacts
from mlflow.entities import LoggedModelOutput, LoggedModelStatus, Metric, Param
from mlflow.entities.model_registry import ModelVersion as Registered
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import RESOURCE_ALREADY_EXISTS, RESOURCE_DOES_NOT_EXIST, ErrorCode
from sqlalchemy.exc import SQLAlchemyError

from models.bundle import Bundle
from models.clock import Clock
from models.errors import NotFound, Unavailable
from models.registry import ALIASES, ModelVersion, RunRecord
from pipelines.adapters.mlflow_home import ARTIFACTS, DATABASE, FOLDER, make_template, open_home
from pipelines.adapters.mlflow_model import FILES, save_model

DIGEST_TAG = "steward.bundle"
_GONE, _THERE = ErrorCode.Name(RESOURCE_DOES_NOT_EXIST), ErrorCode.Name(RESOURCE_ALREADY_EXISTS)
_BATCH = 100  # MLflow's limit for parameters and tags in one call


class MlflowRegistry:
    """`artifacts` is where files go, beside an SQLite database; None leaves it to the server of `url`.

    Runs carry the platform's time, also in a replay.
    """

    def __init__(self, url: str, clock: Clock, artifacts: Path | None = None) -> None:
        self._url = url
        self._clock = clock
        self._artifacts = artifacts

    @classmethod
    def below(cls, home: Path, clock: Clock) -> "MlflowRegistry":
        """The embedded default: a database and a folder of files."""
        folder = (home / FOLDER).resolve()
        return cls(f"sqlite:///{folder / DATABASE}", clock, folder / ARTIFACTS)

    @property
    def url(self) -> str:
        return self._url

    def register(self, model: str, run: RunRecord, bundle: Mapping[str, bytes], bundle_digest: str) -> ModelVersion:
        with self._translated():
            for version in self._versions(model):
                if version.bundle_digest == bundle_digest:
                    return version
            experiment = self._experiment(model)
            self._forget_unfinished(experiment, bundle_digest)
            run_id = self._log_run(experiment, run, bundle_digest)
            model_id = self._log_model(experiment, run_id, model, bundle, bundle_digest)
            self._client.set_terminated(run_id, end_time=self._now())
            self._ensure_registered(model)
            tags = {**run.tags, DIGEST_TAG: bundle_digest}
            mlflow.set_tracking_uri(self._url)  # MLflow looks a `models:/` source up in the process's own tracking store
            made = self._client.create_model_version(model, f"models:/{model_id}", run_id, tags, model_id=model_id)
            return _version(made, ())

    def versions(self, model: str) -> list[ModelVersion]:
        with self._translated():
            return self._versions(model)

    def bundle(self, version: ModelVersion) -> Mapping[str, bytes]:
        with self._translated(), TemporaryDirectory() as folder:
            try:
                place = self._client.get_model_version_download_uri(version.model, str(version.version))
            except MlflowException as error:
                if error.error_code != _GONE:
                    raise
                raise NotFound(
                    f"{self._url} has no version {version.version} of {version.model}", hint="it was deleted; train again"
                ) from error
            files = mlflow.artifacts.download_artifacts(f"{place}/{FILES}", dst_path=folder, tracking_uri=self._url)
            return {path.name: path.read_bytes() for path in Path(files).iterdir()}

    def mirror(self, model: str, aliases: Mapping[str, str | None]) -> None:
        with self._translated():
            numbers = {version.bundle_digest: version.version for version in self._versions(model)}
            for alias, digest in aliases.items():
                if digest in numbers:
                    self._client.set_registered_model_alias(model, alias, str(numbers[digest]))
                elif numbers:
                    self._client.delete_registered_model_alias(model, alias)

    @cached_property
    def _client(self) -> mlflow.MlflowClient:
        """Connecting migrates an empty database, which takes seconds."""
        logging.getLogger("mlflow").setLevel(logging.WARNING)
        logging.getLogger("alembic").setLevel(logging.WARNING)
        if self._artifacts:
            open_home(Path(self._url.removeprefix("sqlite:///")), self._artifacts)
        return mlflow.MlflowClient(self._url, self._url)

    def _versions(self, model: str) -> list[ModelVersion]:
        found = self._client.search_model_versions(f"name = '{model}'", max_results=10_000)
        if not found:
            return []
        held = self._client.get_registered_model(model).aliases
        aliases = {str(item.version): [a for a in ALIASES if str(held.get(a)) == str(item.version)] for item in found}
        versions = [_version(item, aliases[str(item.version)]) for item in found]
        return sorted(versions, key=lambda version: version.version, reverse=True)

    def _experiment(self, model: str) -> str:
        if known := self._client.get_experiment_by_name(model):
            return str(known.experiment_id)
        place = (self._artifacts / model).as_uri() if self._artifacts else None
        try:
            return str(self._client.create_experiment(model, place))
        except MlflowException as error:
            if error.error_code != _THERE:
                raise
            return self._experiment(model)  # another process was first

    def _forget_unfinished(self, experiment: str, digest: str) -> None:
        """A killed process may have left a run of this bundle that never became a version."""
        for run in self._client.search_runs([experiment], f"tags.`{DIGEST_TAG}` = '{digest}'"):
            self._client.delete_run(run.info.run_id)

    def _log_run(self, experiment: str, run: RunRecord, digest: str) -> str:
        at = self._now()
        tags = {**run.tags, DIGEST_TAG: digest}
        run_id = str(self._client.create_run(experiment, at, tags, run.name).info.run_id)
        metrics = [Metric(name, value, at, 0) for name, value in run.metrics.items()]
        params = [Param(name, value) for name, value in run.params.items()]
        for start in range(0, max(len(metrics), len(params)), _BATCH):
            self._client.log_batch(run_id, metrics[start : start + _BATCH], params[start : start + _BATCH])
        with TemporaryDirectory() as folder:
            for name, path in run.files.items():
                (Path(folder) / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, Path(folder) / name)
            self._client.log_artifacts(run_id, folder)
        return run_id

    def _log_model(self, experiment: str, run_id: str, model: str, files: Mapping[str, bytes], digest: str) -> str:
        logged = self._client.create_logged_model(experiment, model, run_id, {DIGEST_TAG: digest})
        with TemporaryDirectory() as folder:
            save_model(Path(folder) / "model", Bundle.verified(files, digest), logged, run_id)
            self._client.log_model_artifacts(logged.model_id, str(Path(folder) / "model"))
        self._client.finalize_logged_model(logged.model_id, LoggedModelStatus.READY)
        self._client.log_outputs(run_id, [LoggedModelOutput(logged.model_id, 0)])
        return str(logged.model_id)

    def _ensure_registered(self, model: str) -> None:
        try:
            self._client.create_registered_model(model)
        except MlflowException as error:
            if error.error_code != _THERE:
                raise

    def _now(self) -> int:
        return int(self._clock.now().timestamp() * 1000)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (MlflowException, SQLAlchemyError, sqlite3.Error, OSError) as error:
            raise Unavailable(
                f"the model registry at {self._url} does not answer: {_first_line(error)}",
                hint="what is served is not touched; start the server or correct STEWARD_PIPELINES_MLFLOW_URL, then run it again",
            ) from error


def _version(found: Registered, aliases: list[str] | tuple[str, ...]) -> ModelVersion:
    tags = dict(found.tags)
    digest = tags.pop(DIGEST_TAG, "")
    return ModelVersion(found.name, int(found.version), digest, found.run_id or "", tuple(aliases), tags)


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]


if __name__ == "__main__":
    make_template()
