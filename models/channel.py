"""The release channel: the only place that serving reads. Bundles by digest, approvals, and a signed pointer per model.

A pointer names the bundle in force, its approval and its predecessor; pointers are numbered without gaps and each
number can be written once. So publishing is a compare-and-swap, and the whole history stays.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from models.bundle import Bundle
from models.errors import Conflict, Integrity, NoChampion
from models.governance.approval import check_approval
from models.governance.signing import Duty, Signed, Signer, Trust


class Move(StrEnum):
    """Why a pointer was written."""

    PROMOTE = "promote"
    ROLL_BACK = "roll_back"


@dataclass(frozen=True)
class Pointer:
    """`version` is the registry's number, for people; `previous` the digest that this pointer replaced, "" for the first.

    `move` and `asked_by` stand in the signed pointer so that the ledger can be completed from it after a crash.
    """

    model: str
    sequence: int
    version: int
    bundle: str
    previous: str
    published_at: str
    reason: str
    move: Move
    asked_by: str


@dataclass(frozen=True)
class Release:
    """What the head of a channel says, verified."""

    pointer: Pointer
    bundle: Bundle
    approval: Signed


class ReleaseChannel(Protocol):
    """Storage only: it keeps bytes and refuses to overwrite; the rules are the functions below."""

    def models(self) -> list[str]: ...

    def pointers(self, model: str) -> int:
        """How many pointers were ever published, which is the sequence number of the newest; 0 for none."""
        ...

    def pointer(self, model: str, sequence: int) -> Signed:
        """Raises `NotFound`."""
        ...

    def add_pointer(self, model: str, sequence: int, pointer: Signed) -> None:
        """Raises `Conflict` if this number was taken."""
        ...

    def bundle(self, digest: str) -> Mapping[str, bytes]:
        """The files as stored, unverified. Raises `NotFound`."""
        ...

    def add_bundle(self, digest: str, files: Mapping[str, bytes]) -> None:
        """All or nothing; adding the same digest again changes nothing."""
        ...

    def approval(self, bundle: str) -> Signed:
        """Raises `NotFound`."""
        ...

    def add_approval(self, bundle: str, approval: Signed) -> None: ...


def head(channel: ReleaseChannel, trust: Trust, model: str) -> Pointer:
    """The newest pointer, its signature checked. Raises `NoChampion`, `NotApproved`."""
    sequence = channel.pointers(model)
    if sequence == 0:
        raise NoChampion(f"no champion of {model} has been promoted yet", hint="run `make train` first")
    return pointer_at(channel, trust, model, sequence)


def pointer_at(channel: ReleaseChannel, trust: Trust, model: str, sequence: int) -> Pointer:
    signed = channel.pointer(model, sequence)
    trust.verify(signed, Duty.PUBLISH)
    try:
        pointer = Pointer(**{**signed.document, "move": Move(signed.document["move"])})
    except (KeyError, TypeError, ValueError) as error:
        raise Integrity(
            f"pointer {sequence} of {model} cannot be read", hint="it was published by another release of the platform"
        ) from error
    if (pointer.model, pointer.sequence) != (model, sequence):
        raise Integrity(
            f"pointer {sequence} of {model} says it is {pointer.sequence} of {pointer.model}",
            hint="an old pointer was replayed",
        )
    return pointer


def history(channel: ReleaseChannel, trust: Trust, model: str) -> list[Pointer]:
    """Every pointer, oldest first, each verified."""
    return [pointer_at(channel, trust, model, number) for number in range(1, channel.pointers(model) + 1)]


def release(channel: ReleaseChannel, trust: Trust, model: str, *, now: datetime) -> Release:
    """The release in force: pointer signature, approval, then every digest, before anything of the bundle is parsed."""
    pointer = head(channel, trust, model)
    approval = channel.approval(pointer.bundle)
    check_approval(approval, trust, model=model, bundle=pointer.bundle, now=now)
    return Release(pointer, _verified(channel, model, pointer.bundle), approval)


def publish(
    channel: ReleaseChannel,
    signer: Signer,
    trust: Trust,
    *,
    model: str,
    version: int,
    bundle: str,
    expected: str,
    now: datetime,
    reason: str,
    move: Move,
    asked_by: str,
) -> Pointer:
    """Point the channel at a bundle that it holds with a valid approval, if `expected` (digest or "") is still the head.

    Compare-and-swap: of two publishers that expect the same head, the second one gets a `Conflict`.
    """
    check_approval(channel.approval(bundle), trust, model=model, bundle=bundle, now=now)
    _verified(channel, model, bundle)
    last = channel.pointers(model)
    current = pointer_at(channel, trust, model, last).bundle if last else ""
    if current != expected:
        raise Conflict(
            f"{model} points at {current[:12] or 'nothing'}, not at {expected[:12] or 'nothing'}",
            hint="somebody promoted meanwhile; compare the challenger with the new champion",
        )
    pointer = Pointer(model, last + 1, version, bundle, current, now.isoformat(), reason, move, asked_by)
    channel.add_pointer(model, last + 1, signer.sign(asdict(pointer)))
    return pointer


def _verified(channel: ReleaseChannel, model: str, digest: str) -> Bundle:
    bundle = Bundle.verified(channel.bundle(digest), digest)
    if bundle.model != model:
        raise Integrity(f"the bundle is of {bundle.model}, not of {model}", hint="promote a bundle of this model")
    return bundle
