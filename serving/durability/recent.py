"""The answers of the last requests with a key, for retries that come while the log cannot be asked."""

from collections import OrderedDict
from collections.abc import Sequence
from threading import Lock

from monitoring.decisions import Answered, Entry

ROOM = 4 * 2**20
"""Bytes of answers that are remembered, about."""


class Recent:
    """Safe for several threads."""

    def __init__(self, room: int = ROOM) -> None:
        self._room = room
        self._answers: OrderedDict[str, Answered] = OrderedDict()
        self._turn = Lock()

    def add(self, entries: Sequence[Entry]) -> None:
        for entry in entries:
            if entry.answered:
                self._add(entry.answered)

    def get(self, key: str) -> Answered | None:
        return self._answers.get(key)

    def _add(self, answered: Answered) -> None:
        with self._turn:
            if answered.key in self._answers:
                return
            self._answers[answered.key] = answered
            self._room -= _size(answered)
            while self._room < 0:
                _, oldest = self._answers.popitem(last=False)
                self._room += _size(oldest)


def _size(answered: Answered) -> int:
    return len(answered.key) + len(answered.response)
