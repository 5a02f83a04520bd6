"""Whether to retrain, and why: decided from the verdict, the open holds and the definitions, and recorded either way."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from models.governance.ledger import Hold
from monitoring.verdict import Suggestion, Verdict


class Course(StrEnum):
    TRAIN = "train"
    HOLD = "hold"
    REST = "rest"


@dataclass(frozen=True)
class Retraining:
    """What to do, what triggered it (a word for statistics), and the sentence that goes into the ledger.

    `against` is what the monitoring says to the contrary, "" if nothing: whoever trains all the same is told so.
    """

    course: Course
    trigger: str
    sentence: str
    against: str = ""


def decide_retraining(
    verdict: Verdict | None,
    holds: Sequence[Hold],
    *,
    champion_definition: int,
    definition_in_force: int,
    asked_by: str = "",
) -> Retraining:
    """An open hold stops everything, also a person's wish: what the data mean must be settled first.

    `verdict` is None while no decision has been reported on.
    """
    if holds:
        what = "; ".join(f"{hold.what} ({hold.month})" for hold in holds)
        return Retraining(Course.HOLD, "hold", f"Held for a person: {what}.")
    against = f"The monitoring says to wait: {verdict.sentence}" if verdict and verdict.suggests is Suggestion.WAIT else ""
    if asked_by:
        return Retraining(Course.TRAIN, "person", f"{asked_by} asked for it. {against}".strip(), against)
    if champion_definition != definition_in_force:
        return Retraining(
            Course.TRAIN,
            "definition",
            f"Outcome definition {definition_in_force} was accepted; the champion was trained on {champion_definition}. "
            f"{against}".strip(),
            against,
        )
    if verdict is None:
        return Retraining(Course.REST, "none", "No trigger: no decision has been monitored yet.")
    if verdict.suggests is Suggestion.RETRAIN:
        return Retraining(Course.TRAIN, "verdict", verdict.sentence)
    return Retraining(Course.REST, "none", f"No trigger: {verdict.sentence}")
