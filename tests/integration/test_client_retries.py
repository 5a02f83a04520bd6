"""A service that is killed after it decided and before its caller knows: the client's retry gets the same decision."""

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from signal import SIGKILL
from threading import Thread

import pytest

from serving.client import Client
from tests.bundles import MODEL, record
from tests.running import Service
from tests.samples import sealed

pytestmark = pytest.mark.integration


@contextmanager
def between(port: Callable[[], int], lost: Callable[[], None]) -> Iterator[int]:
    """A way to the service. Its first answer is lost on it, when all of it is there; `lost` is called in its place."""
    door = socket.create_server(("127.0.0.1", 0))

    def carry() -> None:
        for number in range(2):
            client, _ = door.accept()
            with client, socket.create_connection(("127.0.0.1", port())) as service:
                service.sendall(_whole(client))
                answer = _whole(service)
                if number:
                    client.sendall(answer)
                else:
                    lost()

    thread = Thread(target=carry)
    thread.start()
    try:
        yield door.getsockname()[1]
    finally:
        thread.join(30)
        door.close()


def _whole(source: socket.socket) -> bytes:
    """One message, by its content-length."""
    taken = b""
    while b"\r\n\r\n" not in taken:
        taken += source.recv(65_536)
    head, _, body = taken.partition(b"\r\n\r\n")
    length = int(next(line.split(b":")[1] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")))
    while len(body) < length:
        body += source.recv(65_536)
    return head + b"\r\n\r\n" + body


def test_what_a_killed_service_had_decided_is_what_the_retry_is_told(tmp_path: Path) -> None:
    service = Service(tmp_path)
    service.promote(sealed(), version=1)
    service.start()
    try:

        def killed() -> None:
            service.stop(SIGKILL)
            service.start()

        way = between(lambda: service.clients[-1].base_url.port or 0, killed)
        with way as port, Client(f"http://127.0.0.1:{port}", model=MODEL, timeout=60.0) as client:
            scored = client.score(record())
        assert len(service.clients) == 2
        assert scored.replayed
        assert service.logged() == {scored.only.decision_id}
    finally:
        service.end()
