"""JSON as one means it: every name once in an object, and numbers that are numbers."""

import json
from typing import Any


def read(body: bytes) -> Any:
    """Raises `ValueError`, also if it is nested too deeply."""
    try:
        return json.loads(body, object_pairs_hook=_once, parse_constant=_no_number)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    except ValueError as error:
        raise plainly(error) from None


def plainly(error: ValueError) -> ValueError:
    """Without the interpreter's advice to its programmers."""
    return ValueError("a number has more digits than can be read") if "set_int_max_str_digits" in str(error) else error


def write(what: Any) -> bytes:
    """A lone surrogate goes on as it came: whoever reads it next refuses it."""
    return json.dumps(what, ensure_ascii=False, separators=(",", ":")).encode(errors="surrogatepass")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice in one object")
    return found


def _no_number(written: str) -> Any:
    raise ValueError(f"{written} is not a number")
