"""The express lane against the long way, on one server: the same answers, the same refusals, the same headers."""

import json
import re
import socket
from collections.abc import Iterator
from http.client import HTTPConnection
from threading import Thread
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.governance.api_keys import Action, Allowance
from serving.door.connections import Patience
from tests.bundles import record
from tests.doors import SCORE, Doorway, key
from tests.servers import serving

pytestmark = pytest.mark.integration

LONG_WAY = {"content-encoding": "identity"}
"""What says nothing, and is not for the lane."""
IDS = re.compile(rb"[0-9a-f]{32}(-\d+)?")
GOOD = json.dumps(record()).encode()
ROOM = Allowance(requests_per_second=10_000, burst=10_000, decisions_per_second=100_000, in_flight=500)


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    app = Doorway(key(allowance=ROOM), key("reader", actions=[Action.READ]), key("other", models=["another"])).app
    with serving(app, Patience(20.0)) as port:
        yield port


def asked(port: int, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
    connection = HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request("POST", path, body, {"content-type": "application/json", **headers})
    answer = connection.getresponse()
    said = answer.read()
    connection.close()
    told = {name.lower(): value for name, value in answer.getheaders() if name.lower() not in ("date", "x-request-id")}
    return answer.status, told, IDS.sub(b"id", said)


names = st.sampled_from(sorted(record()))
bodies = st.one_of(
    st.just(GOOD),
    st.builds(
        lambda name, value: json.dumps(record() | {name: value}).encode(), st.sampled_from(sorted(record())), st.integers()
    ),
    st.builds(
        lambda name: json.dumps({k: v for k, v in record().items() if k != name}).encode(), st.sampled_from(sorted(record()))
    ),
    st.builds(lambda value: json.dumps(record() | {"more": value}).encode(), st.text(max_size=20)),
    st.builds(lambda count: json.dumps({"records": [record()] * count}).encode(), st.integers(0, 3)),
    st.binary(min_size=1, max_size=200),
)
holders = st.sampled_from(["app", "reader", "other", "nobody"])
paths = st.sampled_from([SCORE, SCORE, SCORE, "/v1/models/another/score"])


@given(body=bodies, holder=holders, path=paths, echo=st.sampled_from(["", "mine", "not harmless!"]))
def test_the_lane_says_what_the_long_way_says(port: int, body: bytes, holder: str, path: str, echo: str) -> None:
    headers = {"authorization": f"Bearer secret-{holder}"} | ({"x-request-id": echo} if echo else {})
    assert asked(port, path, body, headers) == asked(port, path, body, headers | LONG_WAY)


def raw(body: bytes = GOOD, *more: str) -> bytes:
    lines = [f"POST {SCORE} HTTP/1.1", "host: x", "content-type: application/json", "authorization: Bearer secret-app", *more]
    return "\r\n".join([*lines, f"content-length: {len(body)}", "", ""]).encode() + body


def read(client: socket.socket, count: int) -> list[dict[str, Any]]:
    """So many answers, in the order in which they come."""
    said = client.makefile("rb")
    found = []
    for _ in range(count):
        assert said.readline().startswith(b"HTTP/1.1 200")
        length = 0
        while line := said.readline().strip():
            name, _, value = line.partition(b": ")
            length = int(value) if name == b"content-length" else length
        found.append(json.loads(said.read(length)))
    return found


def account(number: int) -> bytes:
    return json.dumps(record() | {"account_id": f"A{number}"}).encode()


@pytest.mark.parametrize("ways", [["", "", ""], ["", "long", ""], ["long", "", ""], ["", "", "long"]])
def test_requests_sent_without_waiting_are_answered_in_their_order_whichever_way_they_go(port: int, ways: list[str]) -> None:
    more = {"": (), "long": ("content-encoding: identity",)}
    echoes = [f"x-request-id: number-{place}" for place in range(len(ways))]
    with socket.create_connection(("127.0.0.1", port), timeout=20) as client:
        client.sendall(
            b"".join(raw(account(n), echo, *more[way]) for n, (way, echo) in enumerate(zip(ways, echoes, strict=True)))
        )
        said = client.makefile("rb")
        order = []
        for _ in ways:
            length = 0
            while line := said.readline().strip():
                name, _, value = line.partition(b": ")
                length = int(value) if name == b"content-length" else length
                if name == b"x-request-id":
                    order.append(value.decode())
            said.read(length)
    assert order == [f"number-{place}" for place in range(len(ways))]


def test_a_request_that_comes_byte_by_byte_is_answered(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=20) as client:
        for byte in raw():
            client.sendall(bytes([byte]))
        assert read(client, 1)[0]["answers"]


def test_one_connection_is_answered_again_and_again(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=20) as client:
        ids = set()
        for _ in range(20):
            client.sendall(raw())
            ids |= {answer["answers"][0]["decision_id"] for answer in read(client, 1)}
    assert len(ids) == 20


def test_a_client_that_asks_for_an_end_gets_its_answer_and_an_end(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=20) as client:
        client.sendall(raw(GOOD, "connection: close"))
        assert read(client, 1)
        assert client.recv(1) == b""


def to_the_end(client: socket.socket) -> bytes:
    said = b""
    while part := client.recv(65_536):
        said += part
    return said


@pytest.mark.parametrize("apart", [True, False])
@pytest.mark.parametrize(
    "asks", [("connection: upgrade", "upgrade: h2c"), ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c")]
)
def test_a_body_behind_a_wish_for_another_protocol_is_never_read_as_a_request(
    port: int, asks: tuple[str, ...], *, apart: bool
) -> None:
    inner = raw(GOOD, "x-request-id: smuggled")
    outer = raw(inner, *asks)
    head, end, body = outer.partition(b"\r\n\r\n")
    with socket.create_connection(("127.0.0.1", port), timeout=20) as client:
        if apart:
            client.sendall(head + end)
            said = to_the_end(client)
        else:
            client.sendall(outer)
            said = to_the_end(client)
    assert said.startswith(b"HTTP/1.1 400 ")
    assert b"without Upgrade" in said
    assert b"smuggled" not in said
    assert body == inner


@pytest.mark.parametrize("more", [(), ("content-encoding: identity",), ("idempotency-key: k{number}",)])
def test_what_was_asked_before_a_broken_request_is_answered_and_the_breakage_is_no_answer(
    port: int, more: tuple[str, ...]
) -> None:
    for number in range(5):
        asked = raw(account(number), *(each.format(number=f"{number}-{more}".encode().hex()) for each in more))
        with socket.create_connection(("127.0.0.1", port), timeout=20) as client:
            client.sendall(asked + b"garbage\r\n\r\n")
            said = to_the_end(client)
        assert said.startswith(b"HTTP/1.1 200 ")
        assert said.count(b"HTTP/1.1") == 1


def test_of_two_requests_before_a_broken_one_both_are_answered(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=20) as client:
        client.sendall(raw(account(1), "content-encoding: identity") + raw(account(2)) + b"garbage\r\n\r\n")
        said = to_the_end(client)
    assert said.count(b"HTTP/1.1 200 ") == 2


@pytest.mark.parametrize("more", [(), ("content-encoding: identity",)])
def test_many_small_requests_sent_at_once_have_no_large_head(port: int, more: tuple[str, ...]) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=60) as client:
        client.sendall(raw(GOOD, *more) * 400)
        assert len(read(client, 400)) == 400


def test_the_first_id_that_a_caller_gives_is_the_one_that_counts(port: int) -> None:
    for more in ((), ("content-encoding: identity",)):
        with socket.create_connection(("127.0.0.1", port), timeout=20) as client:
            client.sendall(raw(GOOD, "x-request-id: ", "x-request-id: second", *more))
            client.shutdown(socket.SHUT_WR)
            assert b"second" not in to_the_end(client)


def test_a_request_whose_body_comes_while_the_service_stops_is_answered() -> None:
    asked = raw()
    said: list[bytes] = []

    def late(client: socket.socket, port: int) -> None:
        """The rest, when nobody is let in any more."""
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=20).close()
            except OSError:
                break
        client.sendall(asked[-20:])
        said.append(to_the_end(client))

    with serving(Doorway(key()).app, Patience(20.0)) as port:
        client = socket.create_connection(("127.0.0.1", port), timeout=20)
        client.sendall(raw() + asked[:-20])
        assert read(client, 1)
        sending = Thread(target=late, args=(client, port))
        sending.start()
    sending.join()
    client.close()
    assert said[0].startswith(b"HTTP/1.1 200 ")
