"""Spans by OpenTelemetry's protocol over HTTP, sent from a thread of its own. Needs the extra `tracing`.

Spans wait for at most some seconds, at most 2,048 of them; what is more is dropped, as the library says in its log.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from models.errors import Misconfigured
from monitoring.telemetry.context import current
from monitoring.telemetry.tracing import Facts, Note

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider


def provider(endpoint: str, service: str, setting: str) -> "TracerProvider":
    """What sends spans to a collector's full address, such as http://127.0.0.1:4318/v1/traces. Raises `Misconfigured`."""
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import SERVICE_NAME, Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
        from opentelemetry.sdk.trace.sampling import ALWAYS_ON, ParentBased
    except ImportError as error:
        raise Misconfigured(
            f"traces are wanted, and {error.name} is not installed", hint=f"install steward[tracing]; or unset {setting}"
        ) from error
    # What a caller decided for its trace counts for our spans, too.
    made = TracerProvider(ParentBased(ALWAYS_ON), Resource({SERVICE_NAME: service}), shutdown_on_exit=False)
    made.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=endpoint, timeout=5)))
    return made


class OtlpTracing:
    """A `Tracing`, and what log lines need of it. The span around a call is the parent of those made in it, in its thread or
    task and in those that take over its context; outside of any it is what `TRACEPARENT` in the environment says."""

    def __init__(self, endpoint: str, service: str, setting: str) -> None:
        self._provider = provider(endpoint, service, setting)
        self._tracer = self._provider.get_tracer("steward")

    @contextmanager
    def __call__(self, name: str, parent: str) -> Iterator[Note]:
        from opentelemetry.trace import Status, StatusCode, get_current_span
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        within = get_current_span().get_span_context().is_valid
        parent = parent or ("" if within else os.environ.get("TRACEPARENT", ""))
        above = TraceContextTextMapPropagator().extract({"traceparent": parent}) if parent else None
        work = current()
        said = {f"steward.{work.kind}": work.id} if work else {}
        began = self._tracer.start_as_current_span(
            name,
            above,
            attributes=said,
            record_exception=False,  # what an error says may hold a value of a record: the library would send it
            set_status_on_exception=False,
        )
        with began as span:

            def note(facts: Facts) -> None:
                span.set_attributes(dict(facts))

            try:
                yield note
            except BaseException as error:
                span.set_attribute("error.type", type(error).__name__)
                span.set_status(Status(StatusCode.ERROR))
                raise

    @staticmethod
    def trace() -> str:
        """The id of the trace under way, "" if there is none."""
        from opentelemetry.trace import format_trace_id, get_current_span

        context = get_current_span().get_span_context()
        return format_trace_id(context.trace_id) if context.is_valid else ""

    def flush(self) -> None:
        """Send what is there, within some seconds."""
        self._provider.force_flush(5_000)

    def close(self) -> None:
        """The same, for the last time."""
        self._provider.shutdown()
