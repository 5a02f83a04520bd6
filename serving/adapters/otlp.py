"""Scoring requests as spans, made from what was measured when each is over."""

import re
from collections.abc import Callable
from random import random

from monitoring.adapters.otlp import provider
from serving.telemetry.tracing import Traced

_PARENT = re.compile("[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-([0-9a-f]{2})")
_RECORDED = 1  # W3C Trace Context, the flag "sampled"


class OtlpTracer:
    """See `monitoring.adapters.otlp`."""

    def __init__(
        self, endpoint: str, service: str = "steward-serving", share: float = 1.0, draw: Callable[[], float] = random
    ) -> None:
        """`endpoint` is the collector's full address, such as http://127.0.0.1:4318/v1/traces; `share` of the requests is traced,
        see `wants`. Raises `Misconfigured`."""
        self._share = share
        self._draw = draw
        self._provider = provider(endpoint, service, "STEWARD_SERVING_TRACES")
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
