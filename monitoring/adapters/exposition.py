"""The text that Prometheus reads, by its own client library."""

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import accumulate

from prometheus_client import CollectorRegistry, GCCollector, ProcessCollector, generate_latest, start_http_server
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

from models.errors import Unavailable
from monitoring.telemetry.families import Family, Histogram

_KINDS: dict[str, type[Metric]] = {"counter": CounterMetricFamily, "gauge": GaugeMetricFamily}


class Exposition:
    """Also says what the process itself takes: processor time, memory, open files."""

    def __init__(self) -> None:
        self._process = CollectorRegistry()
        ProcessCollector(registry=self._process)
        GCCollector(registry=self._process)

    def text(self, families: Iterable[Family]) -> bytes:
        registry = CollectorRegistry()
        registry.register(_Asked(lambda: families))
        return generate_latest(registry) + generate_latest(self._process)


class _Asked:
    def __init__(self, families: Callable[[], Iterable[Family]]) -> None:
        self._families = families

    def collect(self) -> Iterator[Metric]:
        yield from map(_metric, self._families())

    def describe(self) -> Iterator[Metric]:
        """Nothing: asked when it is registered, it would look at everything before anybody wants it."""
        yield from ()


@contextmanager
def told(families: Callable[[], Iterable[Family]], host: str, port: int, hint: str) -> Iterator[int]:
    """`GET /metrics` of a process that has no other door, in a thread; yields its port. Raises `Unavailable` with this hint."""
    registry = CollectorRegistry()
    for collector in (ProcessCollector, GCCollector):
        collector(registry=registry)
    registry.register(_Asked(families))
    try:
        server, thread = start_http_server(port, host, registry)
    except OSError as error:
        said = os.strerror(error.errno or 0)
        raise Unavailable(f"numbers cannot be told on {host}:{port}: {said}", hint=hint) from error
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _metric(family: Family) -> Metric:
    if family.kind == "histogram":
        found: Metric = HistogramMetricFamily(family.name, family.about, labels=_names(family))
    else:
        found = _KINDS[family.kind](family.name, family.about, labels=_names(family))  # type: ignore[call-arg]
    for labels, value in family.samples.items():
        given = [text for _, text in labels]
        if isinstance(value, Histogram):
            ends = [*map(str, value.ends), "+Inf"]
            found.add_metric(given, list(zip(ends, accumulate(value.counts), strict=True)), value.total)  # type: ignore[attr-defined]
        else:
            found.add_metric(given, value)  # type: ignore[attr-defined]
    return found


def _names(family: Family) -> list[str]:
    return [name for name, _ in next(iter(family.samples), ())]
