"""Which bundle may decide a batch now: what serving would answer with, by the same signed documents."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from models.channel import Release, ReleaseReader, release
from models.errors import Integrity
from models.governance.ledger import Entry, Event
from models.governance.signing import Trust
from models.governance.stop import Stopped, newest, stand_in

_POINTERS = (Event.PROMOTED, Event.ROLLED_BACK)
_STOPS = (Event.STOPPED, Event.RESUMED)


@dataclass(frozen=True)
class Standing:
    """`fallback` is why the champion is stopped, if another bundle decides in its place; "" otherwise."""

    release: Release
    fallback: str = ""


def in_force(channel: ReleaseReader, trust: Trust, entries: Sequence[Entry], model: str, now: datetime) -> Standing:
    """Every signature, approval and digest checked.

    Raises `NoChampion`, `NotApproved`, `Integrity`; `Stopped` if a person stopped the model and named nothing in its place. What
    the ledger knows and the channel no longer shows was taken away: that is `Integrity`, too.
    """
    for what, events, shown in (
        ("pointers", _POINTERS, channel.pointers(model)),
        ("stops", _STOPS, channel.stops(model)),
    ):
        noted = max((entry.facts["sequence"] for entry in entries if entry.event in events), default=0)
        if noted > shown:
            raise Integrity(
                f"{what} of {model} were taken away from the release channel: {shown} is the newest, the ledger knows {noted}",
                hint="nothing was decided; put them back from a copy of the channel; see make verify",
            )
    stop = newest(channel, trust, model)
    if stop is None or not stop.stopped:
        return Standing(release(channel, trust, model, now=now))
    if not stop.fallback:
        raise Stopped(f"{model} is stopped: {stop.reason}", hint="a person let nothing be decided; make resume lets it go on")
    return Standing(stand_in(channel, trust, stop, now), stop.reason)
