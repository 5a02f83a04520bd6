"""The text that Prometheus reads, by its own client library."""

from collections.abc import Iterable, Iterator
from itertools import accumulate

from prometheus_client import CollectorRegistry, GCCollector, ProcessCollector, generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

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
        registry.register(_Given([_metric(family) for family in families]))
        return generate_latest(registry) + generate_latest(self._process)


class _Given:
    def __init__(self, metrics: list[Metric]) -> None:
        self._metrics = metrics

    def collect(self) -> Iterator[Metric]:
        yield from self._metrics


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
