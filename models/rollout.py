"""A safe roll-out: a challenger beside the champion, by a signed and numbered document in the release channel.

As a shadow it scores what the champion answers, and decides nothing. As a canary it decides for a share of the accounts.
The newest document of a model counts. One that begins a roll-out names the pointer and the stop document that were the newest
then: whatever moves either of them, a promotion, a roll-back or a stop, ends the roll-out for good. So does its last instant.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from hashlib import sha256
from typing import Any, Self

from models.channel import LAST_NUMBER, ReleaseReader, RolloutReader
from models.errors import Integrity, Misconfigured, NotApproved, NotFound
from models.governance.signing import Duty, Trust
from models.guardrails import Guardrails

CONTROL, CANARY = "control", "canary"
"""The arms: whom the champion decides for, and whom the challenger does."""
MOST_SHARE = 0.5
"""Of the accounts of a canary. More would be a promotion that nobody signed as one."""
_PARTS = 2**64
_END_IT = 'whatever it was about ends with: make end-rollout BY=… REASON="…"; and find out who writes on the channel'
_TAKE_AWAY = f"take document {LAST_NUMBER} away, behind which none can be written; and find out who writes on the channel"


def remedy(newest: int) -> str:
    """What to do about a document that nobody can read, where the newest has this number."""
    return _END_IT if newest < LAST_NUMBER else _TAKE_AWAY


class Mode(StrEnum):
    SHADOW = "shadow"
    CANARY = "canary"


class Outcome(StrEnum):
    """Why a roll-out was ended by a document."""

    ENDED = "ended"
    ROLLED_BACK = "rolled_back"
    PROMOTION_ASKED = "promotion_asked"


@dataclass(frozen=True)
class Rollout:
    """The document that begins one. `number` counts the documents of the model. `challenger` and `champion` are digests.

    `pointer` and `stop` are the numbers of the newest pointer and stop document when it began. `share` is that of the accounts
    that a canary decides for; a shadow scores all of them.
    """

    model: str
    number: int
    mode: Mode
    challenger: str
    challenger_version: int
    champion: str
    champion_version: int
    share: float
    started_at: str
    ends_at: str
    asked_by: str
    reason: str
    guardrails: Guardrails
    pointer: int
    stop: int

    @property
    def sequence(self) -> int:
        return self.number

    @cached_property
    def starts(self) -> datetime:
        return datetime.fromisoformat(self.started_at)

    @cached_property
    def ends(self) -> datetime:
        return datetime.fromisoformat(self.ends_at)

    @cached_property
    def identity(self) -> str:
        """What no other roll-out has: the draw of the next one owes nothing to this one's."""
        return f"{self.model} {self.number} {self.challenger} {self.started_at}"

    @cached_property
    def _below(self) -> int:
        return int(self.share * _PARTS)

    def arm(self, account: str) -> str:
        """The arm of an account, given as its pseudonym: the same for as long as the roll-out lasts.

        The pseudonym is a keyed hash already, so nobody outside can tell, or choose, who is drawn.
        """
        drawn = int.from_bytes(sha256(f"{self.identity} {account}".encode()).digest()[:8])
        return CANARY if drawn < self._below else CONTROL

    def to_document(self) -> dict[str, Any]:
        return asdict(self) | {"mode": self.mode.value, "guardrails": self.guardrails.to_dict()}

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> Self:
        """Raises `KeyError`, `TypeError` or `ValueError` for one of another form."""
        read = {"mode": Mode(document["mode"]), "guardrails": Guardrails.from_dict(document["guardrails"])}
        found = cls(**{**document, **read})
        if not found.starts < found.ends:
            raise ValueError("it ends before it begins")
        check_share(found.mode, found.share)
        return found


@dataclass(frozen=True)
class End:
    """The document that ends the roll-out `rollout`. `evidence` is the digest of the verdict that it rests on, "" for none.

    `over` are the numbers of documents before it that nobody can read, and that count for nothing. What they were about is not
    known, so `rollout` is the last that could be read then, 0 for none.
    """

    model: str
    number: int
    rollout: int
    outcome: Outcome
    at: str
    asked_by: str
    reason: str
    evidence: str = ""
    over: tuple[int, ...] = ()

    @property
    def sequence(self) -> int:
        return self.number

    @property
    def what(self) -> str:
        """What it ends, to begin a sentence with."""
        if self.over:
            return f"Whatever was rolled out of {self.model}"
        return f"Roll-out {self.rollout} of {self.model}"

    def to_document(self) -> dict[str, Any]:
        """As it is signed. Where all could be read, `over` is left out."""
        document = asdict(self) | {"outcome": self.outcome.value, "over": list(self.over)}
        return {name: value for name, value in document.items() if name != "over" or value}

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> Self:
        return cls(**{**document, "outcome": Outcome(document["outcome"]), "over": tuple(document.get("over", ()))})


def check_share(mode: Mode, share: float) -> None:
    """Raises `ValueError`."""
    if mode is Mode.CANARY and not 0 < share <= MOST_SHARE:
        raise ValueError(f"the share of a canary is above 0 and at most {MOST_SHARE:g}, not {share:g}")
    if mode is Mode.SHADOW and share != 1:
        raise ValueError("a shadow scores every account: its share is 1")


def document_at(channel: RolloutReader, trust: Trust, model: str, number: int) -> Rollout | End:
    """Raises `NotFound`, `NotApproved` if nobody who may signed it, `Integrity`."""
    signed = channel.rollout(model, number)
    trust.verify(signed, Duty.PUBLISH)
    try:
        read = End.read if "rollout" in signed.document else Rollout.read
        found: Rollout | End = read(signed.document)
    except (KeyError, TypeError, ValueError, Misconfigured) as error:
        raise Integrity(
            f"roll-out document {number} of {model} cannot be read: {error}",
            hint="it was signed by another release of the platform",
        ) from error
    if (found.model, found.number) != (model, number):
        raise Integrity(
            f"roll-out document {number} of {model} says it is {found.number} of {found.model}",
            hint="an old document was played again",
        )
    return found


def newest(channel: RolloutReader, trust: Trust, model: str) -> Rollout | End | None:
    """The document that counts; None if there never was one. Raises as `document_at`, with what to do about it."""
    number = channel.rollouts(model)
    try:
        return document_at(channel, trust, model, number) if number else None
    except (Integrity, NotApproved, NotFound) as error:
        raise type(error)(error.problem, "; ".join(filter(None, [error.hint, remedy(number)]))) from error


def lapsed(channel: ReleaseReader, begun: Rollout, now: datetime) -> str:
    """Why a roll-out that no document ended applies no longer; "" if it does."""
    if now >= begun.ends:
        return f"its time was over on {begun.ends:%Y-%m-%d %H:%M}"
    if channel.pointers(begun.model) != begun.pointer:
        return "the champion that it was compared with was replaced"
    if channel.stops(begun.model) != begun.stop:
        return f"{begun.model} was stopped since"
    return ""


def applying(channel: RolloutReader, trust: Trust, model: str, now: datetime) -> Rollout | None:
    """The roll-out of this model that applies now. Raises as `document_at`."""
    found = newest(channel, trust, model)
    return found if isinstance(found, Rollout) and not lapsed(channel, found, now) else None
