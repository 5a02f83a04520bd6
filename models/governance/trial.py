"""The challenger of a roll-out as serving loads it: everything verified, from signed bytes alone.

A canary decides about customers, so its challenger needs what a promotion in the champion's place would need. A shadow decides
nothing: the signed document, written for a registered version only, and the bundle's digest are enough.
"""

from collections.abc import Sequence
from datetime import datetime

from models.bundle import Bundle
from models.channel import Move, Pointer, Release, ReleaseReader, approvers_needed, history, pointer_at, verified
from models.contract import breaking_changes
from models.errors import Integrity
from models.governance.signing import Signed, Trust
from models.governance.stop import signed_since
from models.rollout import Mode, Rollout


def challenger(channel: ReleaseReader, trust: Trust, begun: Rollout, now: datetime) -> Release:
    """Under a pointer that was never published (sequence 0).

    Raises `Integrity` if the document does not fit the champion in force, or if the contracts part; `NotApproved` of a canary,
    also if its challenger was rolled back and not approved since; `NotFound`.
    """
    if pointer_at(channel, trust, begun.model, begun.pointer).bundle != begun.champion:
        raise Integrity(
            f"roll-out {begun.number} of {begun.model} was begun beside another champion than pointer {begun.pointer} names",
            hint="end it, and find out who signed it: make end-rollout",
        )
    bundle = verified(channel, begun.model, begun.challenger)
    check_same_callers(verified(channel, begun.model, begun.champion), bundle)
    pointer = Pointer(
        begun.model,
        0,
        begun.challenger_version,
        begun.challenger,
        begun.champion,
        begun.started_at,
        begun.reason,
        Move.PROMOTE,
        begun.asked_by,
    )
    if begun.mode is Mode.SHADOW:
        return Release(pointer, bundle, needed=0, expires_at=begun.ends)
    needed = approvers_needed(channel, bundle, begun.champion)
    return standing(channel, trust, begun, Release(pointer, bundle, needed), now)


def standing(channel: ReleaseReader, trust: Trust, begun: Rollout, verified: Release, now: datetime) -> Release:
    """The same release under the approvals that there are now, if it needs any. Raises `NotApproved`."""
    if begun.mode is Mode.SHADOW:
        return verified
    return verified.under(_approvals(channel, trust, begun, now), trust, now)


def check_same_callers(champion: Bundle, bundle: Bundle) -> None:
    """Both answer the same requests, so no version of the contract excuses a break. Raises `Integrity`."""
    if broken := breaking_changes(champion.contract, bundle.contract):
        raise Integrity(
            f"bundle {bundle.digest[:12]} cannot be tried beside the champion: its contract differs: {'; '.join(broken)}",
            hint="what callers must learn first cannot be rolled out by degrees; promote it when they know",
        )


def _approvals(channel: ReleaseReader, trust: Trust, begun: Rollout, now: datetime) -> Sequence[Signed]:
    """Of a challenger that was in force and rolled back, those signed since."""
    found, withdrawal = channel.approvals(begun.challenger), None
    for pointer in history(channel, trust, begun.model):
        if pointer.move is Move.PROMOTE and pointer.bundle == begun.challenger:
            withdrawal = None
        elif pointer.move is Move.ROLL_BACK and pointer.previous == begun.challenger:
            withdrawal = pointer
    return signed_since(withdrawal, found, trust, now) if withdrawal else found
