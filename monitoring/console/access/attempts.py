"""How often a password may be guessed: five times a name and twenty an address, in five minutes of this process's time."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock

from monitoring.console.access.refusals import TooManyAttempts

WINDOW_SECONDS = 300.0
PER_NAME, PER_ADDRESS = 5, 20
MOST_REMEMBERED = 10_000
"""Names and addresses; whoever invents more of them than that in five minutes keeps everybody out, and not us out of memory."""


@dataclass
class Attempts:
    """Every one counts from its beginning, as if it failed, until it passes: many at once are no more than one after the other.

    `seconds` is a clock that never goes back.
    """

    seconds: Callable[[], float]
    _counted: dict[str, deque[float]] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def begin(self, name: str, address: str) -> None:
        """Raises `TooManyAttempts`, also for the right password: otherwise whoever guesses would learn it."""
        with self._lock:
            self._forget()
            spent = len(self._counted.get(f"name {name}", ())) >= PER_NAME
            spent |= len(self._counted.get(f"address {address}", ())) >= PER_ADDRESS
            if spent or len(self._counted) >= MOST_REMEMBERED:
                raise TooManyAttempts(
                    "too many wrong passwords", hint=f"wait {WINDOW_SECONDS / 60:.0f} minutes; make user makes a new password"
                )
            for key in (f"name {name}", f"address {address}"):
                self._counted.setdefault(key, deque()).append(self.seconds())

    def passed(self, name: str, address: str) -> None:
        """The count of a name begins anew; of an address only this one was no guess: it may have guessed others."""
        with self._lock:
            self._counted.pop(f"name {name}", None)
            if times := self._counted.get(f"address {address}"):
                times.pop()

    def _forget(self) -> None:
        since = self.seconds() - WINDOW_SECONDS
        for key, times in list(self._counted.items()):
            while times and times[0] <= since:
                times.popleft()
            if not times:
                del self._counted[key]
