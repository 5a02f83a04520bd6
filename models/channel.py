"""The release channel: the only place that serving reads. Bundles by digest, approvals, signed pointers, stops and roll-outs.

A pointer names the bundle in force, its approval and its predecessor; pointers are numbered without gaps and each
number can be written once. So publishing is a compare-and-swap, and the whole history stays.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Literal, Protocol, TypeVar

from models.bundle import Bundle
from models.contract import check_callers
from models.errors import Conflict, Integrity, NoChampion, NotApproved, NotFound, PlatformError
from models.governance.approval import check_approvals
from models.governance.inventory import declared, oversight
from models.governance.signing import Duty, Signed, Signer, Trust
from models.governance.yardstick import yardstick

CONTRACT = "contract.json"
APPROVERS_OF_A_POLICY_CHANGE = 2
LAST_NUMBER = 99_999_999
"""Of pointers, stops and documents about roll-outs: behind it nothing is published."""
Document = TypeVar("Document")
_NEVER_YET = datetime.min.replace(tzinfo=UTC)


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
    """What the head of a channel says, verified. `needed` different approvers have signed; that counts until `expires_at`."""

    pointer: Pointer
    bundle: Bundle
    needed: int
    approvals: tuple[Signed, ...] = ()
    expires_at: datetime = _NEVER_YET

    def under(self, approvals: Sequence[Signed], trust: Trust, now: datetime) -> "Release":
        """The same release under these approvals. Raises `NotApproved` unless enough of them are in force."""
        approved = check_approvals(
            approvals, trust, model=self.pointer.model, bundle=self.pointer.bundle, now=now, needed=self.needed
        )
        return replace(self, approvals=tuple(approvals), expires_at=approved.until)


Numbered = Literal["pointers", "stops", "rollouts"]


class ReleaseReader(Protocol):
    """What verifying reads: bytes as they are stored; the rules are the functions below."""

    def models(self) -> list[str]: ...

    def pointers(self, model: str) -> int:
        """How many pointers were ever published, which is the sequence number of the newest; 0 for none."""
        ...

    def pointer(self, model: str, sequence: int) -> Signed:
        """Raises `NotFound`."""
        ...

    def bundle(self, digest: str) -> Mapping[str, bytes]:
        """The files as stored, unverified. Raises `NotFound`."""
        ...

    def approvals(self, bundle: str) -> tuple[Signed, ...]:
        """One by each who signed, by name; unverified. What lies there and is no approval is passed over: see `strays`."""
        ...

    def stops(self, model: str) -> int:
        """The sequence number of the newest stop document; 0 for none. See `models.governance.stop`."""
        ...

    def stop(self, model: str, sequence: int) -> Signed:
        """Raises `NotFound`."""
        ...


class RolloutReader(ReleaseReader, Protocol):
    """A channel with its roll-outs, see `models.rollout`. A local copy has none."""

    def rollouts(self, model: str) -> int:
        """The number of the newest document about roll-outs; 0 for none."""
        ...

    def rollout(self, model: str, number: int) -> Signed:
        """Raises `NotFound`."""
        ...


class ReleaseChannel(RolloutReader, Protocol):
    """Storage only: it keeps bytes and refuses to overwrite."""

    def numbers(self, kind: Numbered, model: str) -> list[int]:
        """Of the documents that are there, ascending; who can write here may have left any."""
        ...

    def add_pointer(self, model: str, sequence: int, pointer: Signed) -> None:
        """Raises `Conflict` if this number was taken."""
        ...

    def bundles(self) -> list[str]:
        """The digests of all that were ever added and are still there."""
        ...

    def add_bundle(self, digest: str, files: Mapping[str, bytes]) -> None:
        """All or nothing; adding the same digest again changes nothing."""
        ...

    def add_approval(self, bundle: str, approval: Signed) -> None:
        """Takes the place of an earlier one by the same signer."""
        ...

    def strays(self) -> list[str]:
        """Where something lies in the place of an approval that cannot be read as one."""
        ...

    def add_stop(self, model: str, sequence: int, stop: Signed) -> None:
        """Raises `Conflict` if this number was taken."""
        ...

    def add_rollout(self, model: str, number: int, document: Signed) -> None:
        """Raises `Conflict` if this number was taken."""
        ...


def walked(there: Iterable[int], noted: Iterable[int] = ()) -> Iterator[tuple[int, int]]:
    """From number 1 to the newest, first and last: one by one what is there or what the ledger knows, and each gap between them
    at once. A single file under a high number must not keep anybody busy."""
    before = 0
    for number in sorted({*there, *noted}):
        if number - before > 1:
            yield before + 1, number - 1
        yield number, number
        before = number


def readable(
    numbers: Iterable[tuple[int, int]], read: Callable[[int], Document], gap: str
) -> tuple[list[Document], dict[int, PlatformError]]:
    """The documents of numbers as `walked` gives them, and what is wrong with the others; a gap by its first, worded by `gap`."""
    documents: list[Document] = []
    unreadable: dict[int, PlatformError] = {}
    for number, last in numbers:
        if last > number:
            unreadable[number] = NotFound(gap.format(first=number, last=last))
            continue
        try:
            documents.append(read(number))
        except (Integrity, NotApproved, NotFound) as error:
            unreadable[number] = error
    return documents, unreadable


def head(channel: ReleaseReader, trust: Trust, model: str) -> Pointer:
    """The newest pointer, its signature checked. Raises `NoChampion`, `NotApproved`."""
    sequence = channel.pointers(model)
    if sequence == 0:
        raise NoChampion(f"no champion of {model} has been promoted yet", hint="run `make train` first")
    return pointer_at(channel, trust, model, sequence)


def pointer_at(channel: ReleaseReader, trust: Trust, model: str, sequence: int) -> Pointer:
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


def history(channel: ReleaseReader, trust: Trust, model: str) -> list[Pointer]:
    """Every pointer, oldest first, each verified."""
    return [pointer_at(channel, trust, model, number) for number in range(1, channel.pointers(model) + 1)]


def release(channel: ReleaseReader, trust: Trust, model: str, *, now: datetime) -> Release:
    """The release in force: pointer signature, approvals, then every digest, before anything of the bundle is parsed."""
    pointer = head(channel, trust, model)
    approvals = channel.approvals(pointer.bundle)
    check_approvals(approvals, trust, model=model, bundle=pointer.bundle, now=now)
    bundle = verified(channel, model, pointer.bundle)
    replaced = _replaced(channel, trust, model, pointer.bundle)
    check_compatible(channel, bundle, replaced)
    needed = approvers_needed(channel, bundle, replaced)
    return Release(pointer, bundle, needed).under(approvals, trust, now)


def approvers_needed(channel: ReleaseReader, bundle: Bundle, replaced: str) -> int:
    """How many must sign for a bundle that takes the place of `replaced` ("" for none): its tier's.

    Two at least if policy or inventory changed. Raises `NotApproved` if the inventory leaves anything out.
    """
    needed = oversight(declared(bundle)).approvers
    if replaced and yardstick(verified(channel, bundle.model, replaced)) != yardstick(bundle):
        return max(needed, APPROVERS_OF_A_POLICY_CHANGE)
    return needed


def check_compatible(channel: ReleaseReader, bundle: Bundle, replaced: str) -> None:
    """Raises `Integrity` if the contract breaks the callers of `replaced` ("" for none) under the version that they know.

    A roll-back is measured by what the bundle replaced when it was promoted: an emergency has no time for callers.
    """
    if replaced:
        before = verified(channel, bundle.model, replaced)
        if before.files[CONTRACT] != bundle.files[CONTRACT]:
            check_callers(before.contract, bundle.contract)


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
    sealed = verified(channel, model, bundle)
    replaced = expected if move is Move.PROMOTE else _replaced(channel, trust, model, bundle)
    needed = approvers_needed(channel, sealed, replaced)
    check_approvals(channel.approvals(bundle), trust, model=model, bundle=bundle, now=now, needed=needed)
    last = expect_head(channel, trust, model, expected)
    pointer = Pointer(model, last + 1, version, bundle, expected, now.isoformat(), reason, move, asked_by)
    channel.add_pointer(model, last + 1, signer.sign(asdict(pointer)))
    return pointer


def expect_head(channel: ReleaseReader, trust: Trust, model: str, expected: str) -> int:
    """The number of the newest pointer, 0 for none, if it names `expected` (digest or ""). Raises `Conflict`."""
    last = channel.pointers(model)
    current = pointer_at(channel, trust, model, last).bundle if last else ""
    if current != expected:
        raise Conflict(
            f"{model} points at {current[:12] or 'nothing'}, not at {expected[:12] or 'nothing'}",
            hint="somebody promoted meanwhile; compare the challenger with the new champion",
        )
    return last


def verified(channel: ReleaseReader, model: str, digest: str) -> Bundle:
    """A bundle of this model, every byte checked. Raises `NotFound`, `Integrity`."""
    bundle = Bundle.verified(channel.bundle(digest), digest)
    if bundle.model != model:
        raise Integrity(f"the bundle is of {bundle.model}, not of {model}", hint="promote a bundle of this model")
    return bundle


def _replaced(channel: ReleaseReader, trust: Trust, model: str, bundle: str) -> str:
    """What a bundle took the place of when it was last promoted; a roll-back to it does not ask again."""
    for number in range(channel.pointers(model), 0, -1):
        pointer = pointer_at(channel, trust, model, number)
        if pointer.bundle == bundle and pointer.move is Move.PROMOTE:
            return pointer.previous
    raise Integrity(
        f"bundle {bundle[:12]} of {model} was rolled back to and never promoted",
        hint="find out who signed the pointer; promote a bundle that was approved",
    )
