"""Who comes through the door, for what, and how much of it."""

import asyncio
import json
from collections.abc import Callable
from datetime import timedelta
from threading import Event
from typing import Any

import httpx
import pytest
from fastapi.testclient import TestClient

from models.governance.api_keys import Allowance, ApiKey
from serving.door.guard import LONGEST_ADDRESS, MOST_HEADERS, Bounds
from serving.door.holders import Holder
from serving.door.refusals import TooManyRequests
from tests.bundles import MODEL, NOW, record, records
from tests.doors import COUNSEL, SCORE, Doorway, bearer, key
from tests.fakes.decisions import InMemoryDecisionLog

REVIEW = {"outcome": "keep", "reviewer": "r.lin", "reason_code": "X"}
GUARDED: list[tuple[str, str]] = [
    ("POST", SCORE),
    ("POST", COUNSEL),
    ("POST", "/v1/decisions/1-0/review"),
    ("GET", "/v1/decisions/1-0/review"),
    ("GET", "/v1/models"),
    ("GET", "/openapi.json"),
    ("GET", "/metrics"),
    ("POST", "/invocations"),
    ("GET", "/nothing/here"),
    ("GET", SCORE),
    ("POST", COUNSEL + "%0A"),
]


def asked(doorway: Doorway, ask: Callable[[TestClient], httpx.Response]) -> httpx.Response:
    with TestClient(doorway.app, raise_server_exceptions=False) as client:
        return ask(client)


def scored(doorway: Doorway, headers: dict[str, str], **changes: Any) -> httpx.Response:
    return asked(doorway, lambda client: client.post(SCORE, json=record(**changes), headers=headers))


@pytest.mark.parametrize(("method", "path"), GUARDED)
def test_nothing_is_answered_without_a_key_once_there_is_one(method: str, path: str) -> None:
    response = asked(Doorway(key()), lambda client: client.request(method, path, json=record()))
    assert response.status_code == 401
    assert response.headers["www-authenticate"] == 'Bearer realm="steward"'
    assert "make api-key" in response.json()["hint"]


@pytest.mark.parametrize(("method", "path"), GUARDED)
def test_a_key_for_nothing_else_opens_nothing_else(method: str, path: str) -> None:
    allowed = {SCORE: "counterfactual", "/invocations": "counterfactual"}.get(path, "score")
    response = asked(
        Doorway(key(actions=[allowed])), lambda client: client.request(method, path, json=record(), headers=bearer())
    )
    assert response.status_code == 403
    assert "this key may not" in response.json()["detail"]
    assert f"it may {allowed}" in response.json()["hint"]


@pytest.mark.parametrize("path", ["/nothing/here", COUNSEL + "%0A", "/v1/models/", "/docs"])
def test_a_path_that_no_rule_names_needs_a_key_for_everything(path: str) -> None:
    some = [key("reader", actions=["read"]), key("most", actions=["read", "score", "review"]), key("one", models=[MODEL])]
    with TestClient(Doorway(key(), *some).app, follow_redirects=False) as client:
        for each in some:
            assert client.post(path, json=record(), headers=bearer(each.name)).status_code == 403
        assert client.post(path, json=record(), headers=bearer()).status_code != 403


@pytest.mark.parametrize(
    "presented",
    [
        {"Authorization": "Bearer secret-other"},
        {"Authorization": "Bearer "},
        {"Authorization": "Basic secret-app"},
        {"Authorization": "secret-app"},
        {"Authorization": f"Bearer {key().digest}"},
    ],
)
def test_what_is_no_key_opens_nothing(presented: dict[str, str]) -> None:
    doorway = Doorway(key())
    response = scored(doorway, presented)
    assert response.status_code == 401
    assert 'error="invalid_token"' in response.headers["www-authenticate"]
    assert "app" not in response.text.replace("appli", "")
    assert not doorway.log.decisions  # type: ignore[attr-defined]


def test_two_keys_in_one_request_open_nothing() -> None:
    headers = [("authorization", "Bearer secret-app"), ("authorization", "Bearer secret-other")]
    response = asked(Doorway(key()), lambda client: client.post(SCORE, json=record(), headers=headers))  # type: ignore[arg-type]
    assert response.status_code == 401


