"""Where customers are decided about, a release is tried on some of them before it takes a champion's place.

What counts is the newest canary beside the pointer in force: a promotion or a roll-back since asks for another one. The first
champion has nothing to be tried beside, and a roll-back brings back what decided before: neither owes a canary.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from models.bundle import Bundle
from models.channel import Move, head, verified
from models.errors import InputRefused
from models.governance.inventory import declared, oversight
from models.governance.requests import Office, Request
from models.governance.rollout_records import read
from models.guardrails import Guardrails
from models.rollout import End, Mode, Outcome, Rollout, lapsed


@dataclass(frozen=True)
class Place:
    """The champion whose place is taken: its digest, and the number of its pointer."""

    champion: str
    pointer: int


@dataclass(frozen=True)
class Canary:
    """`ended` is None while no document ended it."""

    begun: Rollout
    ended: End | None


def newest_canary(documents: Sequence[Rollout | End], bundle: str, pointer: int) -> Canary | None:
    """Of a bundle beside the pointer with this number; by the signed documents about roll-outs, oldest first."""
    tried = [
        found
        for found in documents
        if isinstance(found, Rollout) and (found.mode, found.challenger, found.pointer) == (Mode.CANARY, bundle, pointer)
    ]
    if not tried:
        return None
    ends = (found for found in documents if isinstance(found, End) and found.rollout == tried[-1].number)
    return Canary(tried[-1], next(ends, None))


def lacks(found: Canary | None, least: int) -> str:
    """What is missing of a canary that was judged on so many accounts at least and passed; "" if nothing."""
    if found is None:
        return "it was not tried as a canary beside the champion whose place it takes"
    named, ended, judged = f"its canary, roll-out {found.begun.number},", found.ended, found.begun.guardrails.smallest_accounts
    if ended is None:
        return f"{named} has no verdict yet"
    if ended.outcome is not Outcome.PROMOTION_ASKED:
        return f"{named} was {ended.outcome.value.replace('_', ' ')} by {ended.asked_by}: {ended.reason}"
    return f"{named} was judged on {judged:,} accounts, and the tier asks for {least:,}" if judged < least else ""


def check_terms(office: Office, bundle: Bundle, guardrails: Guardrails) -> None:
    """Raises `InputRefused` for a canary that might pass and would not count."""
    least = oversight(declared(bundle)).canary_accounts if office.canaries else 0
    if guardrails.smallest_accounts < least:
        raise InputRefused(
            f"a canary of {bundle.model} is judged on {least:,} accounts at least, not on {guardrails.smallest_accounts:,}",
            hint="that is what its tier asks for; leave smallest_accounts out, or state a larger number",
        )


def place_of(office: Office, wanted: Request) -> Place | None:
    """Whose place a release takes, or took when it came into force; None where there is, or was, nobody."""
    if not office.channel.pointers(wanted.model):
        return None
    now = head(office.channel, office.trust, wanted.model)
    if now.bundle != wanted.bundle:
        return Place(now.bundle, now.sequence)
    took = now.move is Move.PROMOTE and bool(now.previous)
    return Place(now.previous, now.sequence - 1) if took else None


def tried(office: Office, wanted: Request, place: Place) -> Canary | None:
    documents, _ = read(office.channel, office.trust, wanted.model)
    return newest_canary(documents, wanted.bundle, place.pointer)


def untried(office: Office, wanted: Request) -> str:
    """What a release lacks of the canary that its tier asks for here; "" if nothing."""
    place = place_of(office, wanted) if office.canaries else None
    least = oversight(declared(verified(office.channel, wanted.model, wanted.bundle))).canary_accounts if place else 0
    if not (place and least):
        return ""
    found = tried(office, wanted, place)
    over = lapsed(office.channel, found.begun, office.clock.now()) if found and not found.ended else ""
    return f"{lacks(found, least)}: {over}" if over else lacks(found, least)
