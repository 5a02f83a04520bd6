r"""How a segment of the spool is written: lines, each with a seal over the one before it.

    <HMAC-SHA-256, 64 hex digits> <JSON>\n

The first line of a segment names the seal that came before the segment, so that segments hang together, too. The key is that
of the decision log; the segment's name says its generation. A line that is not whole can only be the last one that was
being written when the process died: it was never answered. Every other line that does not hold was edited.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from models.errors import Integrity
from monitoring.chain import Mac, mac, plain
from monitoring.decisions import Answered, Entry
from monitoring.rows import decision_rows, read_decision

_SEAL = 64
_spell = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode


@dataclass(frozen=True)
class Line:
    """A line that holds, where it stands in its segment, and the seal before it."""

    start: int
    end: int
    before: str
    seal: str
    text: str


def begun(key: Mac, name: str, after: str) -> tuple[bytes, str]:
    """A segment's first line, which says the seal that came before the segment; and its own seal."""
    return line(key, name, _spell({"after": after}))


def line(key: Mac, before: str, text: str) -> tuple[bytes, str]:
    seal = mac(key, f"spool {before} {text}")
    return f"{seal} {text}\n".encode(), seal


def lines(key: Mac, data: bytes, before: str, start: int = 0) -> Iterator[Line | None]:
    """The lines from a place on, whose seal before is known; ends with None at one that does not hold."""
    while start < len(data):
        end = data.find(b"\n", start) + 1
        seal, text = _split(data[start:end])
        if not end or mac(key, f"spool {before} {text}") != seal:
            yield None
            return
        yield Line(start, end, before, seal, text)
        start, before = end, seal


def torn(rest: bytes) -> bool:
    """Whether this can be what a crash left of one line: its end is missing, or pages of it were never written."""
    return b"\n" not in rest[:-1] and (not rest.endswith(b"\n") or b"\0" in rest)


def after(first: Line) -> str:
    return str(json.loads(first.text)["after"])


def spelled(entries: Sequence[Entry]) -> str:
    """Entries as text. Account ids are pseudonyms already, as in the log."""
    return _spell([[list(map(plain, decision_rows(entry.decisions))), _answer(entry.answered)] for entry in entries])


def read(text: str) -> list[Entry]:
    """What `spelled` wrote. Raises `Integrity` if it cannot be read although its seal holds: another release wrote it."""
    try:
        return [
            Entry(
                [read_decision(tuple(row)) for row in rows],
                Answered(answer[0], answer[1], answer[2].encode("latin-1")) if answer else None,
            )
            for rows, answer in json.loads(text)
        ]
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise Integrity(
            f"what waits in the spool cannot be read: {error}", hint="start the release that wrote it and let it drain"
        ) from error


def answer(text: str, key: str) -> Answered | None:
    """The answer that was kept under a key, if it is among these entries. Only then they are read."""
    if _spell(key) not in text:
        return None
    return next((each.answered for each in read(text) if each.answered and each.answered.key == key), None)


def _answer(answered: Answered | None) -> list[str] | None:
    """The response byte by byte, whatever it is."""
    return [answered.key, answered.request_digest, answered.response.decode("latin-1")] if answered else None


def _split(written: bytes) -> tuple[str, str]:
    text = written.decode(errors="replace")
    return text[:_SEAL], text[_SEAL + 1 : -1]
