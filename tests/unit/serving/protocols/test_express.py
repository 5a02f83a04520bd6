"""The express lane takes small requests that are plainly all right, and nothing else; what it takes, it answers once."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from models.governance.api_keys import Allowance
from serving.answers.desk import AT_ONCE_BYTES
from serving.door.bodies import Header
from serving.door.guard import MOST_HEADERS, Bounds
from tests.bundles import record
from tests.doors import SCORE, Doorway, key

URL = SCORE.encode()
BODY = json.dumps(record()).encode()
TYPE, LENGTH = (b"content-type", b"application/json"), (b"content-length", str(len(BODY)).encode())
PLAIN = [(b"host", b"x"), TYPE, LENGTH]
OPEN = Doorway().app.lane


@dataclass
class Client:
    """What one connection is told."""

    gone: bool = False
    told: list[tuple[int, dict[bytes, bytes], bytes, str]] = field(default_factory=list)

    def reply(self, status: int, headers: Sequence[Header], body: bytes, echo: str) -> None:
        self.told.append((status, dict(headers), body, echo))


@pytest.mark.parametrize(
    "also",
    [
        [],
        [(b"connection", b"keep-alive")],
        [(b"x-request-id", b"mine")],
        [(b"authorization", b"Bearer x")],
        [(b"accept", b"*/*")],
    ],
)
def test_a_small_request_to_score_is_for_the_lane(also: list[Header]) -> None:
    assert OPEN.head(b"POST", URL, [*PLAIN, *also])


@pytest.mark.parametrize(
    ("method", "url", "headers"),
    [
        (b"GET", URL, PLAIN),
        (b"POST", b"/v1/models/limits/counterfactual", PLAIN),
        (b"POST", URL + b"?a=1", PLAIN),
        (b"POST", URL.replace(b"limits", b"lim%69ts").replace(b"/score", b"%2Fscore"), PLAIN),
        (b"POST", b"/v1/models/" + b"m" * 3_000 + b"/score", PLAIN),
        (b"POST", URL, [TYPE]),
        (b"POST", URL, [LENGTH]),
        (b"POST", URL, [TYPE, (b"content-length", b"0")]),
        (b"POST", URL, [TYPE, (b"content-length", b"4097")]),
        (b"POST", URL, [TYPE, (b"content-length", b"-1")]),
        (b"POST", URL, [TYPE, LENGTH, LENGTH]),
        (b"POST", URL, [LENGTH, (b"content-type", b"application/json; charset=utf-8")]),
        (b"POST", URL, [LENGTH, (b"content-type", b"text/csv")]),
        (b"POST", URL, [*PLAIN, (b"idempotency-key", b"k")]),
        (b"POST", URL, [*PLAIN, (b"transfer-encoding", b"chunked")]),
        (b"POST", URL, [*PLAIN, (b"content-encoding", b"gzip")]),
        (b"POST", URL, [*PLAIN, (b"expect", b"100-continue")]),
        (b"POST", URL, [*PLAIN, (b"connection", b"close")]),
        (b"POST", URL, [*PLAIN, (b"upgrade", b"h2c")]),
        (b"POST", URL, [*PLAIN, *[(b"x", b"y")] * MOST_HEADERS]),
    ],
)
def test_any_other_goes_the_long_way(method: bytes, url: bytes, headers: list[Header]) -> None:
    assert OPEN.head(method, url, headers) is None


async def sent(doorway: Doorway, clients: Sequence[Client], body: bytes = BODY, *, also: Sequence[Header] = ()) -> list[bool]:
    """Which were accepted; when it returns, all of them have heard."""
    lane = doorway.app.lane
    await asyncio.to_thread(doorway.watcher.look)
    head = lane.head(b"POST", URL, [TYPE, (b"content-length", str(len(body)).encode()), *also])
    taken = [lane.take(head, body, client.reply, lambda client=client: client.gone) for client in clients]
    while doorway.app.lane.guard.in_flight:
        await asyncio.sleep(0)
    await asyncio.to_thread(doorway.recorder.close)
    return taken


def test_requests_that_came_together_are_decided_recorded_and_answered_once_each() -> None:
    doorway, clients = Doorway(), [Client(), Client(), Client()]
    assert asyncio.run(sent(doorway, clients, also=[(b"x-request-id", b"mine")])) == [True] * 3
    answers = [client.told for client in clients]
    assert [[status for status, *_ in told] for told in answers] == [[200]] * 3
    ids = {json.loads(told[0][2])["answers"][0]["decision_id"] for told in answers}
    assert ids == set(doorway.log.decisions)  # type: ignore[attr-defined]
    assert len(ids) == 3
    assert {told[0][3] for told in answers} == {"mine"}


def test_a_refusal_is_told_in_the_words_of_the_long_way_and_nothing_is_recorded() -> None:
    doorway, client = Doorway(), Client()
    asyncio.run(sent(doorway, [client], b'{"account_id": 1}'))
    ((status, headers, body, echo),) = client.told
    assert (status, headers[b"content-type"]) == (422, b"application/problem+json")
    assert json.loads(body)["request_id"] == echo
    assert not doorway.log.decisions  # type: ignore[attr-defined]


def test_of_a_client_that_is_gone_nothing_is_decided_and_its_place_is_free() -> None:
    doorway, gone, there = Doorway(), Client(gone=True), Client()
    asyncio.run(sent(doorway, [gone, there]))
    assert (gone.told, len(there.told)) == ([], 1)
    assert len(doorway.log.decisions) == 1  # type: ignore[attr-defined]
    assert doorway.app.lane.guard.in_flight == 0


@pytest.mark.parametrize("also", [[], [(b"authorization", b"Bearer wrong")], [(b"authorization", b"Bearer secret-app")] * 2])
def test_whoever_is_not_admitted_is_left_to_the_long_way_untouched(also: list[Header]) -> None:
    doorway, client = Doorway(key()), Client()
    assert asyncio.run(sent(doorway, [client], also=also)) == [False]
    assert (client.told, doorway.app.lane.guard.in_flight) == ([], 0)


def test_the_lane_keeps_the_allowance_and_a_refused_request_costs_nothing_of_it() -> None:
    allowance = Allowance(requests_per_second=0.001, burst=2, decisions_per_second=1_000, in_flight=10)
    doorway, clients = Doorway(key(allowance=allowance)), [Client() for _ in range(4)]
    taken = asyncio.run(sent(doorway, clients, also=[(b"authorization", b"Bearer secret-app")]))
    assert taken == [True, True, False, False]


def test_there_are_no_more_in_the_lane_than_may_be_in_flight() -> None:
    doorway, clients = Doorway(bounds=Bounds(in_flight=2)), [Client() for _ in range(3)]
    assert asyncio.run(sent(doorway, clients)) == [True, True, False]


def test_what_takes_too_long_is_told_so_and_its_later_answer_is_dropped() -> None:
    doorway, client = Doorway(bounds=Bounds(request_seconds=0.01)), Client()
    lane = doorway.app.lane
    late = asyncio.Event()

    def reply(status: int, headers: Sequence[Header], body: bytes, echo: str) -> None:
        client.reply(status, headers, body, echo)
        late.set()

    class Slow:
        """Hands over when it is told to."""

        def take(self, ask: object, caller: object) -> None:
            self.caller = caller

    async def request() -> None:
        lane.desk = slow = Slow()
        assert lane.take(lane.head(b"POST", URL, PLAIN), BODY, reply, lambda: False)
        await asyncio.wait_for(late.wait(), 10)
        slow.caller.hear(RuntimeError("too late"))

    asyncio.run(request())
    assert [status for status, *_ in client.told] == [503]
    assert lane.guard.in_flight == 0


class Counted:
    """An access log, or a tracer, that writes down what it is told."""

    def __init__(self) -> None:
        self.told: list[object] = []

    def tell(self, *said: object) -> None:
        self.told.append(said)

    def wants(self, *_: object) -> bool:
        return True


@pytest.mark.parametrize(("body", "status"), [(BODY, 200), (b"{}", 422)])
def test_what_the_lane_answers_is_counted_and_written_down(body: bytes, status: int) -> None:
    doorway, client, access = Doorway(), Client(), Counted()
    doorway.app.lane.access = access
    asyncio.run(sent(doorway, [client], body))
    families = {family.name: family for family in doorway.app.lane.meter.families()}
    counted = {labels: count for labels, count in families["steward_responses"].samples.items() if count}
    assert counted == {(("status", str(status)),): 1}
    ((method, path, told, _, _),) = access.told  # type: ignore[misc]
    assert (method, path, told) == ("POST", SCORE, status)


def test_no_more_bytes_are_decided_in_one_go_than_leave_room_for_others() -> None:
    doorway, clients = Doorway(), [Client() for _ in range(12)]
    sizes: list[int] = []
    prepare = doorway.predictor.prepare

    def counted(asks: Sequence[Any]) -> Any:
        sizes.append(sum(len(ask.body) for ask in asks))
        return prepare(asks)

    doorway.app.lane.desk._predictor = type("Counting", (), {"prepare": staticmethod(counted)})()
    batch = json.dumps({"records": [record() | {"account_id": f"A{n}"} for n in range(15)]}).encode()
    assert asyncio.run(sent(doorway, clients, batch)) == [True] * 12
    assert len(sizes) > 1
    assert max(sizes) <= AT_ONCE_BYTES


def test_what_the_lane_answers_is_traced_with_its_stages_and_its_callers_trace() -> None:
    doorway, client, tracer = Doorway(), Client(), Counted()
    doorway.app.lane.tracer = tracer
    asyncio.run(sent(doorway, [client], also=[(b"traceparent", b"00-a-b-01")]))
    ((traced,),) = tracer.told  # type: ignore[misc]
    assert (traced.status, traced.parent) == (200, "00-a-b-01")
    (decided, recorded) = (traced.stages["decide"], traced.stages["record"])
    assert traced.began <= decided[0] <= decided[1] <= recorded[1] <= traced.ended
