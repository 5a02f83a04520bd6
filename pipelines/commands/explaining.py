"""`make retrainings`: why a model was retrained, or not, and what came of it, from the ledger."""

from argparse import Namespace
from collections.abc import Iterator

from models.governance.retrainings import Course, Explanation, explanations
from pipelines.commands.loop import Ended
from pipelines.wiring import platform

NEWEST = 12


def retrainings(chosen: Namespace) -> Ended:
    parts = platform(use_case=chosen.model or "")
    found = explanations(parts.ledger.entries(parts.use_case.name))
    if not found:
        print(f"Nothing has asked for a retraining of {parts.use_case.name} yet.")
    for one in reversed(found[-NEWEST:]):
        print("\n".join(told(one)))
    if len(found) > NEWEST:
        print(f"... and {len(found) - NEWEST} earlier ones in the ledger")
    return Ended.DONE


def told(one: Explanation) -> Iterator[str]:
    """As a person reads it: what came of it, what fired, on what evidence, what the challenger lacked."""
    ending = one.course.value if one.course is Course.HELD_BACK else one.ending
    made = f", version {one.version}" if one.version else ""
    yield f"as of {one.as_of}  {ending}{made}  (ledger entry {one.entry})"
    for trigger in one.triggers:
        yield f"  trigger  {trigger.kind.value}: {trigger.sentence}"
        yield from (f"           {cited}" for cited in trigger.evidence)
    yield f"  outcome  {one.sentence}"
    yield from (f"  lacking  {sentence}" for sentence in one.failed)
    if one.bundle:
        yield f"  read on  evidence/{one.bundle[:12]}: assessment.json has every question of the gate"
