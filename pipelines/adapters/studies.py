"""Where Optuna's studies are kept: a journal each, or all of them in PostgreSQL. One process owns a study at a time."""

import fcntl
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol, TextIO

import optuna
from optuna.exceptions import StorageInternalError
from optuna.pruners import BasePruner
from optuna.storages import JournalStorage, RDBStorage
from optuna.storages.journal import JournalFileBackend
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from models.errors import Conflict, Integrity, Misconfigured, Unavailable


class Studies(Protocol):
    @contextmanager
    def owned(self, key: str, pruner: BasePruner) -> Iterator[optuna.Study]:
        """The study, for one process at a time. Raises `Conflict`, `Unavailable`, `Integrity`."""
        ...


class Journals:
    """`<folder>/<key>.journal`. The lock of a killed process is gone with it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @contextmanager
    def owned(self, key: str, pruner: BasePruner) -> Iterator[optuna.Study]:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with (self._folder / f"{key}.owner").open("w") as owner:
                _lock(owner, key)
                yield _opened(self._folder / f"{key}.journal", key, pruner)
        except OSError as error:
            raise Unavailable(
                f"the study {key} cannot be kept in {self._folder}: {error}", hint="check the folder and its space"
            ) from error


class PostgresStudies:
    """In one database. PostgreSQL's advisory lock says who owns a study, and goes with the connection of a killed process."""

    def __init__(self, url: str) -> None:
        """Raises `Misconfigured` for another database."""
        try:
            parsed = make_url(url)
        except ArgumentError as error:
            raise Misconfigured("STEWARD_PIPELINES_STUDIES_URL cannot be read", hint="postgresql://user@host/database") from error
        if parsed.get_backend_name() != "postgresql":
            raise Misconfigured(
                f"studies are not kept in {parsed.get_backend_name()}", hint="give a postgresql:// address, or none"
            )
        self._url = parsed.set(drivername="postgresql+psycopg").render_as_string(hide_password=False)

    @contextmanager
    def owned(self, key: str, pruner: BasePruner) -> Iterator[optuna.Study]:
        engine = create_engine(self._url, hide_parameters=True)
        storage: RDBStorage | None = None
        try:
            with _locked(engine, key):
                storage = RDBStorage(self._url, skip_compatibility_check=False)
                yield optuna.create_study(storage=storage, study_name=key, pruner=pruner, load_if_exists=True)
        except (SQLAlchemyError, StorageInternalError) as error:
            cause = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
            raise Unavailable(
                f"the studies' database does not answer: {cause}", hint="see to STEWARD_PIPELINES_STUDIES_URL"
            ) from error
        finally:
            if storage is not None:
                storage.remove_session()
                storage.engine.dispose()
            engine.dispose()


@contextmanager
def _locked(engine: Engine, key: str) -> Iterator[None]:
    number = int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big", signed=True)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if not connection.execute(text("SELECT pg_try_advisory_lock(:number)"), {"number": number}).scalar_one():
            raise _busy(key)
        yield
        connection.execute(text("SELECT pg_advisory_unlock(:number)"), {"number": number})


def _lock(owner: TextIO, key: str) -> None:
    try:
        fcntl.flock(owner, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise _busy(key) from error


def _busy(key: str) -> Conflict:
    return Conflict(f"another process is at work on the study {key}", hint="wait until it has finished")


def _opened(path: Path, key: str, pruner: BasePruner) -> optuna.Study:
    """The study, its journal mended first: a lock of Optuna's or half a line were left by a killed process, as we own it."""
    Path(f"{path}.lock").unlink(missing_ok=True)
    if path.exists():
        data = path.read_bytes()
        with path.open("r+b") as file:
            file.truncate(data.rfind(b"\n") + 1)
    try:
        storage = JournalStorage(JournalFileBackend(str(path)))
        return optuna.create_study(storage=storage, study_name=key, pruner=pruner, load_if_exists=True)
    except (ValueError, KeyError, TypeError) as error:
        raise Integrity(f"{path} is not a readable journal: {error}", hint="delete it; the search starts anew") from error
