"""The flows beside a Prefect API that answers: started before the imports that take long, so that both happen at once."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

from pipelines.wiring import Platform, orchestrator

QUIET = "CRITICAL"  # the flow engine's console level: our own sentences say what happened


@contextmanager
def engine(parts: Platform, *, ui: bool = False, verbose: bool = False, warm: bool = False) -> Iterator[ModuleType]:
    """`pipelines.flows`, imported late: the flow engine reads its API's address at import. `warm` also imports the tools."""
    if not verbose:
        os.environ.setdefault("PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL", QUIET)
    with orchestrator(parts.settings, ui=ui) as api:
        from pipelines import flows

        if warm:
            parts.warm()
        api.await_ready()
        try:
            yield flows
        finally:
            flows.settle()
