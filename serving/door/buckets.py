"""How much may be taken over time."""

from collections.abc import Callable


class Bucket:
    """Full at first. Fills with `rate` a second up to `most`. What is taken may leave it below zero: then it is waited for.

    So a batch is taken whole, whatever its size, and what comes after it pays.
    """

    __slots__ = ("_at", "_level", "_most", "_rate", "_ticks")

    def __init__(self, rate: float, most: float, ticks: Callable[[], float]) -> None:
        self._rate = rate
        self._most = self._level = most
        self._ticks = ticks
        self._at = ticks()

    def wait(self) -> float:
        """Seconds until one is there; 0.0 if it is now. What ran in meanwhile is counted only when it is needed."""
        if self._level >= 1.0:
            return 0.0
        now = self._ticks()
        self._level = min(self._most, self._level + (now - self._at) * self._rate)
        self._at = now
        return 0.0 if self._level >= 1.0 else (1.0 - self._level) / self._rate

    def take(self, amount: float) -> None:
        self._level -= amount
