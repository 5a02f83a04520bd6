"""Whether to retrain, and why: decided from what fired, the open holds and what was trained before, and recorded either way."""

from collections.abc import Sequence
from dataclasses import dataclass

from models.governance.ledger import Hold
from models.governance.retrainings import AUTOMATIC, Begun, Course, Trigger, TriggerKind
from models.policy import RetrainingRules
from monitoring.verdict import Suggestion, Verdict
from pipelines.triggers.restraint import held_back
from pipelines.triggers.rules import fired, weighed
from pipelines.triggers.situation import Situation


@dataclass(frozen=True)
class Retraining:
    """What to do, what triggered it, and the sentence that goes into the ledger.

    `against` is what the monitoring says to the contrary, "" if nothing: whoever trains all the same is told so.
    """

    course: Course
    sentence: str
    triggers: tuple[Trigger, ...] = ()
    against: str = ""

    @property
    def kinds(self) -> str:
        """For statistics and tags."""
        return ", ".join(dict.fromkeys(trigger.kind.value for trigger in self.triggers))

    @property
    def evidence(self) -> str:
        """What the triggers cite."""
        return ", ".join(dict.fromkeys(str(cited) for trigger in self.triggers for cited in trigger.evidence))


def asked_for(by: str = "") -> Retraining:
    """A training that a person asked for without a look at the monitoring."""
    said = f"{by or 'A person'} asked for it."
    return Retraining(Course.TRAIN, said, (Trigger(TriggerKind.PERSON, said),))


def decide_retraining(
    situation: Situation,
    holds: Sequence[Hold],
    rules: RetrainingRules,
    before: Sequence[Begun] = (),
    *,
    asked_by: str = "",
) -> Retraining:
    """An open hold stops everything, also a person's wish: what the data mean must be settled first."""
    found, said = (*_wish(asked_by), *fired(situation, rules)), weighed(situation.reports)
    if holds:
        what = "; ".join(f"{hold.what} ({hold.month})" for hold in holds)
        return Retraining(Course.HOLD, f"Held for a person: {what}.", found)
    if not found:
        return Retraining(Course.REST, _quiet(said))
    against = f"The monitoring says to wait: {said.sentence}" if said and said.suggests is Suggestion.WAIT else ""
    why = _why(found)
    if why_not := _waits(found, against) or held_back(found, before, rules, situation.as_of):
        return Retraining(Course.HELD_BACK, f"Held back. {why_not} What asked for it: {why}", found, against)
    return Retraining(Course.TRAIN, f"{why} {against}".strip(), found, against)


def _wish(asked_by: str) -> list[Trigger]:
    return [Trigger(TriggerKind.PERSON, f"{asked_by} asked for it.")] if asked_by else []


def _waits(found: Sequence[Trigger], against: str) -> str:
    """Who answers for a training may go on against the monitoring; the calendar may not."""
    return against if all(trigger.kind in AUTOMATIC for trigger in found) else ""


def _why(found: Sequence[Trigger]) -> str:
    """A person's word first; what else fired is said with it."""
    return " ".join(trigger.sentence for trigger in found)


def _quiet(said: Verdict | None) -> str:
    return f"No trigger: {said.sentence}" if said else "No trigger: no decision has been monitored yet."
