"""How a service is seen from outside: what is made of its numbers, its traces and its access log."""

from collections.abc import Callable
from dataclasses import dataclass

from serving.telemetry.access import AccessLog
from serving.telemetry.metering import Numbers
from serving.telemetry.tracing import Tracer


@dataclass(frozen=True)
class Sight:
    """`exposed` makes Prometheus' text of what was counted; `keep` leaves it to the other workers, who may be asked for all."""

    exposed: Callable[[Numbers], bytes]
    keep: Callable[[Numbers], None] = lambda _: None
    tracer: Tracer | None = None
    access: AccessLog | None = None
