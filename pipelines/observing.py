"""What a flow and each of its steps tell while they work: when they ended, how, how long it took, under which run."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from time import perf_counter
from typing import ParamSpec, TypeVar

from models.errors import Held, PlatformError
from monitoring.telemetry.context import working
from monitoring.telemetry.tracing import Tracing

P = ParamSpec("P")
R = TypeVar("R")

logger = logging.getLogger("steward.flows")


def run_of(name: str, function: Callable[P, R], tracing: Callable[[], Tracing], run_id: Callable[[], str]) -> Callable[P, R]:
    """The function of a flow: everything within carries the id of the run."""

    @wraps(function)
    def run(*given: P.args, **named: P.kwargs) -> R:
        with working("run_id", run_id()), _told("flow", name, tracing()):
            return function(*given, **named)

    return run


def step_of(name: str, function: Callable[P, R], tracing: Callable[[], Tracing]) -> Callable[P, R]:
    """The function of a step of a flow."""

    @wraps(function)
    def run(*given: P.args, **named: P.kwargs) -> R:
        with _told("step", name, tracing()):
            return function(*given, **named)

    return run


@contextmanager
def _told(what: str, name: str, tracing: Tracing) -> Iterator[None]:
    began = perf_counter()

    def tell(level: int, ending: str) -> None:
        known = {what: name, "ending": ending, "seconds": round(perf_counter() - began, 3)}
        logger.log(level, "%s %s: %s", what, name, ending, extra=known)

    with tracing(f"{what} {name}", ""):
        try:
            yield
        except BaseException as error:
            # What it says stands where the run ends; here, where it may hold a value of a record, its kind is enough.
            expected = logging.WARNING if isinstance(error, PlatformError) else logging.ERROR
            tell(logging.INFO if isinstance(error, Held) else expected, type(error).__name__)
            raise
        tell(logging.INFO, "done")
