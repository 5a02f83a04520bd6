"""Somebody who asks: what they may, and how much of it. Nothing here knows of HTTP."""

import copy
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from hmac import compare_digest
from typing import Self

from models.governance.api_keys import EVERY, Action, Allowance, ApiKey
from serving.door.buckets import Bucket
from serving.door.needs import Need
from serving.door.refusals import NotPermitted, TooManyRequests

OPEN = Allowance(requests_per_second=20_000, burst=20_000, decisions_per_second=2_000_000, in_flight=512)
"""What all may ask together while there are no keys."""

_ASK = "whoever runs the service issues others"


@dataclass(frozen=True)
class Grant:
    """These actions, on these models."""

    models: frozenset[str]
    actions: frozenset[Action]

    def covers(self, model: str) -> bool:
        return model in self.models or EVERY in self.models


@dataclass(frozen=True)
class Subject:
    """Whom a token speaks for, and what it allows. The name cannot be that of an API key."""

    name: str
    grants: tuple[Grant, ...]
    reviewers: tuple[str, ...]


def _grants(key: ApiKey | Subject | None) -> tuple[Grant, ...]:
    if isinstance(key, Subject):
        return key.grants
    return (Grant(frozenset(key.models if key else [EVERY]), frozenset(key.actions if key else Action)),)


@dataclass
class _Underway:
    """How many requests of somebody are worked on, whatever rights each of them came with."""

    count: int = 0


class Holder:
    """The holder of a key, whom a token speaks for, or anybody. For one event loop."""

    def __init__(self, key: ApiKey | Subject | None, allowance: Allowance, ticks: Callable[[], float] = time.monotonic) -> None:
        self._underway = _Underway()
        self._most_in_flight = allowance.in_flight
        self._requests = Bucket(allowance.requests_per_second, allowance.burst, ticks)
        self._decisions = Bucket(allowance.decisions_per_second, max(1.0, allowance.decisions_per_second), ticks)
        self._digest = bytes.fromhex(key.digest) if isinstance(key, ApiKey) else b""
        self._take(key)

    def as_well(self, key: Subject) -> Self:
        """The same somebody with other rights: what is taken of the allowance, each takes from the other."""
        other = copy.copy(self)
        other._take(key)
        return other

    def _take(self, key: ApiKey | Subject | None) -> None:
        self.key = key
        self.name = key.name if key else ""
        self._grants = _grants(key)
        self._actions = frozenset(action for grant in self._grants for action in grant.actions)
        self._models = frozenset(model for grant in self._grants for model in grant.models)

    def has(self, digest: bytes) -> bool:
        return compare_digest(self._digest, digest)

    def covers(self, model: str, action: Action) -> bool:
        return any(action in grant.actions and grant.covers(model) for grant in self._grants)

    def may(self, action: Action) -> bool:
        return action in self._actions

    def permit(self, need: Need) -> None:
        """Raises `NotPermitted`."""
        if not need.actions <= self._actions:
            raise NotPermitted(
                f"this key may not {_all_of(need.actions - self._actions)}", f"it may {_all_of(self._actions)}; {_ASK}"
            )
        if need.model and not all(self.covers(need.model, action) for action in need.actions):
            what = "all models" if need.model == EVERY else f"the model {need.model[:64]!r}"
            raise NotPermitted(f"this key is not for {what}", f"it is for {_all_of(self._models)}; {_ASK}")

    def permit_reviewer(self, reviewer: str) -> None:
        """Raises `NotPermitted`."""
        if self.key and reviewer not in self.key.reviewers:
            whose = ", ".join(self.key.reviewers) or "nobody"
            raise NotPermitted(f"this key does not bring reviews of {reviewer}", f"it brings those of {whose}; {_ASK}")

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
        if self._underway.count >= self._most_in_flight:
            raise TooManyRequests("requests at a time", 1.0)
        self._underway.count += 1

    def leave(self) -> None:
        self._underway.count -= 1


ANYBODY = Holder(None, OPEN)
"""Whoever asks in-process, past any door."""


def may_read(holder: Holder | None) -> bool:
    return holder is not None and holder.may(Action.READ)


def _all_of(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))
