"""The caller's own trace, handed on to the service."""

import sys


def trace_context() -> dict[str, str]:
    """Headers of the span under way (W3C Trace Context), if the calling program makes spans with OpenTelemetry.

    Nothing is loaded for it, and baggage stays here: nobody knows what a program keeps in there.
    """
    if "opentelemetry.trace" not in sys.modules:
        return {}
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    carrier: dict[str, str] = {}
    TraceContextTextMapPropagator().inject(carrier)
    return carrier
