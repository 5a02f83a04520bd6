"""A local copy of each release in force: what a service starts from while the release channel does not say what is.

A copy holds the very documents that a verification read, and no other: the pointers back to the bundle's promotion, its
approvals, its files, those of the bundle that it replaced, and the newest stop document with what its fallback needs. So it
is read like a channel, by the same functions: there is no second way to verify, and nothing in it is believed.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from models.channel import Pointer, ReleaseReader, release
from models.errors import Integrity, NotApproved, NotFound
from models.governance.signing import Signed, Trust
from models.governance.stop import newest, stand_in


@dataclass(frozen=True)
class Copy:
    """Of one model. Pointers and stop documents by number, approvals and files by bundle."""

    model: str
    pointers: dict[int, Signed] = field(default_factory=dict)
    stops: dict[int, Signed] = field(default_factory=dict)
    approvals: dict[str, tuple[Signed, ...]] = field(default_factory=dict)
    bundles: dict[str, Mapping[str, bytes]] = field(default_factory=dict)


class Copies(Protocol):
    """Storage only. Several processes may keep at once: the last one counts, whole."""

    def models(self) -> list[str]: ...

    def reader(self, model: str) -> ReleaseReader:
        """The copy, unverified. Raises `NotFound` if there is none."""
        ...

    def keep(self, copy: Copy) -> None:
        """All or nothing, in the place of the one before; durable when it returns. Raises `Unavailable`."""
        ...

    def forget(self, model: str) -> None:
        """Raises `Unavailable`."""
        ...


def copied(channel: ReleaseReader, trust: Trust, pointer: Pointer, now: datetime) -> Copy:
    """What it takes to verify this release, as if its pointer were the newest, and the model's stop document.

    Raises `NotApproved`, `Integrity` or `NotFound` if the channel's own would not pass, `Unavailable`.
    """
    noted = _Noted(channel, pointer)
    if release(noted, trust, pointer.model, now=now).pointer != pointer:
        raise Integrity(f"pointer {pointer.sequence} of {pointer.model} is another than the one served", hint="see /health/ready")
    said = newest(noted, trust, pointer.model)
    if said and said.stopped and said.fallback:
        with suppress(NotApproved, Integrity, NotFound):  # a fallback that cannot answer now; the stop itself is noted
            stand_in(noted, trust, said, now)
    return noted.copy


class _Noted:
    """A channel as it was at a pointer, which notes what is read from it."""

    def __init__(self, channel: ReleaseReader, pointer: Pointer) -> None:
        self._channel = channel
        self._pointer = pointer
        self.copy = Copy(pointer.model)

    def models(self) -> list[str]:
        return [self._pointer.model]

    def pointers(self, _model: str) -> int:
        return self._pointer.sequence

    def pointer(self, model: str, sequence: int) -> Signed:
        return self.copy.pointers.setdefault(sequence, self._channel.pointer(model, sequence))

    def bundle(self, digest: str) -> Mapping[str, bytes]:
        return self.copy.bundles.setdefault(digest, self._channel.bundle(digest))

    def approvals(self, bundle: str) -> tuple[Signed, ...]:
        return self.copy.approvals.setdefault(bundle, self._channel.approvals(bundle))

    def stops(self, model: str) -> int:
        return self._channel.stops(model)

    def stop(self, model: str, sequence: int) -> Signed:
        return self.copy.stops.setdefault(sequence, self._channel.stop(model, sequence))