def test_a_key_opens_until_its_end_and_until_it_is_revoked() -> None:
    doorway = Doorway(key(), key("second"))
    with TestClient(doorway.app) as client:
        assert client.post(SCORE, json=record(), headers=bearer()).status_code == 200
        doorway.hold([key().model_copy(update={"revoked_at": NOW}), key("second")])
        ended = client.post(SCORE, json=record(), headers=bearer())
        assert (ended.status_code, ended.json()["detail"]) == (401, "this key is no longer in force")
        assert client.post(SCORE, json=record(), headers=bearer("second")).status_code == 200
        doorway.clock.set(NOW + timedelta(days=30))
        assert client.post(SCORE, json=record(), headers=bearer("second")).status_code == 401


def test_the_end_of_the_last_key_opens_no_door() -> None:
    doorway = Doorway(key())
    for left in ([key().model_copy(update={"revoked_at": NOW})], []):
        doorway.hold(left)
        assert scored(doorway, {}).status_code == 401
        assert scored(doorway, bearer()).status_code == 401


def test_the_first_key_closes_the_door_of_a_running_service() -> None:
    doorway = Doorway()
    assert scored(doorway, {}).status_code == 200
    doorway.hold([key()])
    assert scored(doorway, {}).status_code == 401


def test_a_key_is_for_its_models_alone_and_shows_no_others() -> None:
    doorway = Doorway(key(models=["another"]))
    with TestClient(doorway.app) as client:
        response = client.post(SCORE, json=record(), headers=bearer())
        assert response.status_code == 403
        assert response.json()["hint"].startswith("it is for another;")
        assert client.post("/invocations", json={"inputs": []}, headers=bearer()).status_code == 403
        assert client.get("/v1/models", headers=bearer()).json() == {"models": []}
        assert MODEL not in client.get("/openapi.json", headers=bearer()).text
        assert client.get("/health/ready", headers=bearer()).json()["models"] == []
        assert client.get("/metrics", headers=bearer()).status_code == 403


def test_health_needs_no_key_and_tells_its_details_only_to_who_may_read() -> None:
    doorway = Doorway(key(), key("scorer", actions=["score"]))
    with TestClient(doorway.app) as client:
        assert client.get("/health/live").json() == {"live": True}
        assert client.get("/ping").status_code == 200
        for little in ({}, bearer("scorer"), {"Authorization": "Bearer wrong"}):
            assert client.get("/health/ready", headers=little).json() == {"ready": True, "reason": ""}
        assert [served["model"] for served in client.get("/health/ready", headers=bearer()).json()["models"]] == [MODEL]
    with TestClient(Doorway().app) as client:
        assert client.get("/health/ready").json()["models"]


def to_review(doorway: Doorway) -> str:
    return str(scored(doorway, bearer()).json()["answers"][0]["decision_id"])


def test_a_review_is_taken_only_of_whom_the_key_speaks_for() -> None:
    doorway = Doorway(key(), key("r.lin"), key("bench", reviewers=["r.lin", "a.ito"]))
    address = f"/v1/decisions/{to_review(doorway)}/review"
    with TestClient(doorway.app) as client:
        refused = client.post(address, json=REVIEW, headers=bearer())
        assert refused.status_code == 403
        assert refused.json()["detail"] == "this key does not bring reviews of r.lin"
        assert client.get(address, headers=bearer()).json()["outcome"] is None
        assert client.post(address, json=REVIEW, headers=bearer("bench")).status_code == 200
        assert client.post(address, json=REVIEW, headers=bearer("r.lin")).json()["reviewer"] == "r.lin"


def test_a_decision_of_another_model_is_not_there_for_a_key() -> None:
    doorway = Doorway(key(), key("r.lin", models=["another"]))
    decision = to_review(doorway)
    with TestClient(doorway.app) as client:
        for path in (f"/v1/decisions/{decision}/review", "/v1/decisions/unknown-0/review"):
            written = client.post(path, json=REVIEW, headers=bearer("r.lin"))
            read = client.get(path, headers=bearer("r.lin"))
            for response in (written, read):
                assert response.status_code == 404
                assert response.json()["detail"].startswith("there is no decision")


def test_one_holders_idempotency_key_gives_another_nothing() -> None:
    doorway = Doorway(key(), key("second"))
    with TestClient(doorway.app) as client:
        answers = [
            client.post(SCORE, json=record(), headers=bearer(name) | {"Idempotency-Key": "k"})
            for name in ("app", "second", "app")
        ]
    assert [answer.headers.get("idempotent-replayed") for answer in answers] == [None, None, "true"]
    assert answers[0].content == answers[2].content != answers[1].content


