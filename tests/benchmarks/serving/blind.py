"""The service as it would be if it counted nothing: what its metrics cost is measured against this."""

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from monitoring.decisions import LoggedDecision
from serving import __main__ as serving
from serving import app
from serving.telemetry.metering import Meter


class Blind(Meter):
    def began(self) -> None: ...

    def ended(self, seconds: float) -> None: ...

    @contextmanager
    def whole(self) -> Iterator[None]:
        yield

    def responded(self, status: int) -> None: ...

    def took(self, stage: str, seconds: float) -> None: ...

    def recorded(self, decisions: Iterable[LoggedDecision]) -> None: ...


if __name__ == "__main__":
    app.Meter = Blind  # type: ignore[misc]
    sys.exit(serving.main())
