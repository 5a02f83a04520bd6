"""Scoring requests as spans, made from what was measured when each is over."""

from collections.abc import Callable
from random import random

from monitoring.adapters.otlp import provider
from serving.telemetry.tracing import Traced


class OtlpTracer:
    """See `monitoring.adapters.otlp`."""

    def __init__(
        self, endpoint: str, service: str = "steward-serving", share: float = 1.0, draw: Callable[[], float] = random
    ) -> None:
        """`endpoint` is the collector's full address, such as http://127.0.0.1:4318/v1/traces; `share` of the requests is traced,
        see `tell`. Raises `Misconfigured`."""
        self._share = share
        self._draw = draw
        self._provider = provider(endpoint, service, "STEWARD_SERVING_TRACES")
        self._tracer = self._provider.get_tracer("steward.serving")

    def tell(self, traced: Traced) -> None:
        """Spans are made only of requests that are drawn, that failed here, or whose caller records its trace: making them costs
        as much as deciding."""
        if not traced.parent and traced.status < 500 and self._draw() >= self._share:
            return
        self._send(traced)

    def _send(self, traced: Traced) -> None:
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
