"""A web application, seen from outside: an id for each request, a line, numbers; and never the path that somebody wrote."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from monitoring.telemetry.context import cause
from monitoring.telemetry.door import Counted, Observed
from monitoring.telemetry.families import Histogram
from monitoring.telemetry.tracing import Facts, Note


class Spans:
    def __init__(self) -> None:
        self.made: list[tuple[str, str, dict[str, Any]]] = []

    @contextmanager
    def __call__(self, name: str, parent: str) -> Iterator[Note]:
        facts: dict[str, Any] = {}

        def note(more: Facts) -> None:
            facts.update(more)

        yield note
        self.made.append((name, parent, facts))


def app() -> FastAPI:
    made = FastAPI()

    @made.get("/decisions/{decision}")
    def decision(decision: str) -> str:
        return cause()

    @made.get("/broken")
    def broken() -> str:
        raise RuntimeError("a bug")

    return made


def test_what_is_done_for_a_request_carries_its_id_which_the_answer_names(caplog: pytest.LogCaptureFixture) -> None:
    counted, spans = Counted(), Spans()
    caplog.set_level(logging.INFO, "steward.console")
    with TestClient(Observed(app(), counted, spans), raise_server_exceptions=False) as client:
        answer = client.get("/decisions/A94731", headers={"traceparent": "00-a-b-01", "x-request-id": "A94731"})
        client.get("/nothing/A94731")
        client.get("/broken")
    assert answer.json() == answer.headers["x-request-id"] != "A94731"
    assert cause() == ""
    responses, seconds = counted.families()
    assert {tuple(text for _, text in labels): n for labels, n in responses.samples.items()} == {
        ("/decisions/{decision}", "200"): 1,
        ("none", "404"): 1,
        ("/broken", "500"): 1,
    }
    assert all(isinstance(found, Histogram) and sum(found.counts) == 1 for found in seconds.samples.values())
    said = [(record.getMessage(), record.__dict__["path"]) for record in caplog.records]
    assert said[0] == ("GET /decisions/{decision} 200", "/decisions/{decision}")
    assert [text for text in said if "A94731" in str(text)] == []
    assert spans.made[0] == (
        "request",
        "00-a-b-01",
        {"http.route": "/decisions/{decision}", "http.request.method": "GET", "http.response.status_code": 200},
    )
