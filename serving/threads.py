"""Threads that may not be had: a process at its limit is refused one, and whoever needed it must say so and try again later."""

import threading
from collections.abc import Callable

from models.errors import Unavailable


def started(name: str, work: Callable[[], object]) -> threading.Thread:
    """A thread that ends with the process. Raises `Unavailable` if the system gives none."""
    thread = threading.Thread(target=work, name=name, daemon=True)
    try:
        thread.start()
    except RuntimeError as error:
        raise Unavailable(
            "the system gives this process no further thread",
            hint="raise its limit of processes and threads (ulimit -u, pids of the container), or give it more memory",
        ) from error
    return thread
