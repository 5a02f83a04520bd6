"""How a command of `infra` ends: with what went wrong in plain words, also for a wrong folder or a full disk."""

import sys
from collections.abc import Callable

from models.errors import PlatformError

INTERRUPTED = 130
"""What a shell says of a command that Ctrl-C ended."""


def told(act: Callable[[], None]) -> int:
    """Its exit code."""
    try:
        act()
    except PlatformError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except OSError as error:
        sys.stderr.write(
            f"{error.filename or 'the system'}: {error.strerror or error}\n  -> is the folder right, yours, and is there room?\n"
        )
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("interrupted; the same command goes on, or says what is in its way\n")
        return INTERRUPTED
    return 0
