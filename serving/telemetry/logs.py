"""How the service's log is written: one line for each event, and of an error where it arose but not what it says.

What an unexpected error says may hold a value of a record or a key. Its kind and its places say enough to find it, and hold none.
"""

import logging
import traceback
from types import TracebackType

FORM = "%(asctime)s %(process)d %(levelname)s %(message)s"

_Raised = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


class Discreet(logging.Formatter):
    """Tells kind and places of an error, the innermost first."""

    def format(self, record: logging.LogRecord) -> str:
        record.exc_text = None  # another handler's form of the same error would be taken over
        return super().format(record)

    def formatException(self, ei: _Raised) -> str:  # noqa: N802, the name is logging's
        kind, _, trace = ei
        places = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in reversed(traceback.extract_tb(trace))]
        return f"  {kind.__name__ if kind else 'an error'} at " + " < ".join(places)


def log_to_standard_error() -> None:
    handler = logging.StreamHandler()
    handler.setFormatter(Discreet(FORM))
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    logging.getLogger("steward").setLevel(logging.INFO)
