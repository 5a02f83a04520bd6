"""How much may be taken over time."""


class Bucket:
    """Full at first. Fills with `rate` a second up to `most`. What is taken may leave it below zero: then it is waited for.

    So a batch is taken whole, whatever its size, and what comes after it pays.
    """

    __slots__ = ("_at", "_level", "_most", "_rate")

    def __init__(self, rate: float, most: float) -> None:
        self._rate = rate
        self._most = self._level = most
        self._at = 0.0

    def wait(self, now: float, wanted: float = 1.0) -> float:
        """Seconds until `wanted` is there; 0.0 if it is now."""
        self._level = min(self._most, self._level + (now - self._at) * self._rate)
        self._at = now
        return 0.0 if self._level >= wanted else (wanted - self._level) / self._rate

    def take(self, amount: float) -> None:
        self._level -= amount
