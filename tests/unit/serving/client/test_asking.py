"""How often a call is tried, how long is waited, and what a caller is told."""

import asyncio
import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import httpx
import pytest

from models.errors import InputRefused, Misconfigured
from serving.client import (
    AsyncClient,
    Client,
    NotAuthenticated,
    NotUnderstood,
    Refused,
    ServiceError,
    TooMany,
    Unavailable,
)
from serving.client.errors import BY_STATUS
from serving.paths.problems import STATUS

SCORED = {"request_id": "r", "model": "m", "version": 1, "bundle": "b", "answers": []}
URL = "http://127.0.0.1:1"

Outcome = httpx.Response | httpx.TransportError


def problem(status: int, **headers: str) -> httpx.Response:
    said = {"detail": "why", "hint": "what to do", "request_id": "r7", "status": status}
    return httpx.Response(status, json=said, headers={name.replace("_", "-"): value for name, value in headers.items()})


def scored() -> httpx.Response:
    return httpx.Response(200, json=SCORED)


class Service:
    """Answers as it is told, one outcome a try; the last one for ever. Time passes only by waiting, and `slow` a try."""

    def __init__(self, outcomes: Iterable[Outcome], slow: float = 0.0) -> None:
        self.outcomes = list(outcomes)
        self.asked: list[httpx.Request] = []
        self.waited: list[float] = []
        self.now = 0.0
        self.slow = slow

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        self.now += self.slow
        outcome = self.outcomes.pop(0) if len(self.outcomes) > 1 else self.outcomes[0]
        if isinstance(outcome, httpx.Response):
            return outcome
        raise outcome

    def sleep(self, seconds: float) -> None:
        self.waited.append(seconds)
        self.now += seconds

    def client(self, chance: float = 1.0, **settings: Any) -> Client:
        doors: dict[str, Any] = {"transport": httpx.MockTransport(self), "sleep": self.sleep}
        return Client(URL, model="m", ticks=lambda: self.now, chance=lambda: chance, **doors, **settings)


LOST = [httpx.ConnectError("refused"), httpx.ReadError("cut"), httpx.RemoteProtocolError("ended")]


@pytest.mark.parametrize("first", [*LOST, *(problem(status) for status in (429, 502, 503, 504))])
def test_what_may_succeed_unchanged_is_tried_again_as_one_call(first: Outcome) -> None:
    service = Service([first, scored()])
    with service.client() as client:
        assert client.score({"a": 1}).model == "m"
    one, two = service.asked
    assert one.content == two.content == b'{"a":1}'
    for header in ("idempotency-key", "x-request-id"):
        assert one.headers[header] == two.headers[header] != ""


@pytest.mark.parametrize("status", [*sorted(set(BY_STATUS) - {429, 502, 503, 504}), 500, 302, 418])
def test_what_cannot_succeed_unchanged_is_not_tried_again(status: int) -> None:
    service = Service([problem(status, location="http://elsewhere")])
    with service.client() as client, pytest.raises(ServiceError) as caught:
        client.score({"a": 1})
    assert (len(service.asked), caught.value.status) == (1, status)


def test_two_calls_have_two_keys_unless_the_caller_says_which() -> None:
    service = Service([scored()])
    with service.client() as client:
        client.score({})
        client.score({})
        client.score({}, idempotency_key="mine")
    keys = [request.headers["idempotency-key"] for request in service.asked]
    assert (len(set(keys)), keys[2]) == (3, "mine")


def test_waits_double_up_to_a_bound_and_are_drawn_below_it() -> None:
    service = Service([problem(502)])
    with service.client(timeout=1_000.0, retries=8) as client, pytest.raises(Unavailable):
        client.score({})
    assert service.waited == pytest.approx([0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0])
    half = Service([problem(502), scored()])
    with half.client(chance=0.5) as client:
        client.score({})
    assert half.waited == [0.05]


def test_what_retry_after_says_is_the_least_that_is_waited() -> None:
    service = Service([problem(429, retry_after="3"), scored()])
    with service.client() as client:
        client.score({})
    assert service.waited == [3.0]


def test_a_wait_that_would_outlast_the_call_is_not_begun() -> None:
    service = Service([problem(429, retry_after="11")])
    with service.client(timeout=10.0) as client, pytest.raises(TooMany) as caught:
        client.score({})
    assert (caught.value.retry_after, service.waited, len(service.asked)) == (11.0, [], 1)


def test_a_call_ends_with_its_time_whatever_tries_are_left() -> None:
    service = Service([httpx.ReadTimeout("slow")], slow=4.0)
    with service.client(timeout=10.0, retries=100) as client, pytest.raises(Unavailable):
        client.score({})
    assert len(service.asked) == 3
    assert [request.extensions["timeout"]["read"] for request in service.asked] == pytest.approx([10.0, 5.9, 1.7])


def test_an_answer_that_comes_drop_by_drop_is_given_up_when_the_time_is_over() -> None:
    service = Service([scored()])

    def drops() -> Iterator[bytes]:
        for _ in range(1_000):
            service.now += 1.0
            yield b" "

    def dripping(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=drops())

    client = Client(URL, model="m", timeout=10.0, ticks=lambda: service.now, transport=httpx.MockTransport(dripping))
    with client, pytest.raises(Unavailable, match="not whole"):
        client.score({})
    assert service.now <= 12.0


