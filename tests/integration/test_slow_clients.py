"""What a client may do to a connection: over real sockets, against the server as it is started."""

import json
import socket
from collections.abc import Iterator
from threading import Event, Thread
from typing import Any

import pytest

from serving.door.connections import LARGEST_HEAD, Patience
from serving.door.envelope import PLAIN
from serving.door.guard import Bounds
from tests.bundles import record
from tests.doors import SCORE, Doorway
from tests.servers import serving

pytestmark = pytest.mark.integration

PATIENT = 0.4
BODY = json.dumps(record()).encode()
HEAD = f"POST {SCORE} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {len(BODY)}\r\n\r\n".encode()


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    app = Doorway(bounds=Bounds(in_flight=1)).app
    with serving(app, Patience(PATIENT, look_seconds=0.05), keep_alive_seconds=1) as port:
        yield port


@pytest.fixture
def client(port: int) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", port), timeout=20) as made:
        yield made


def to_the_end(client: socket.socket) -> bytes:
    """What comes until the server closes; a server that does not runs into the socket's time limit."""
    said = b""
    while part := client.recv(65_536):
        said += part
    return said


def one_answer(client: socket.socket) -> tuple[int, Any]:
    """One answer with its body, from an open connection."""
    said = b""
    while b"\r\n\r\n" not in said:
        said += client.recv(65_536)
    head, _, body = said.partition(b"\r\n\r\n")
    length = int(next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")).split(b":")[1])
    while len(body) < length:
        body += client.recv(65_536)
    return int(head.split()[1]), json.loads(body)


def is_told(said: bytes, status: int) -> None:
    head, _, body = said.partition(b"\r\n\r\n")
    assert head.startswith(f"HTTP/1.1 {status} ".encode())
    assert b"application/problem+json" in head
    assert b"connection: close" in head
    assert all(name + b": " + value in head for name, value in PLAIN)
    assert json.loads(body)["status"] == status
    assert json.loads(body)["hint"]


@pytest.mark.parametrize("sent", [b"", b"\r\n", b"POST /v1", HEAD[:-2], HEAD, HEAD + BODY[:-1]])
def test_a_client_that_stops_in_the_middle_is_cut(client: socket.socket, sent: bytes) -> None:
    client.sendall(sent)
    is_told(to_the_end(client), 408)


def test_so_is_one_that_stops_in_the_middle_of_its_second_request(client: socket.socket) -> None:
    client.sendall(HEAD + BODY)
    assert one_answer(client)[0] == 200
    client.sendall(HEAD + BODY + HEAD[:20])
    assert one_answer(client)[0] == 200
    is_told(to_the_end(client), 408)


def test_so_is_one_that_only_sends_empty_lines_after_its_first_request(client: socket.socket) -> None:
    client.sendall(HEAD + BODY)
    assert one_answer(client)[0] == 200
    client.sendall(b"\r\n")
    is_told(to_the_end(client), 408)


def test_a_client_that_drips_is_cut_though_it_never_falls_silent(client: socket.socket) -> None:
    client.sendall(HEAD[:-2])
    stopped = Event()

    def drip() -> None:
        while not stopped.wait(0.02):
            try:
                client.sendall(b"x-a: b\r\n")
            except OSError:
                return

    dripping = Thread(target=drip)
    dripping.start()
    try:
        said = b""
        while part := client.recv(65_536):
            said += part
    except ConnectionResetError:
        pass  # it dripped on into a closed connection
    finally:
        stopped.set()
        dripping.join()
    assert said == b"" or said.startswith(b"HTTP/1.1 408 ")


def test_slow_senders_take_no_place_and_the_next_is_answered(client: socket.socket, port: int) -> None:
    """One request may be worked on at a time here, and ten are on their way."""
    slow = [socket.create_connection(("127.0.0.1", port), timeout=20) for _ in range(10)]
    try:
        for each in slow:
            each.sendall(HEAD + BODY[:-1])
        client.sendall(HEAD + BODY)
        assert one_answer(client)[0] == 200
    finally:
        for each in slow:
            each.close()


def test_an_idle_connection_is_closed_without_a_word(client: socket.socket) -> None:
    client.sendall(HEAD + BODY)
    assert one_answer(client)[0] == 200
    assert to_the_end(client) == b""


@pytest.mark.parametrize("whole", [True, False])
def test_a_head_of_any_size_is_not_taken(client: socket.socket, *, whole: bool) -> None:
    large = b"GET /v1/models HTTP/1.1\r\nhost: x\r\nx-a: " + b"a" * (LARGEST_HEAD + 1) + (b"\r\n\r\n" if whole else b"")
    client.sendall(large)
    is_told(to_the_end(client), 431)


def test_a_head_as_large_as_may_be_is_answered(client: socket.socket) -> None:
    client.sendall(b"GET /v1/models HTTP/1.1\r\nhost: x\r\nx-a: " + b"a" * (LARGEST_HEAD - 100) + b"\r\n\r\n")
    assert one_answer(client)[0] == 200


@pytest.mark.parametrize(
    "nonsense", [b"\x16\x03\x01\x00\x01\x00", b"GET\r\n\r\n", b"GET /\xff HTTP/1.1\r\nhost: x\r\n\r\n", b"\x00" * 50]
)
def test_what_is_no_http_is_told_so_without_a_repetition(client: socket.socket, nonsense: bytes) -> None:
    client.sendall(nonsense)
    is_told(to_the_end(client), 400)


def test_nobody_is_taken_to_another_protocol(client: socket.socket) -> None:
    upgrade = b"connection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-key: x\r\nsec-websocket-version: 13\r\n"
    client.sendall(b"GET /v1/models HTTP/1.1\r\nhost: x\r\n" + upgrade + b"\r\n")
    assert one_answer(client)[0] == 200