def slow(**allowance: Any) -> ApiKey:
    return key(allowance=Allowance(**allowance))


class Ticking:
    """A guard's own clock, moved by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def asks(allowance: Allowance, ticks: Ticking) -> Callable[[], bool]:
    holder = Holder(None, allowance, ticks)

    def ask() -> bool:
        try:
            holder.count()
        except TooManyRequests:
            return False
        return True

    return ask


def test_a_key_may_ask_its_rate_and_at_once_its_burst() -> None:
    ticks = Ticking()
    ask = asks(Allowance(requests_per_second=2, burst=3), ticks)
    assert [ask() for _ in range(4)] == [True, True, True, False]
    ticks.now += 0.5
    assert [ask() for _ in range(2)] == [True, False]
    ticks.now += 1_000
    assert [ask() for _ in range(4)] == [True, True, True, False]


def test_the_wait_that_is_told_is_the_time_until_the_next_request_may_come() -> None:
    ticks = Ticking()
    holder = Holder(None, Allowance(requests_per_second=0.1, burst=1), ticks)
    holder.count()
    for now, wait in ((0.0, "10"), (7.5, "3")):
        ticks.now = now
        with pytest.raises(TooManyRequests) as told:
            holder.count()
        assert told.value.headers["Retry-After"] == wait


def test_too_many_requests_are_told_when_to_come_back() -> None:
    doorway = Doorway(slow(requests_per_second=0.1, burst=1), key("second"))
    with TestClient(doorway.app) as client:
        assert client.post(SCORE, json=record(), headers=bearer()).status_code == 200
        refused = client.post(SCORE, json=record(), headers=bearer())
        assert refused.status_code == 429
        assert 1 <= int(refused.headers["retry-after"]) <= 10
        assert client.post(SCORE, json=record(), headers=bearer("second")).status_code == 200
        assert client.get("/health/live").status_code == 200
    assert len(doorway.log.decisions) == 2  # type: ignore[attr-defined]


def test_a_batch_is_taken_whole_and_what_follows_waits_for_it() -> None:
    doorway = Doorway(slow(decisions_per_second=1))
    batch = {"records": records(*[{} for _ in range(60)])}
    with TestClient(doorway.app) as client:
        assert client.post(SCORE, json=batch, headers=bearer()).status_code == 200
        refused = client.post(SCORE, json=record(), headers=bearer())
    assert refused.status_code == 429
    assert 55 <= int(refused.headers["retry-after"]) <= 60
    assert "decisions" in refused.json()["detail"]


def test_a_renewal_that_leaves_a_key_alone_forgives_nothing() -> None:
    once = slow(requests_per_second=0.1, burst=1)
    doorway = Doorway(once)
    assert scored(doorway, bearer()).status_code == 200
    doorway.hold([once, key("new")])
    assert scored(doorway, bearer()).status_code == 429


def test_without_keys_one_limit_is_for_all() -> None:
    doorway = Doorway(open_to_all=Allowance(requests_per_second=0.1, burst=2))
    with TestClient(doorway.app) as client:
        assert [client.post(SCORE, json=record()).status_code for _ in range(3)] == [200, 200, 429]


class Stuck(InMemoryDecisionLog):
    """A database that does not come back until it is let go."""

    def __init__(self) -> None:
        self.asked, self.let_go = Event(), Event()
        self.let_go.set()
        super().__init__()
        self.asked.clear()
        self.let_go.clear()

    def append_all(self, entries: Any) -> None:
        self.asked.set()
        self.let_go.wait()
        super().append_all(entries)


async def crowd(
    doorway: Doorway,
    log: Stuck,
    meanwhile: Callable[[httpx.AsyncClient], Any],
    headers: dict[str, str] | None = None,
    number: int = 2,
) -> list[httpx.Response]:
    """As many requests as wait for the log, what is asked meanwhile, then their answers."""
    await asyncio.to_thread(doorway.watcher.look)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(doorway.app), base_url="http://door") as client:
        waiting = [asyncio.create_task(client.post(SCORE, json=record(), headers=headers)) for _ in range(number)]
        await asyncio.to_thread(log.asked.wait)
        try:
            await meanwhile(client)
        finally:
            log.let_go.set()
        answers = await asyncio.gather(*waiting)
    await asyncio.to_thread(doorway.recorder.close)
    return answers


def test_beyond_the_places_requests_are_shed_while_health_answers() -> None:
    log = Stuck()
    doorway = Doorway(log=log, bounds=Bounds(in_flight=2))

    async def meanwhile(client: httpx.AsyncClient) -> None:
        for ask in (client.post(SCORE, json=record()), client.get("/v1/models"), client.post(COUNSEL, json=record())):
            refused = await ask
            assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
            assert "more requests" in refused.json()["detail"]
        for path in ("/health/live", "/health/ready", "/ping"):
            assert (await asyncio.wait_for(client.get(path), 5)).status_code == 200

    answers = asyncio.run(crowd(doorway, log, meanwhile))
    assert [answer.status_code for answer in answers] == [200, 200]
    assert len(log.decisions) == 2


def test_a_key_takes_no_more_places_than_its_own() -> None:
    log = Stuck()
    doorway = Doorway(slow(in_flight=2), key("second"), log=log)

    async def meanwhile(client: httpx.AsyncClient) -> None:
        refused = await client.post(SCORE, json=record(), headers=bearer())
        assert (refused.status_code, refused.headers["retry-after"]) == (429, "1")
        assert (await client.get("/v1/models", headers=bearer("second"))).status_code == 200

    assert [each.status_code for each in asyncio.run(crowd(doorway, log, meanwhile, bearer()))] == [200, 200]


def test_beyond_the_queue_requests_are_shed_before_they_are_decided() -> None:
    log = Stuck()
    doorway = Doorway(log=log, bounds=Bounds(queued=1))

    async def meanwhile(client: httpx.AsyncClient) -> None:
        refused = await client.post(SCORE, json=record())
        assert refused.status_code == 503
        assert "wait to be recorded" in refused.json()["detail"]

    asyncio.run(crowd(doorway, log, meanwhile, number=1))
    assert len(log.decisions) == 1


def test_a_request_that_takes_too_long_gives_up_its_place_and_its_decision_is_answered_to_a_retry() -> None:
    log = Stuck()
    doorway = Doorway(log=log, bounds=Bounds(in_flight=1, request_seconds=0.2))
    headers = {"Idempotency-Key": "k"}

    async def asks() -> None:
        await asyncio.to_thread(doorway.watcher.look)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(doorway.app), base_url="http://door") as client:
            late = await client.post(SCORE, json=record(), headers=headers)
            assert (late.status_code, late.json()["title"]) == (503, "Too late")
            assert (await client.get("/v1/models")).status_code == 200
            log.let_go.set()
            await asyncio.to_thread(doorway.recorder.close)
            again = await client.post(SCORE, json=record(), headers=headers)
            assert again.headers["idempotent-replayed"] == "true"

    asyncio.run(asks())
    assert len(log.decisions) == 1


def slowly(doorway: Doorway, *parts: bytes) -> list[Any]:
    """What the application sends to a client whose body comes in parts and does not end; only the last part stays away."""

    async def told() -> list[Any]:
        await asyncio.to_thread(doorway.watcher.look)
        sent: list[Any] = []
        left = list(parts)

        async def receive() -> Any:
            if left:
                return {"type": "http.request", "body": left.pop(0), "more_body": True}
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            sent.append(message)

        headers = [(b"content-type", b"application/json")]
        scope = {"type": "http", "method": "POST", "path": SCORE, "query_string": b"", "headers": headers}
        await doorway.app(scope, receive, send)
        return sent

    return asyncio.run(told())


def test_bodies_that_arrive_may_not_fill_the_memory_and_leave_nothing_behind() -> None:
    doorway = Doorway(bounds=Bounds(arriving_bytes=100))
    for _ in range(3):
        assert slowly(doorway, b"x" * 60) == []
        sent = slowly(doorway, b"x" * 60, b"x" * 60)
        assert sent[0]["status"] == 503
        assert "bodies arrive" in json.loads(sent[1]["body"])["detail"]


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        (SCORE, {f"x-{number}": "1" for number in range(MOST_HEADERS + 1)}, 431),
        (SCORE + "?" + "x" * LONGEST_ADDRESS, {}, 414),
        ("/health/live?" + "x" * LONGEST_ADDRESS, {}, 414),
        ("/" + "x" * (LONGEST_ADDRESS + 1), {}, 414),
    ],
)
def test_a_head_that_no_request_of_ours_needs_is_refused(path: str, headers: dict[str, str], status: int) -> None:
    response = asked(Doorway(), lambda client: client.post(path, json=record(), headers=headers))
    assert response.status_code == status
    assert response.json()["hint"]
