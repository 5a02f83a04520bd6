"""What stands behind, or beside, a request on its connection: nothing of it takes the answer away, or is decided unasked."""

import json
import socket
from collections.abc import Iterator
from threading import Thread

import pytest

from serving.door.connections import LARGEST_HEAD, Patience
from tests.bundles import record
from tests.doors import SCORE, Doorway
from tests.servers import serving

pytestmark = pytest.mark.integration

BODY = json.dumps(record()).encode()
WAYS = [(), ("content-encoding: identity",)]
"""The lane, and what says nothing and is not for it."""


@pytest.fixture(scope="module")
def door() -> Doorway:
    return Doorway()


@pytest.fixture(scope="module")
def port(door: Doorway) -> Iterator[int]:
    with serving(door.app, Patience(20.0)) as port:
        yield port


@pytest.fixture
def client(port: int) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", port), timeout=20) as made:
        yield made


def asked(*more: str, version: str = "1.1", hosts: tuple[str, ...] = ("host: x",)) -> bytes:
    lines = [f"POST {SCORE} HTTP/{version}", *hosts, "content-type: application/json", *more]
    return "\r\n".join([*lines, f"content-length: {len(BODY)}", "", ""]).encode() + BODY


def to_the_end(client: socket.socket) -> bytes:
    """What comes until the server closes; a server that does not runs into the socket's time limit."""
    said = b""
    while part := client.recv(65_536):
        said += part
    return said


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "nowhere",
    [b"CONNECT x:80 HTTP/1.1", b"GET http://:x/ HTTP/1.1", b"GET http:///x HTTP/1.1", b"GET http://a@b@c/x HTTP/1.1"],
)
def test_a_request_behind_it_whose_address_is_none_takes_nobodys_answer(
    client: socket.socket, nowhere: bytes, way: tuple[str, ...]
) -> None:
    client.sendall(asked(*way) + nowhere + b"\r\nhost: x\r\n\r\n")
    said = to_the_end(client)
    assert said.startswith(b"HTTP/1.1 200 ")
    assert said.count(b"HTTP/1.1") == 1


@pytest.mark.parametrize("way", WAYS)
def test_of_two_requests_before_one_whose_address_is_none_both_are_answered(client: socket.socket, way: tuple[str, ...]) -> None:
    client.sendall(asked("content-encoding: identity") + asked(*way) + b"GET http:///x HTTP/1.1\r\nhost: x\r\n\r\n")
    assert to_the_end(client).count(b"HTTP/1.1 200 ") == 2


@pytest.mark.parametrize("way", WAYS)
def test_a_request_behind_it_whose_body_breaks_off_into_nonsense_takes_nobodys_answer(
    client: socket.socket, way: tuple[str, ...]
) -> None:
    head = f"POST {SCORE} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n"
    client.sendall(asked(*way) + head.encode() + b"nonsense\r\n")
    said = to_the_end(client)
    assert said.startswith(b"HTTP/1.1 200 ")
    assert said.count(b"HTTP/1.1") == 1


@pytest.mark.parametrize("way", [*WAYS, ("connection: keep-alive",)])
def test_a_client_of_the_protocol_before_gets_its_answer_and_an_end(client: socket.socket, way: tuple[str, ...]) -> None:
    client.sendall(asked(*way, version="1.0"))
    said = to_the_end(client)
    assert said.startswith(b"HTTP/1.1 200 ")
    assert b"decision_id" in said


def test_one_that_asks_for_another_protocol_is_answered_and_what_came_with_it_is_not_decided(
    client: socket.socket, door: Doorway
) -> None:
    client.sendall(
        b"GET /v1/models HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n" + asked("x-request-id: behind")
    )
    said = to_the_end(client)
    assert said.startswith(b"HTTP/1.1 200 ")
    assert b"connection: close" in said
    assert b"behind" not in said
    assert said.count(b"HTTP/1.1") == 1


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("hosts", [(), ("host: x", "host: x"), ("host: x", "Host: y")])
def test_a_request_that_does_not_name_one_host_is_refused(
    client: socket.socket, hosts: tuple[str, ...], way: tuple[str, ...]
) -> None:
    client.sendall(asked(*way, hosts=hosts))
    said = to_the_end(client)
    assert said.startswith(b"HTTP/1.1 400 ")
    assert b"does not name one host" in said


def test_the_protocol_before_knows_requests_without_a_host_and_none_with_two(port: int) -> None:
    for hosts, status in (((), b"200"), (("host: x", "host: y"), b"400")):
        with socket.create_connection(("127.0.0.1", port), timeout=20) as client:
            client.sendall(asked(version="1.0", hosts=hosts))
            assert to_the_end(client).startswith(b"HTTP/1.1 " + status)


def test_a_large_head_behind_it_takes_nobodys_answer(client: socket.socket) -> None:
    client.sendall(asked() + asked("x-a: " + "a" * LARGEST_HEAD))
    said = to_the_end(client)
    assert said.startswith(b"HTTP/1.1 200 ")
    assert said.count(b"HTTP/1.1") == 1


def test_a_small_request_whose_body_is_still_to_come_when_the_service_stops_is_answered() -> None:
    """Nothing was asked before it on its connection, so it is on its way into the lane."""
    said: list[bytes] = []

    def late(client: socket.socket, port: int) -> None:
        """The rest, when nobody is let in any more."""
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=20).close()
            except OSError:
                break
        client.sendall(asked()[-20:])
        said.append(to_the_end(client))

    with serving(Doorway().app, Patience(20.0)) as port:
        client = socket.create_connection(("127.0.0.1", port), timeout=20)
        client.sendall(asked()[:-20])
        with socket.create_connection(("127.0.0.1", port), timeout=20) as other:  # answered, so what came before it was read
            other.sendall(asked("connection: close"))
            assert to_the_end(other).startswith(b"HTTP/1.1 200 ")
        sending = Thread(target=late, args=(client, port))
        sending.start()
    sending.join()
    client.close()
    assert said[0].startswith(b"HTTP/1.1 200 ")
