"""What this service saw last in the release channel: numbers only grow, and each belongs to one document.

A channel that was set back, its newest pointer or stop document deleted, looks like one that never was further. Who has
seen it knows better; so what was seen is kept on disk, and a service that starts again does not forget.
"""

from collections.abc import Mapping
from dataclasses import asdict
from types import MappingProxyType
from typing import Protocol

from models.bundle import canonical, sha256
from models.channel import Pointer
from models.errors import Integrity
from models.governance.stop import Stop
from models.rollout import End, Rollout

Document = Pointer | Stop | Rollout | End
Mark = tuple[int, str]
"""The number of a document and its digest."""
NOTHING: Mark = (0, "")
POINTERS, STOPS, ROLLOUTS = "pointers", "stops", "roll-outs"


class Memory(Protocol):
    """Safe for several processes: of two that write at once the later look repairs what was lost."""

    def marks(self) -> Mapping[str, Mark]:
        """By `pointers <model>`, `stops <model>` and `roll-outs <model>`. Raises `Integrity` if it cannot be read."""
        ...

    def keep(self, marks: Mapping[str, Mark]) -> None:
        """Durable when it returns. Raises `Unavailable`."""
        ...


class Seen:
    """One caller at a time."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    def check(self, kind: str, model: str, found: Document | None) -> None:
        """Raises `Integrity` if what is newest now is older than what was newest before, or another with its number."""
        number, digest = self._memory.marks().get(f"{kind} {model}", NOTHING)
        now, its = mark(found)
        if now < number:
            gone = f"{now} is the newest, and {number} was seen here" if now else f"there is none, and {number} was seen here"
            raise Integrity(f"{kind} of {model} were taken away from the release channel: {gone}", hint=_HINTS[kind])
        if now == number and its != digest:
            raise Integrity(f"{kind} of {model}: number {now} is another document than was seen here", hint=_HINTS[kind])

    def remember(self, kind: str, model: str, found: Document) -> None:
        """Raises `Integrity` or `Unavailable` if it cannot be kept."""
        marks = self._memory.marks()
        if mark(found)[0] > marks.get(f"{kind} {model}", NOTHING)[0]:
            self._memory.keep({**marks, f"{kind} {model}": mark(found)})


_FIND = "find out who writes on the channel and put it back; or say anew what counts"
_HINTS: Mapping[str, str] = MappingProxyType(
    {
        POINTERS: f"{_FIND}: make promote, make rollback",
        STOPS: f"{_FIND}: make stop, make resume",
        ROLLOUTS: f'{_FIND}: make end-rollout BY=… REASON="…"; what make judge-rollout ends counts, too',
    }
)


def mark(found: Document | None) -> Mark:
    """The same for the same document in the release before and the next: what a stop does not say is left out."""
    if found is None:
        return NOTHING
    said = found.to_document() if isinstance(found, Stop) else asdict(found)
    return found.sequence, sha256(canonical(said))


class InProcess:
    """Forgotten with the process."""

    def __init__(self) -> None:
        self._marks: Mapping[str, Mark] = {}

    def marks(self) -> Mapping[str, Mark]:
        return self._marks

    def keep(self, marks: Mapping[str, Mark]) -> None:
        self._marks = marks
