"""What a trace says of one scoring request: its stages, where it came from, how it ended. No account, no value of a record."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from time import perf_counter, time
from typing import Protocol, Self


@dataclass(frozen=True)
class Traced:
    """Instants are seconds since 1970. `stages` are those that were reached, by name: from when until when.

    `parent` is the caller's `traceparent` (W3C Trace Context), "" for none.
    """

    request_id: str
    model: str
    status: int
    parent: str
    began: float
    ended: float
    stages: Mapping[str, tuple[float, float]] = field(default_factory=dict)

    @classmethod
    def measured(
        cls,
        request_id: str,
        model: str,
        status: int,
        parent: str,
        took: tuple[float, float],
        stages: Mapping[str, tuple[float, float]],
    ) -> Self:
        """From readings of `perf_counter`: when it began and ended, and so did its stages."""
        since = time() - perf_counter()
        instants = {name: (since + first, since + last) for name, (first, last) in stages.items()}
        return cls(request_id, model, status, parent, since + took[0], since + took[1], instants)


class Tracer(Protocol):
    def wants(self, status: int, parent: str) -> bool:
        """Whether a request that ended so is to be told, asked once for each: what nobody wants is not even put together."""
        ...

    def tell(self, traced: Traced) -> None:
        """Hand over and return at once; never raises: a collector that is away costs spans, not answers."""
        ...

    def close(self) -> None:
        """Send what is left, within a few seconds. Blocks."""
        ...
