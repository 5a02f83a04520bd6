"""Where the pipelines' log lines, spans and numbers go."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import cache
from typing import TYPE_CHECKING

from monitoring import wiring as watching
from monitoring.telemetry.build import build
from monitoring.telemetry.logs import log_to_standard_error, no_trace
from monitoring.telemetry.standing import Standing
from monitoring.telemetry.tracing import Tracing, untraced
from pipelines.adapters.prefect_server import api_url
from pipelines.settings import PipelineSettings

if TYPE_CHECKING:
    from monitoring.adapters.otlp import OtlpTracing


@contextmanager
def telling() -> Iterator[Tracing]:
    """Within it, log lines have their form, and spans go to the collector if one is named; what is left is sent at its end.

    For a command, and for a scheduled run, which is a process of its own.
    """
    chosen = PipelineSettings.read()
    tracer = _tracer(chosen.traces)
    log_to_standard_error("pipelines", chosen.log_format, tracer.trace if tracer else no_trace, quiet=True)
    try:
        yield tracer or untraced
    finally:
        if tracer:
            tracer.flush()


def tracing() -> Tracing:
    """What makes spans in this process."""
    return _tracer(PipelineSettings.read().traces) or untraced


def numbers(settings: PipelineSettings) -> AbstractContextManager[int]:
    """`GET /metrics` of the scheduler. Raises `Unavailable` if its port is taken."""
    from monitoring.adapters.exposition import told

    standing = Standing(watching.places(settings, api_url))
    hint = "choose another port: STEWARD_PIPELINES_METRICS_PORT=4202"
    return told(lambda: [build(), *standing.families()], settings.metrics_host, settings.metrics_port, hint)


@cache
def _tracer(endpoint: str) -> "OtlpTracing | None":
    """One for a process: it has a thread."""
    if not endpoint:
        return None
    from monitoring.adapters.otlp import OtlpTracing

    return OtlpTracing(endpoint, "steward-pipelines", "STEWARD_PIPELINES_TRACES")
