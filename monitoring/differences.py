"""What is not as it was recorded, in words."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

SHOWN = 3  # of one file; the rest is counted
_ABSENT = "absent"
_COMMIT = 40  # digits; a SHA-256 has more


@dataclass(frozen=True)
class Difference:
    what: str
    recorded: str
    now: str

    @property
    def sentence(self) -> str:
        return f"{self.what}: {self.recorded} as recorded, {self.now} now"


def changed(what: str, recorded: str, now: str) -> list[Difference]:
    """Long digests are cut, but never to where they look alike."""
    if recorded == now:
        return []
    before, after = _short(recorded), _short(now)
    return [Difference(what, before, after) if before != after else Difference(what, recorded, now)]


def json_changes(what: str, recorded: Any, now: Any) -> list[Difference]:
    """The first leaves that differ, by their path, and how many more there are."""
    found = list(_leaves(what, recorded, now))
    more = len(found) - SHOWN
    return found[:SHOWN] + ([Difference(f"{what}, elsewhere", f"{more} more values", "other ones")] if more > 0 else [])


def _leaves(path: str, recorded: Any, now: Any) -> Iterator[Difference]:
    if isinstance(recorded, dict) and isinstance(now, dict):
        for name in sorted({*recorded, *now}):
            yield from _leaves(f"{path}.{name}", recorded.get(name, _ABSENT), now.get(name, _ABSENT))
    elif isinstance(recorded, list) and isinstance(now, list) and len(recorded) == len(now):
        for place, (before, after) in enumerate(zip(recorded, now, strict=True)):
            yield from _leaves(f"{path}[{place}]", before, after)
    elif recorded != now:
        yield Difference(path, _brief(recorded), _brief(now))


def _short(text: str) -> str:
    """A digest or a commit in twelve digits; what comes after a hyphen, "-dirty", stays."""
    digest, hyphen, rest = text.partition("-")
    return f"{digest[:12]}{hyphen}{rest}" if len(digest) >= _COMMIT else text


def _brief(value: Any) -> str:
    if isinstance(value, list):
        return f"{len(value)} values"
    return str(value) if len(str(value)) <= 60 else f"{str(value)[:57]}..."
