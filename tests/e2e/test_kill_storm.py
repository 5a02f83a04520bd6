"""`kill -9` under load, two hundred times: nothing answered is missing from the log, and nothing is in it twice.

Every other time the database is locked by somebody else, so that what was answered waits in the spool when the process dies,
or is being drained. Half of the requests have an Idempotency-Key, which takes them the long way through the framework; the
others take the express lane. `SOAK_SHARE=0.1` makes a tenth of the kills do.
"""

import os
import random
import signal
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from itertools import count
from pathlib import Path
from threading import Event

import httpx
import pytest

from models.adapters.account_keys import LOG, secret_keys
from monitoring.adapters.sql_decisions import SqlDecisionLog
from monitoring.chain import ChainKeys
from monitoring.custody import logged
from tests.bundles import MODEL, real_bundle, records
from tests.running import JULY, SCORE, Service

pytestmark = [pytest.mark.soak, pytest.mark.integration]

KILLS = int(200 * float(os.environ.get("SOAK_SHARE", "1")))
CLIENTS = 4
LONGEST = 0.6  # seconds that a process lives under load, at most


@contextmanager
def locked(path: Path) -> Iterator[None]:
    with closing(sqlite3.connect(path, isolation_level=None, timeout=30)) as other:
        other.execute("BEGIN EXCLUSIVE")
        yield
        other.execute("ROLLBACK")


class Load:
    """Clients that ask until the service is gone; `answered` is what each was told, over all lives of the service."""

    def __init__(self) -> None:
        self.answered: list[list[str]] = [[] for _ in range(CLIENTS)]
        self.retried: dict[str, bytes] = {}
        self.expressed = 0
        self._numbers = count()

    def ask(self, client: int, url: str, first: Event) -> None:
        with httpx.Client(base_url=url, timeout=30, trust_env=False) as http:
            while True:
                number = next(self._numbers)
                key = f"{client}-{number}" if number % 2 else ""
                headers = {"Idempotency-Key": key} if key else {}
                try:
                    response = http.post(SCORE, json={"records": records({}, {})}, headers=headers)
                except httpx.TransportError:
                    return
                assert response.status_code == 200, response.text
                self.answered[client] += [answer["decision_id"] for answer in response.json()["answers"]]
                if key:
                    self.retried[key] = response.content
                else:
                    self.expressed += 1
                first.set()


@pytest.mark.timeout(3_000)
def test_no_answered_decision_is_missing_or_doubled_after_kills_under_load(tmp_path: Path) -> None:
    service, load, chance = Service(tmp_path), Load(), random.Random(7)
    service.promote(real_bundle(), version=1)
    service.start()
    service.stop()
    path = tmp_path / "decisions.db"
    seen_waiting = 0
    for number in range(KILLS):
        client = service.start(STEWARD_SERVING_SPOOL_AFTER_SECONDS="0.05")
        first = Event()
        with ThreadPoolExecutor(CLIENTS) as pool:
            asking = [pool.submit(load.ask, each, str(client.base_url), first) for each in range(CLIENTS)]
            first.wait(30)
            if number % 2:
                with locked(path):
                    Event().wait(LONGEST * chance.random())
                    if number % 4 == 1:
                        service.stop(signal.SIGKILL)
            if service.process:
                Event().wait(LONGEST * chance.random() / 2)
                service.stop(signal.SIGKILL)
            for each in asking:
                each.result()
        seen_waiting += bool(list((tmp_path / "serving" / "spool").glob("*/*.spool")))
        client.close()
    last = service.start()
    while last.get("/health/ready").json()["problems"]:
        pass
    key, response = list(load.retried.items())[-1]
    again = last.post(SCORE, json={"records": records({}, {})}, headers={"Idempotency-Key": key})
    last.close()
    service.stop()

    log = SqlDecisionLog(f"sqlite:///{path}")
    found = log.columns(MODEL, JULY)["decision_id"].tolist()
    keys = ChainKeys(secret_keys(tmp_path / "keys", LOG, local=True))
    told = [each for answered in load.answered for each in answered]
    print(f"{KILLS} kills, {seen_waiting} with something in the spool; {len(told)} decisions answered, {len(found)} in the log")
    print(f"{len(load.retried)} answers by the long way, {load.expressed} by the express lane")
    assert seen_waiting > KILLS / 10
    assert min(len(load.retried), load.expressed) > len(told) / 10
    assert len(set(found)) == len(found)
    assert set(told) - set(found) == set()
    for answered in load.answered:
        own = set(answered)
        assert [identity for identity in found if identity in own] == answered
    assert list(logged(log.links(), [], lambda: keys)) == []
    assert again.content == response
    log.close()
