"""Why somebody is turned away at the door, before anything is decided. Nothing is said about anybody else's key."""

import math

from models.errors import PlatformError, Unavailable

_BEARER = "send `Authorization: Bearer <key>`; whoever runs the service issues keys: make api-key"


class TurnedAway(PlatformError):
    """`headers` go with the refusal."""

    headers: dict[str, str]


class NotAuthenticated(TurnedAway):
    def __init__(self, problem: str, *, presented: bool, hint: str = _BEARER) -> None:
        super().__init__(problem, hint)
        self.headers = {"WWW-Authenticate": 'Bearer realm="steward"' + (', error="invalid_token"' if presented else "")}


class NotPermitted(TurnedAway):
    def __init__(self, problem: str, hint: str) -> None:
        super().__init__(problem, hint)
        self.headers = {}


class TooManyRequests(TurnedAway):
    def __init__(self, what: str, seconds: float) -> None:
        super().__init__(f"more {what} than may be asked", "wait as long as Retry-After says; nothing was decided")
        self.headers = {"Retry-After": str(max(1, math.ceil(seconds)))}


class Overloaded(Unavailable):
    def __init__(self, what: str) -> None:
        super().__init__(what, "wait as long as Retry-After says; nothing was decided")


class TooLate(Unavailable):
    def __init__(self, seconds: float) -> None:
        super().__init__(
            f"the answer was not there within {seconds:g} s",
            "ask again with the same Idempotency-Key: what was decided meanwhile is answered, not decided twice",
        )


class HeadTooLarge(PlatformError):
    """More header lines than any of our requests needs."""


class AddressTooLong(PlatformError):
    """A longer path and query than any of our requests needs."""
