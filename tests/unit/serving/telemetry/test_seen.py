"""What the service tells of its requests: metrics, traces, the access log."""

import json
from collections.abc import Sequence

from fastapi.testclient import TestClient

from models.clock import FixedClock
from models.errors import Unavailable
from monitoring.adapters.exposition import Exposition
from monitoring.decisions import Entry
from serving.app import Limits, scoring_app
from serving.door.register import Register
from serving.durability.recording import Recorder
from serving.telemetry.access import AccessLog
from serving.telemetry.sight import Sight
from serving.telemetry.tracing import Traced
from tests.bundles import MODEL, NOW, record
from tests.fakes.decisions import InMemoryDecisionLog
from tests.worlds import SCORE, World

CLOSED = Traced("", "", 0, "", 0.0, 0.0)


def test_what_happened_can_be_read_by_prometheus(client: TestClient, world: World) -> None:
    client.post(SCORE, json=record(status_0=2))
    client.post(SCORE, json=record(status_0=99))
    world.log.down = Unavailable("the decision log does not answer")
    client.post(SCORE, json=record())
    response = client.get("/metrics")
    assert response.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    told = 'model="credit_default",unfamiliar="false",version="1"'
    counted = f'steward_decisions_total{{action="review",fallback="false",{told}}} 1.0'
    statuses = {f'steward_responses_total{{status="{status}"}} 1.0' for status in (200, 422, 503)}
    assert {counted, *statuses, "steward_in_flight 0.0", "steward_ready 1.0"} <= set(response.text.splitlines())


def test_what_nobody_expected_is_counted(world: World) -> None:
    class Bug(InMemoryDecisionLog):
        def append_all(self, entries: Sequence[Entry]) -> None:
            if any(entry.decisions for entry in entries):
                raise RuntimeError("a bug")

    world.log = Bug()
    with TestClient(world.app(), raise_server_exceptions=False) as client:
        client.post(SCORE, json=record())
        assert 'steward_responses_total{status="500"} 1.0' in client.get("/metrics").text


def test_every_scoring_request_is_told_to_a_tracer_with_the_stages_it_reached(world: World) -> None:
    told: list[Traced] = []

    class Listening:
        def wants(self, status: int, parent: str) -> bool:
            return status != 404

        def tell(self, traced: Traced) -> None:
            told.append(traced)

        def close(self) -> None:
            told.append(CLOSED)

    limits = Limits(20_000, 3_600.0)
    parts = (
        world.predictor,
        Recorder(world.log),
        world.watcher,
        world.reviews,
        limits,
        Sight(Exposition().text, tracer=Listening()),
        world.close,
    )
    app = scoring_app(*parts, register=Register(FixedClock(NOW)))
    with TestClient(app) as client:
        answer = client.post(SCORE, json=record(), headers={"traceparent": "00-a-b-01"}).json()
        client.post(SCORE, json=record(status_0=99))
        client.post(SCORE.replace(MODEL, "unknown"), json=record())
    scored, refused, closed = told
    assert (scored.request_id, scored.model, scored.status, scored.parent) == (answer["request_id"], MODEL, 200, "00-a-b-01")
    assert list(scored.stages) == ["decide", "record"]
    instants = [scored.began, *(instant for stage in scored.stages.values() for instant in stage), scored.ended]
    assert instants == sorted(instants)
    assert (refused.status, refused.parent, refused.stages) == (422, "", {})
    assert closed is CLOSED


def test_every_request_is_a_line_of_the_access_log_without_what_it_sent(world: World) -> None:
    written: list[str] = []
    access = AccessLog(written.append, NOW.timestamp)
    limits = Limits(20_000, 3_600.0)
    parts = (
        world.predictor,
        Recorder(world.log),
        world.watcher,
        world.reviews,
        limits,
        Sight(Exposition().text, access=access),
        world.close,
    )
    with TestClient(scoring_app(*parts, register=Register(FixedClock(NOW)))) as client:
        client.post(f"{SCORE}?account=A00017", json=record(account_id="A00017"), headers={"X-Request-ID": "A00017"})
        client.get("/nothing/of/A00017")
    lines = [json.loads(line) for text in written for line in text.splitlines()]
    assert [(line["method"], line["path"], line["status"]) for line in lines] == [("POST", SCORE, 200), ("GET", "other", 404)]
    assert lines[0]["at"] == "2005-08-01T06:00:00.000+00:00"
    assert lines[0]["milliseconds"] > 0
    assert [(line["service"], line["level"], line["logger"]) for line in lines] == [("serving", "info", "steward.access")] * 2
    assert "A00017" not in "".join(written)
