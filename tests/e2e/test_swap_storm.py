"""Swaps under load: 100 of them while 1,000,000 requests are answered, by one worker and by two. None fails, none is mixed.

`SOAK_SHARE=0.01` makes a hundredth of the requests do, with as many swaps.
"""

import json
import os
import re
import selectors
import socket
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from threading import Condition, Thread
from time import monotonic

import pytest
from sqlalchemy import create_engine, text

from models.bundle import Bundle
from tests.benchmarks.serving.load import post
from tests.bundles import real_bundle, record
from tests.running import SCORE, Service

pytestmark = [pytest.mark.integration, pytest.mark.soak, pytest.mark.timeout(3_600)]

SWAPS, CLIENTS = 100, 32
REQUESTS = int(1_000_000 * float(os.environ.get("SOAK_SHARE", "1")))
BASES = tuple(number / 20 for number in range(1, 8))
SAID = re.compile(rb'"version":(\d+),"bundle":"([0-9a-f]{64})",.*"probability":([0-9.e-]+)')

Expected = Mapping[int, tuple[str, float]]
"""Bundle and probability by version: what belongs together."""


@dataclass
class Connection:
    """One client's; `version` is the newest that answered here."""

    door: socket.socket
    taken: bytearray = field(default_factory=bytearray)
    version: int = 0


class Storm(Thread):
    """A closed loop of clients on kept connections, until told that it is enough. Whatever is wrong is counted by name."""

    def __init__(self, service: Service, expected: Expected) -> None:
        super().__init__()
        port = int(service.clients[-1].base_url.port or 0)
        self._request = post(port, SCORE, json.dumps(record()).encode())
        self._expected = expected
        self._doors = selectors.DefaultSelector()
        self._connections = [Connection(socket.create_connection(("127.0.0.1", port), timeout=60)) for _ in range(CLIENTS)]
        self._moved = Condition()
        self.enough = False
        self.answers = 0
        self.wrong: Counter[str] = Counter()

    def run(self) -> None:
        for connection in self._connections:
            self._doors.register(connection.door, selectors.EVENT_READ, connection)
            connection.door.sendall(self._request)
        while self._doors.get_map():
            for key, _ in self._doors.select():
                self._read(key.data)

    def reaches(self, answers: int, version: int) -> None:
        """Wait for so many answers, and until each connection was answered by this version."""
        with self._moved:
            while self.answers < answers or min(each.version for each in self._connections) < version:
                assert self._moved.wait(60), f"after {self.answers} answers nothing more came: {self.wrong}"

    def _read(self, connection: Connection) -> None:
        try:
            part = connection.door.recv(1 << 16)
        except OSError:
            part = b""
        connection.taken += part
        head, end, body = bytes(connection.taken).partition(b"\r\n\r\n")
        if not part:
            self.wrong["connection lost"] += 1
        elif not end or len(body) < int(re.findall(rb"content-length: (\d+)", head)[0]):
            return
        else:
            self._judge(connection, head, body)
        connection.taken.clear()
        if self.enough or not part:
            self._doors.unregister(connection.door)
            connection.door.close()
        else:
            connection.door.sendall(self._request)

    def _judge(self, connection: Connection, head: bytes, body: bytes) -> None:
        found = SAID.search(body)
        if not head.startswith(b"HTTP/1.1 200") or found is None:
            self.wrong[f"failed: {head[:15]!r} {body[:200]!r}"] += 1
            return
        version = int(found[1])
        if self._expected.get(version) != (found[2].decode(), float(found[3])):
            self.wrong["mixed"] += 1
        if version < connection.version:
            self.wrong["an older version after a newer one"] += 1
        with self._moved:
            self.answers += 1
            if connection.version != version or self.answers % 1_000 == 0:
                connection.version = version
                self._moved.notify()


@pytest.fixture(scope="module")
def bundles() -> list[Bundle]:
    return [real_bundle(base) for base in BASES]


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    made = Service(tmp_path)
    yield made
    made.end()


@pytest.mark.parametrize("workers", [1, 2])
def test_no_request_fails_and_no_answer_is_mixed_while_versions_change_a_hundred_times(
    service: Service, bundles: list[Bundle], workers: int
) -> None:
    expected = {version: (bundles[version % len(bundles)].digest, BASES[version % len(bundles)]) for version in range(SWAPS + 1)}
    service.promote(bundles[0], version=0)
    service.start(STEWARD_SERVING_WORKERS=str(workers))
    storm, began = Storm(service, expected), monotonic()
    storm.start()
    for version in range(1, SWAPS + 1):
        storm.reaches(REQUESTS * version // (SWAPS + 1), version - 1)
        service.promote(bundles[version % len(bundles)], version=version)
    storm.reaches(REQUESTS, SWAPS)
    storm.enough = True
    storm.join()
    seconds = monotonic() - began
    print(f"{workers} workers: {storm.answers:,} answers and {SWAPS} swaps in {seconds:,.0f} s; wrong: {dict(storm.wrong)}")
    assert storm.wrong == {}
    service.stop()
    assert logged(service) == storm.answers >= REQUESTS


def logged(service: Service) -> int:
    database = create_engine(f"sqlite:///{service.home / 'decisions.db'}")
    with database.connect() as connection:
        count = int(connection.execute(text("SELECT count(*) FROM decisions")).scalar_one())
    database.dispose()
    return count