def test_readiness_is_an_answer_also_where_it_is_no() -> None:
    service = Service([httpx.Response(503, json={"ready": False, "reason": "no model"})])
    with service.client() as client:
        assert (client.ready().ready, client.ready().reason) == (False, "no model")
    assert len(service.asked) == 2


@pytest.mark.parametrize(
    "content", [b"", b"<html>", b"[]", b'"text"', b"{}", b'{"answers": [{}]}', json.dumps(SCORED | {"answers": [1]}).encode()]
)
def test_an_answer_that_is_none_of_the_service_s_is_said_to_be_none(content: bytes) -> None:
    with Service([httpx.Response(200, content=content)]).client() as client, pytest.raises(NotUnderstood):
        client.score({})


@pytest.mark.parametrize("content", [b"<html>busy</html>", b"[1]", b'{"errors": [7, {"record": "x"}], "detail": null}'])
def test_a_page_of_something_in_between_is_an_error_of_its_status(content: bytes) -> None:
    with Service([httpx.Response(401, content=content)]).client() as client, pytest.raises(NotAuthenticated) as caught:
        client.models()
    assert (caught.value.errors, caught.value.status) == ((), 401)


def test_what_json_cannot_hold_is_refused_before_anything_is_sent() -> None:
    service = Service([scored()])
    for record in ({"a": float("nan")}, {"a": object()}):
        with service.client() as client, pytest.raises(Refused, match="cannot be sent"):
            client.score(record)
    assert service.asked == []


def test_every_status_that_the_service_gives_has_a_kind() -> None:
    assert set(STATUS.values()) <= BY_STATUS.keys()


class Frame:
    """As a data frame is: it gives the names of its columns."""

    def __iter__(self) -> Iterator[str]:
        return iter(["account_id", "bill_0"])


@pytest.mark.parametrize("what", ["abc", ["abc"], [1], [[("a", 1)]], None, 7, Frame()])
def test_what_is_no_record_is_refused_before_anything_is_sent_and_says_what_one_is(what: Any) -> None:
    service = Service([scored()])
    with service.client() as client, pytest.raises(Refused, match="a record is a mapping") as caught:
        client.score(what)
    assert "to_dict('records')" in caught.value.hint
    assert service.asked == []


def test_a_key_is_in_no_representation_and_does_not_leave_in_the_clear() -> None:
    for good in ("https://scoring.bank.example", "http://localhost:8080", "http://[::1]:1"):
        with Client(good, "secret") as client:
            assert "secret" not in repr(vars(client))
    with pytest.raises(Misconfigured, match="in the clear"):
        Client("http://scoring.bank.example", "secret")
    Client("http://scoring.bank.example", "secret", plain_http=True).close()
    Client("http://scoring.bank.example").close()


@pytest.mark.parametrize("url", ["", "scoring", "ftp://x", "https://user@x", "https://x?a=1", "https://x:port", "https://"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(Misconfigured, match="address"):
        Client(url)


def test_a_call_that_names_no_model_is_told_so() -> None:
    with Client(URL) as client, pytest.raises(Misconfigured, match="no model is named"):
        client.score({})


@pytest.mark.parametrize("key", ["bad key", "key\n", "ü", "\x7f", "k" * 256])
def test_an_idempotency_key_that_the_service_would_refuse_is_refused_before_anything_is_sent(key: str) -> None:
    service = Service([scored()])
    with service.client() as client, pytest.raises(InputRefused, match="visible ASCII"):
        client.score({}, idempotency_key=key)
    assert service.asked == []


@pytest.mark.parametrize("key", [7, 0, b"key", None])
def test_an_idempotency_key_that_is_no_text_is_refused_before_anything_is_sent(key: Any) -> None:
    service = Service([scored()])
    with service.client() as client, pytest.raises(InputRefused, match="is no str"):
        client.score({}, idempotency_key=key)
    assert service.asked == []


def test_a_name_cannot_leave_its_place_in_the_path() -> None:
    service = Service([scored()])
    with service.client() as client:
        client.score({}, model="../metrics?x#y")
    assert service.asked[0].url.raw_path == b"/v1/models/..%2Fmetrics%3Fx%23y/score"


def test_the_awaited_client_waits_and_gives_up_likewise() -> None:
    service = Service([LOST[0], problem(503, retry_after="2"), scored()])

    async def slept(seconds: float) -> None:
        service.sleep(seconds)

    async def asked(**settings: Any) -> object:
        transport, ticks = httpx.MockTransport(service), lambda: service.now
        async with AsyncClient(URL, model="m", transport=transport, ticks=ticks, sleep=slept, chance=lambda: 1.0) as client:
            return await client.score({})

    assert asyncio.run(asked())
    assert service.waited == [0.1, 2.0]
    assert len({request.headers["idempotency-key"] for request in service.asked}) == 1


def test_the_awaited_client_gives_up_an_answer_that_does_not_come_to_its_end() -> None:
    async def never(_: httpx.Request) -> httpx.Response:
        await asyncio.Event().wait()
        raise AssertionError

    async def asked() -> None:
        async with AsyncClient(URL, model="m", timeout=0.02, transport=httpx.MockTransport(never)) as client:
            await client.score({})

    with pytest.raises(Unavailable, match="not whole"):
        asyncio.run(asked())


def test_both_clients_take_the_same_calls() -> None:
    def asks(client: type) -> set[str]:
        return {name for name, found in vars(client).items() if isinstance(found, Callable) and not name.startswith("_")}

    assert asks(Client) - {"close"} == asks(AsyncClient) - {"aclose"}
