"""How long a session lasts: a working day from signing in, or until its person signs out.

The cookie holds the session and may be copied, so what was ended is remembered here. This process alone knows the secret that
signs cookies: its memory is as old as the oldest of them.
"""

from collections.abc import Callable, MutableMapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

Session = MutableMapping[str, Any]
TOKEN, UNTIL = "token", "until"  # of what a session holds
LONGEST_SECONDS = 8 * 3600
"""A working day; then people sign in again."""


@dataclass
class Sessions:
    """`seconds` is a clock that never goes back."""

    seconds: Callable[[], float]
    _ended: dict[str, float] = field(default_factory=dict)  # until when a cookie could still name it, by token
    _lock: Lock = field(default_factory=Lock)

    def begin(self, session: Session) -> None:
        session[UNTIL] = self.seconds() + LONGEST_SECONDS

    def lasts(self, session: Session) -> bool:
        """However often the browser was given a fresh cookie."""
        with self._lock:
            return self.seconds() < session.get(UNTIL, 0.0) and session.get(TOKEN) not in self._ended

    def end(self, session: Session) -> None:
        """Every copy of it. One that nobody signed in to is only forgotten: strangers cannot fill the memory."""
        if UNTIL in session:
            with self._lock:
                now = self.seconds()
                self._ended = {token: until for token, until in self._ended.items() if until > now}
                self._ended[str(session.get(TOKEN))] = session[UNTIL]
        session.clear()
