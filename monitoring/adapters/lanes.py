"""The lanes of one writing process: as many as there are writes at the same time. See `monitoring.chain`."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from models.errors import Conflict
from monitoring.chain import ChainKeys, Mac, Row, Seal, sealed


class Lanes:
    """Safe for several threads: whoever writes takes a lane that is free, or a new one, and gives it back."""

    def __init__(self, keys: Callable[[], ChainKeys]) -> None:
        self._keys = keys  # asked for with a new lane: who only reads needs none
        self._free: list[tuple[Seal, Mac]] = []  # each by its last seal; lists pop and append atomically

    @contextmanager
    def sealing(self, rows: Sequence[Row]) -> Iterator[list[Seal]]:
        """The seals of records that are written in here. Raises `Misconfigured` without a key.

        The lane goes on from them if the writing succeeds, and from where it was if it was refused. After any other failure
        nobody knows what the database has: the lane ends there.
        """
        if not rows:
            yield []
            return
        last, key = self._taken()
        seals = list(sealed(key, last, rows))
        try:
            yield seals
        except Conflict:
            self._free.append((last, key))
            raise
        self._free.append((seals[-1], key))

    def renew(self) -> None:
        """End the lanes that are free: new ones begin under the newest key."""
        self._free = []

    def _taken(self) -> tuple[Seal, Mac]:
        try:
            return self._free.pop()
        except IndexError:
            lane, key = self._keys().new_lane()
            return Seal(lane, 0, "", ""), key
