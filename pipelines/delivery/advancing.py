"""What is to be done next with a release that arrived, so that it decides for all only after a canary of it passed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto

from models.channel import RolloutReader
from models.governance.canaries import newest_canary
from models.rollout import End, Outcome, Rollout, lapsed


class Step(Enum):
    NOTHING = auto()
    """It is in force."""
    PROMOTE = auto()
    """A canary of it passed beside this champion; or people answer for going without, or there is nothing to compare it with."""
    BEGIN = auto()
    JUDGE = auto()
    """A canary of it is open."""
    STOP = auto()
    """Its last canary did not pass: only a person goes on, or another release."""


@dataclass(frozen=True)
class Next:
    step: Step
    why: str = ""


def next_step(
    channel: RolloutReader,
    documents: Sequence[Rollout | End],
    model: str,
    bundle: str,
    champion: str,
    now: datetime,
    waived: str = "",
) -> Next:
    """By the signed documents about roll-outs, oldest first. `waived` is said by people who answer for going without a canary."""
    if champion == bundle:
        return Next(Step.NOTHING, "it is in force")
    if not champion:
        return Next(Step.PROMOTE, "nothing is in force that it could be tried beside")
    if waived:
        return Next(Step.PROMOTE, waived)
    found = newest_canary(documents, bundle, channel.pointers(model))
    if found is None:
        return Next(Step.BEGIN, "it was not tried beside this champion yet")
    if (ended := found.ended) and ended.outcome is Outcome.PROMOTION_ASKED:
        return Next(Step.PROMOTE, ended.reason)
    if ended:
        return Next(Step.STOP, f"its canary was {ended.outcome.value.replace('_', ' ')} by {ended.asked_by}: {ended.reason}")
    over = lapsed(channel, found.begun, now)
    return Next(Step.STOP, f"its canary did not come to a verdict: {over}") if over else Next(Step.JUDGE, "its canary is open")
