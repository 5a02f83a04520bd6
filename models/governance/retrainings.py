"""What the ledger has of every retraining: what triggered it, on what evidence, and what came of it, to be read later."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from enum import StrEnum
from typing import Any, Self

from models.governance.ledger import Entry, Event


class TriggerKind(StrEnum):
    """Why a model is trained, from what nobody may hold back to what can wait best."""

    FIRST = "first champion"
    PERSON = "person"
    DEFINITION = "definition"
    PERFORMANCE = "performance"
    DRIFT = "drift"
    RE_REVIEW = "re-review"
    MATURED = "matured cohorts"
    SCHEDULE = "schedule"


SETTLED_BY_TRAINING = frozenset({TriggerKind.FIRST, TriggerKind.DEFINITION})
"""Triggers that a person wants answered at once, and that one training should end: only their repetition is held back."""
AUTOMATIC = frozenset(TriggerKind) - SETTLED_BY_TRAINING - {TriggerKind.PERSON}
"""Triggers without a person behind them: cool-down and budget hold these back."""


class Course(StrEnum):
    """HELD: a person must settle something first. HELD_BACK: a trigger fired, and cool-down, budget or verdict said to wait."""

    TRAIN = "train"
    HOLD = "hold"
    HELD_BACK = "held back"
    REST = "rest"


@dataclass(frozen=True)
class Cited:
    """What a trigger rests on: a stored report (its place in the store and its SHA-256), a partition, an approval."""

    kind: str
    name: str
    digest: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name} sha256:{self.digest[:12]}"


@dataclass(frozen=True)
class Trigger:
    kind: TriggerKind
    sentence: str
    evidence: tuple[Cited, ...] = ()

    @classmethod
    def read(cls, facts: Mapping[str, Any]) -> Self:
        evidence = tuple(Cited(**cited) for cited in facts["evidence"])
        return cls(TriggerKind(facts["kind"]), facts["sentence"], evidence)


@dataclass(frozen=True)
class Begun:
    """A training that began, business date `as_of`. `made`: a model came of it; not so of one that failed or was killed.

    `settling` are the sentences of those triggers that it should have ended.
    """

    as_of: date
    automatic: bool
    made: bool
    settling: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Explanation:
    """What a consideration came to. `failed` are the gate's questions that the challenger did not pass, as sentences.

    `ending` is a word: promoted, unchanged, kept, refused, asked, held, rested, failed. `version` and `bundle` are the
    challenger's, if one was made.
    """

    as_of: str
    course: Course
    triggers: tuple[Trigger, ...]
    reason: str
    ending: str
    sentence: str
    failed: tuple[str, ...] = ()
    version: int = 0
    bundle: str = ""
    recorded_at: str = ""
    entry: int = 0

    def facts(self) -> dict[str, Any]:
        """For the ledger, whose entry itself says when, and by whom."""
        said = {name: value for name, value in asdict(self).items() if name not in ("recorded_at", "entry")}
        return said | {"course": self.course.value, "failed": list(self.failed), "triggers": listed(self.triggers)}

    @classmethod
    def read(cls, entry: Entry) -> Self:
        facts = dict(entry.facts)
        facts |= {"course": Course(facts["course"]), "failed": tuple(facts["failed"])}
        facts |= {"triggers": tuple(map(Trigger.read, facts["triggers"]))}
        return cls(**facts, recorded_at=entry.recorded_at, entry=entry.number)


def listed(triggers: Sequence[Trigger]) -> list[dict[str, Any]]:
    """As plain facts."""
    return [
        {"kind": one.kind.value, "sentence": one.sentence, "evidence": [asdict(cited) for cited in one.evidence]}
        for one in triggers
    ]


def explanations(entries: Iterable[Entry]) -> list[Explanation]:
    """Oldest first."""
    return [Explanation.read(entry) for entry in entries if entry.event is Event.RETRAINING_ENDED]


def trainings(entries: Iterable[Entry]) -> list[Begun]:
    """Every training that ever began, oldest first."""
    return list(_trainings(entries))


def _trainings(entries: Iterable[Entry]) -> Iterator[Begun]:
    open_one: Begun | None = None
    for entry in entries:
        if entry.event is Event.RETRAINING_BEGUN:
            if open_one:
                yield open_one
            triggers = [Trigger.read(trigger) for trigger in entry.facts["triggers"]]
            automatic = all(trigger.kind in AUTOMATIC for trigger in triggers)
            settling = frozenset(trigger.sentence for trigger in triggers if trigger.kind in SETTLED_BY_TRAINING)
            open_one = Begun(date.fromisoformat(entry.facts["as_of"]), automatic, made=False, settling=settling)
        elif entry.event is Event.RETRAINING_ENDED and entry.facts["course"] == Course.TRAIN and open_one:
            yield replace(open_one, made=bool(entry.facts["bundle"]))
            open_one = None
    if open_one:
        yield open_one
