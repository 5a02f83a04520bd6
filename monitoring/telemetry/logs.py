"""Log lines in one form for every process: a JSON object each, or a short line where a person looks on.

    {"at": "2026-11-27T06:05:12.301+00:00", "level": "info", "service": "pipelines", "process": 4711, "logger": "steward.flows",
     "message": "search ended", "run_id": "0190…", "trace_id": "…", "seconds": 21.3}

`at` to `message` are in every line; then the id of the work and its trace, if there are any, and what the line itself knows.
An error is told by its kind and its places: what it says of itself may hold a value of a record, or a key.
"""

import json
import logging
import sys
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Literal, TextIO

from monitoring.telemetry.context import current

Form = Literal["auto", "json", "text"]

FIELDS = ("method", "path", "status", "milliseconds", "seconds", "flow", "step", "model", "kind", "ending", "request_id")
"""What a line may know beside its message (`extra`). Anything else that a library hangs on a record is left out."""
HANDLER = "steward"
"""The name of our handler among the root logger's."""
TEXT = "%(asctime)s %(process)d %(levelname)s %(message)s"

_Raised = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


def no_trace() -> str:
    """Where nothing is traced."""
    return ""


class Discreet(logging.Formatter):
    """Tells kind and places of an error, the innermost first."""

    def format(self, record: logging.LogRecord) -> str:
        record.exc_text = None  # another handler's form of the same error would be taken over
        return super().format(record)

    def formatException(self, ei: _Raised) -> str:  # noqa: N802, the name is logging's
        kind, places = told(ei)
        return f"  {kind} at " + " < ".join(places)


class Readable(Discreet):
    """For a terminal, with the beginning of the work's id."""

    def format(self, record: logging.LogRecord) -> str:
        work = current()
        return super().format(record) + (f"  [{work.id[:8]}]" if work else "")


class Structured(logging.Formatter):
    """One JSON object a line. `trace` gives the id of the trace under way, "" for none."""

    def __init__(self, service: str, trace: Callable[[], str] = no_trace) -> None:
        super().__init__()
        self._service = service
        self._trace = trace

    def format(self, record: logging.LogRecord) -> str:
        said: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "service": self._service,
            "process": record.process,
            "logger": record.name,
            "message": record.getMessage(),
        }
        work, trace = current(), self._trace()
        said |= {work.kind: work.id} if work else {}
        said |= {"trace_id": trace} if trace else {}
        said |= {name: value for name in FIELDS if (value := getattr(record, name, None)) is not None}
        if record.exc_info and record.exc_info[0]:
            kind, places = told(record.exc_info)
            said["error"] = {"kind": kind, "places": places}
        return json.dumps(said, ensure_ascii=False, default=str)


def told(raised: _Raised) -> tuple[str, list[str]]:
    """Of an error its kind and its places, the innermost first."""
    kind, _, trace = raised
    places = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in reversed(traceback.extract_tb(trace))]
    return kind.__name__ if kind else "an error", places


class _StandardError(logging.StreamHandler[TextIO]):
    """Whatever the standard error is when a line is written, as it may be redirected for a while."""

    @property
    def stream(self) -> TextIO:
        return sys.stderr

    @stream.setter
    def stream(self, stream: TextIO) -> None:
        """It is not kept."""


def _ours(record: logging.LogRecord) -> bool:
    """The flow engine repeats what an error said of itself; our own lines say the same without it."""
    return record.levelno >= logging.CRITICAL or not record.name.startswith("prefect")


def log_to_standard_error(
    service: str, form: Form = "auto", trace: Callable[[], str] = no_trace, out: TextIO | None = None, *, quiet: bool = False
) -> None:
    """`auto`: text on a terminal, JSON elsewhere. `quiet`: on a terminal warnings only, where sentences say the rest.

    A second call replaces what the first set up. Libraries are heard from warnings on.
    """
    readable = form == "text" or (form == "auto" and (out or sys.stderr).isatty())
    handler = logging.StreamHandler(out) if out else _StandardError()
    handler.set_name(HANDLER)
    handler.addFilter(_ours)
    handler.setFormatter(Readable(TEXT) if readable else Structured(service, trace))
    root = logging.getLogger()
    for old in [each for each in root.handlers if each.get_name() == HANDLER]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(logging.WARNING)
    logging.getLogger("steward").setLevel(logging.WARNING if quiet and readable else logging.INFO)
