"""Who may come in: the holders of keys, or anybody while there are none. Nothing here knows of HTTP.

A key that is presented is looked up by its SHA-256, and the two hashes are compared in constant time. Whoever measures the
look-up learns how hashes begin, which tells nothing about a key of 256 random bits.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256
from hmac import compare_digest
from ipaddress import ip_address

from models.clock import Clock
from models.errors import Misconfigured
from models.governance.api_keys import EVERY, Action, Allowance, ApiKey, State
from serving.door.buckets import Bucket
from serving.door.needs import Need
from serving.door.refusals import NotAuthenticated, NotPermitted, TooManyRequests

OPEN = Allowance(requests_per_second=20_000, burst=20_000, decisions_per_second=2_000_000, in_flight=512)
"""What all may ask together while there are no keys."""

_ASK = "whoever runs the service issues others"


class Holder:
    """Somebody who asks: the holder of a key, or anybody. For one event loop."""

    def __init__(self, key: ApiKey | None, allowance: Allowance, ticks: Callable[[], float] = time.monotonic) -> None:
        self.key = key
        self.name = key.name if key else ""
        self.in_flight = 0
        self._most_in_flight = allowance.in_flight
        self._requests = Bucket(allowance.requests_per_second, allowance.burst, ticks)
        self._decisions = Bucket(allowance.decisions_per_second, max(1.0, allowance.decisions_per_second), ticks)
        self._actions = frozenset(key.actions if key else Action)
        self._models = frozenset(key.models if key else [EVERY])
        self._digest = bytes.fromhex(key.digest) if key else b""

    def has(self, digest: bytes) -> bool:
        return compare_digest(self._digest, digest)

    def covers(self, model: str) -> bool:
        return model in self._models or EVERY in self._models

    def may(self, action: Action) -> bool:
        return action in self._actions

    def permit(self, need: Need) -> None:
        """Raises `NotPermitted`."""
        if not need.actions <= self._actions:
            raise NotPermitted(
                f"this key may not {_all_of(need.actions - self._actions)}", f"it may {_all_of(self._actions)}; {_ASK}"
            )
        if need.model and not self.covers(need.model):
            what = "all models" if need.model == EVERY else f"the model {need.model[:64]!r}"
            raise NotPermitted(f"this key is not for {what}", f"it is for {_all_of(self._models)}; {_ASK}")

    def permit_reviewer(self, reviewer: str) -> None:
        """Raises `NotPermitted`."""
        if self.key and reviewer not in self.key.reviewers:
            raise NotPermitted(
                f"this key does not bring reviews of {reviewer}", f"it brings those of {', '.join(self.key.reviewers)}; {_ASK}"
            )

    def count(self) -> None:
        """One request more. Raises `TooManyRequests`."""
        if wait := self._requests.wait():
            raise TooManyRequests("requests", wait)
        if wait := self._decisions.wait():
            raise TooManyRequests("decisions", wait)
        self._requests.take(1.0)

    def decided(self, count: int) -> None:
        self._decisions.take(count)

    def enter(self) -> None:
        """One request more is worked on. Raises `TooManyRequests`."""
        if self.in_flight >= self._most_in_flight:
            raise TooManyRequests("requests at a time", 1.0)
        self.in_flight += 1

    def leave(self) -> None:
        self.in_flight -= 1


ANYBODY = Holder(None, OPEN)
"""Whoever asks in-process, past any door."""


def may_read(holder: Holder | None) -> bool:
    return holder is not None and holder.may(Action.READ)


class Register:
    """`take_over` has one caller at a time; the others are for one event loop, and may run beside it."""

    def __init__(self, clock: Clock, open_to_all: Allowance = OPEN) -> None:
        self._clock = clock
        self.anybody = Holder(None, open_to_all)
        self._holders: dict[bytes, Holder] = {}
        self._closed = False

    @property
    def closed(self) -> bool:
        """Whether a key is needed. It stays so for as long as the process lives: an end of the last key opens no door."""
        return self._closed

    def take_over(self, keys: Sequence[ApiKey], *, any_files: bool) -> None:
        """The keys that there are now. A holder whose key is the same keeps what was counted."""
        known = {holder.key: holder for holder in self._holders.values()}
        self._holders = {bytes.fromhex(key.digest): known.get(key) or Holder(key, key.allowance) for key in keys}
        self._closed = self._closed or any_files

    def admit(self, secret: bytes | None) -> Holder:
        """Who presents this; None for nothing. Raises `NotAuthenticated`."""
        if not self._closed:
            return self.anybody
        if secret is None:
            raise NotAuthenticated("this service answers holders of an API key", presented=False)
        digest = sha256(secret).digest()
        holder = self._holders.get(digest)
        if holder is None or holder.key is None or not holder.has(digest):
            raise NotAuthenticated("this is no key of this service", presented=True)
        if holder.key.state(self._clock.now()) is not State.IN_FORCE:
            raise NotAuthenticated("this key is no longer in force", presented=True)
        return holder


def loopback(host: str) -> bool:
    """Whether only this machine reaches the address. Of a name nobody knows."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def ensure_guarded(*, local: bool, loopback: bool, keys: bool) -> None:
    """Raises `Misconfigured` where a service would answer whoever asks."""
    if keys or (local and loopback):
        return
    where = "on an address that others reach" if local else "outside the local profile"
    raise Misconfigured(
        f"there is no API key, and without one a service does not answer {where}",
        hint="make api-key NAME=… MODELS=… ACTIONS=… DAYS=… BY=… REASON=…" + ("; or unset STEWARD_SERVING_HOST" if local else ""),
    )


def _all_of(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))
