"""Traces as a collector receives them: over a real socket, in OpenTelemetry's own protocol."""

import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from monitoring.adapters.otlp import OtlpTracing
from monitoring.telemetry.context import working
from serving.adapters.otlp import OtlpTracer
from serving.telemetry.tracing import Traced

pytestmark = pytest.mark.integration

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


@contextmanager
def collector(received: list[Any]) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            packed = self.headers.get("content-encoding") == "gzip"
            message = ExportTraceServiceRequest.FromString(gzip.decompress(body) if packed else body)
            for group in message.resource_spans:
                service = {each.key: each.value.string_value for each in group.resource.attributes}["service.name"]
                received.extend((service, span) for scope in group.scope_spans for span in scope.spans)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_args: object) -> None:  # type: ignore[override]
            """Quiet."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/v1/traces"
        finally:
            server.shutdown()
            thread.join()


def traced(**changes: Any) -> Traced:
    stages = {"decide": (1_000.0, 1_000.25), "record": (1_000.25, 1_000.75)}
    return Traced(
        **{"request_id": "r1", "model": "m", "status": 200, "parent": "", "began": 1_000.0, "ended": 1_001.0, "stages": stages}
        | changes
    )


def tell_if_wanted(tracer: OtlpTracer, told: Traced) -> None:
    if tracer.wants(told.status, told.parent):
        tracer.tell(told)


def test_a_collector_receives_the_request_with_its_stages() -> None:
    received: list[Any] = []
    with collector(received) as address:
        tracer = OtlpTracer(address)
        tracer.tell(traced())
        tracer.close()
    assert {service for service, _ in received} == {"steward-serving"}
    spans = {span.name: span for _, span in received}
    assert set(spans) == {"score", "decide", "record"}
    assert {spans[name].parent_span_id for name in ("decide", "record")} == {spans["score"].span_id}
    assert (spans["record"].start_time_unix_nano, spans["record"].end_time_unix_nano) == (1_000_250_000_000, 1_000_750_000_000)
    said = {each.key: each.value for each in spans["score"].attributes}
    assert (said["steward.request_id"].string_value, said["http.response.status_code"].int_value) == ("r1", 200)


def test_a_callers_trace_goes_on() -> None:
    received: list[Any] = []
    with collector(received) as address:
        tracer = OtlpTracer(address)
        tracer.tell(traced(parent=f"00-{TRACE}-{SPAN}-01"))
        tracer.tell(traced(parent="not a parent"))
        tracer.close()
    whole = [span for _, span in received if span.name == "score"]
    assert (whole[0].trace_id.hex(), whole[0].parent_span_id.hex()) == (TRACE, SPAN)
    assert whole[1].parent_span_id == b""


def test_a_collector_that_is_away_costs_spans_and_raises_nothing() -> None:
    with collector([]) as address:
        pass
    tracer = OtlpTracer(address)
    tracer.tell(traced())
    tracer.close()


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({}, 0),
        ({"status": 422}, 0),
        ({"status": 503}, 3),
        ({"parent": f"00-{TRACE}-{SPAN}-01"}, 3),
        ({"parent": f"00-{TRACE}-{SPAN}-00"}, 0),
        ({"parent": "not a parent"}, 0),
    ],
)
def test_of_requests_that_are_not_drawn_those_are_traced_that_failed_or_whose_caller_records_them(
    changes: dict[str, Any], told: int
) -> None:
    received: list[Any] = []
    with collector(received) as address:
        tracer = OtlpTracer(address, share=0.5, draw=lambda: 0.5)
        tell_if_wanted(tracer, traced(**changes))
        tracer.close()
    assert len(received) == told


def test_a_share_of_the_requests_is_drawn() -> None:
    received: list[Any] = []
    draws = iter([0.1, 0.5, 0.4, 0.9])
    with collector(received) as address:
        tracer = OtlpTracer(address, share=0.5, draw=lambda: next(draws))
        for number in range(4):
            tell_if_wanted(tracer, traced(request_id=f"r{number}"))
        tracer.close()
    drawn = {each.value.string_value for _, span in received for each in span.attributes if each.key == "steward.request_id"}
    assert drawn == {"r0", "r2"}


def test_steps_lie_in_their_run_and_a_span_says_whose_work_it_is_and_not_what_went_wrong() -> None:
    received: list[Any] = []
    with collector(received) as address:
        tracing = OtlpTracing(address, "steward-pipelines", "STEWARD_PIPELINES_TRACES")
        with working("run_id", "r1"), tracing("flow train", "") as note:
            inside = tracing.trace()
            note({"model": "m"})
            with pytest.raises(ValueError, match="A94731"), tracing("step search", ""):
                raise ValueError("A94731")
        assert tracing.trace() == ""
        tracing.close()
    assert {service for service, _ in received} == {"steward-pipelines"}
    spans = {span.name: span for _, span in received}
    step, flow = spans["step search"], spans["flow train"]
    assert (step.parent_span_id, step.trace_id.hex(), flow.parent_span_id) == (flow.span_id, inside, b"")
    assert {each.key: each.value.string_value for each in flow.attributes} == {"steward.run_id": "r1", "model": "m"}
    assert {each.key: each.value.string_value for each in step.attributes} == {"steward.run_id": "r1", "error.type": "ValueError"}
    assert [span for span in spans.values() if "A94731" in str(span)] == []


def test_a_process_goes_on_with_the_trace_that_its_environment_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRACEPARENT", f"00-{TRACE}-{SPAN}-01")
    received: list[Any] = []
    with collector(received) as address:
        tracing = OtlpTracing(address, "steward-pipelines", "STEWARD_PIPELINES_TRACES")
        with tracing("command train", ""), tracing("flow train", ""):
            assert tracing.trace() == TRACE
        tracing.close()
    parents = {span.name: span.parent_span_id.hex() for _, span in received}
    assert parents["command train"] == SPAN
    assert parents["flow train"] == next(span.span_id.hex() for _, span in received if span.name == "command train")
