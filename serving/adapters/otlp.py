"""Traces by OpenTelemetry's protocol over HTTP, sent from a thread of its own. Needs the extra `tracing`."""

import re
from collections.abc import Callable
from random import random

from models.errors import Misconfigured
from serving.telemetry.tracing import Traced

_PARENT = re.compile("[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-([0-9a-f]{2})")
_RECORDED = 1  # W3C Trace Context, the flag "sampled"


class OtlpTracer:
    """Spans wait for at most some seconds, at most 2,048 of them; what is more is dropped, as the library says in its log."""

    def __init__(
        self, endpoint: str, service: str = "steward-serving", share: float = 1.0, draw: Callable[[], float] = random
    ) -> None:
        """`endpoint` is the collector's full address, such as http://127.0.0.1:4318/v1/traces; `share` of the requests is traced,
        see `wants`. Raises `Misconfigured`."""
        try:
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
            from opentelemetry.sdk.resources import SERVICE_NAME, Resource
            from opentelemetry.sdk.trace import TracerProvider
            from opentelemetry.sdk.trace.export import BatchSpanProcessor
            from opentelemetry.sdk.trace.sampling import ALWAYS_ON, ParentBased
        except ImportError as error:
            raise Misconfigured(
                f"traces are wanted, and {error.name} is not installed",
                hint="install steward[tracing]; or unset STEWARD_SERVING_TRACES",
            ) from error
        self._share = share
        self._draw = draw
        # What a caller decided for its trace counts for our spans, too.
        sampler = ParentBased(ALWAYS_ON)
        self._provider = TracerProvider(sampler, Resource({SERVICE_NAME: service}), shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=endpoint, timeout=5)))
        self._tracer = self._provider.get_tracer("steward.serving")

    def wants(self, status: int, parent: str) -> bool:
        """Spans are made only of requests that are drawn, that failed here, or whose caller records its trace: making them costs
        as much as deciding."""
        known = _PARENT.fullmatch(parent) if parent else None
        return status >= 500 or (int(known[1], 16) & _RECORDED > 0 if known else self._draw() < self._share)

    def tell(self, traced: Traced) -> None:
        from opentelemetry.trace import SpanKind, set_span_in_context
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        parent = TraceContextTextMapPropagator().extract({"traceparent": traced.parent}) if traced.parent else None
        said: dict[str, str | int] = {"steward.request_id": traced.request_id, "steward.model": traced.model}
        said["http.response.status_code"] = traced.status
        whole = self._tracer.start_span(
            "score", parent, kind=SpanKind.SERVER, start_time=_nanoseconds(traced.began), attributes=said
        )
        within = set_span_in_context(whole)
        for name, (began, ended) in traced.stages.items():
            self._tracer.start_span(name, within, start_time=_nanoseconds(began)).end(_nanoseconds(ended))
        whole.end(_nanoseconds(traced.ended))

    def close(self) -> None:
        self._provider.shutdown()


def _nanoseconds(instant: float) -> int:
    return int(instant * 1e9)
