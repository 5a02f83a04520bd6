"""A process at the limit of its threads."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def no_more_threads() -> Iterator[None]:
    """None can be started meanwhile; as root, the system's own limit would not hold."""

    def start(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    before, threading.Thread.start = threading.Thread.start, start  # type: ignore[method-assign]
    try:
        yield
    finally:
        threading.Thread.start = before  # type: ignore[method-assign]
