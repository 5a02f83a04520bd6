"""Spans as every process makes them: a name, a few plain facts, whatever is done within, and whether it failed.

A span tells of an error its kind, and not what it says; of a request or a run its id. Off unless a collector is named.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager

Facts = Mapping[str, str | int | float | bool]
Note = Callable[[Facts], None]
Tracing = Callable[[str, str], AbstractContextManager[Note]]
"""`tracing(name, parent)` is a span: `parent` a `traceparent` (W3C), "" for that of the span around it. What is called with
facts adds them. It never raises: a collector that is away costs spans, and nothing else."""


@contextmanager
def untraced(name: str, parent: str) -> Iterator[Note]:  # noqa: ARG001, a `Tracing` that makes none
    yield _unheard


def _unheard(_facts: Facts) -> None:
    """Nobody listens."""
