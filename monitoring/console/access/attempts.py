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
    """Failed ones only. `seconds` is a clock that never goes back."""

    seconds: Callable[[], float]
    _failed: dict[str, deque[float]] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def ensure_few(self, name: str, address: str) -> None:
        """Raises `TooManyAttempts`, also for the right password: otherwise whoever guesses would learn it."""
        with self._lock:
            self._forget()
            spent = len(self._failed.get(f"name {name}", ())) >= PER_NAME
            spent |= len(self._failed.get(f"address {address}", ())) >= PER_ADDRESS
            if spent or len(self._failed) >= MOST_REMEMBERED:
                raise TooManyAttempts(
                    "too many wrong passwords", hint=f"wait {WINDOW_SECONDS / 60:.0f} minutes; make user makes a new password"
                )

    def failed(self, name: str, address: str) -> None:
        with self._lock:
            for key in (f"name {name}", f"address {address}"):
                self._failed.setdefault(key, deque()).append(self.seconds())

    def passed(self, name: str) -> None:
        """The count of a name begins anew; an address may have guessed others."""
        with self._lock:
            self._failed.pop(f"name {name}", None)

    def _forget(self) -> None:
        since = self.seconds() - WINDOW_SECONDS
        for key, times in list(self._failed.items()):
            while times and times[0] <= since:
                times.popleft()
            if not times:
                del self._failed[key]
