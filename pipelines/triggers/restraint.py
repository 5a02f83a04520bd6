"""What keeps triggers from becoming a storm: a cool-down after every training, and so many trainings a month.

Counted in business days, so that a month that is lived through again is restrained as it was then.
"""

from collections.abc import Sequence
from datetime import date, timedelta

from models.clock import Month
from models.governance.retrainings import AUTOMATIC, Begun, Trigger
from models.policy import RetrainingRules


def held_back(triggers: Sequence[Trigger], before: Sequence[Begun], rules: RetrainingRules, as_of: date) -> str:
    """Why the platform does not train on these triggers now, as a sentence; "" if it may, or if a person is behind one."""
    if any(trigger.kind not in AUTOMATIC for trigger in triggers):
        return ""
    return _cooling(before, rules, as_of) or _spent(before, rules, as_of)


def _cooling(before: Sequence[Begun], rules: RetrainingRules, as_of: date) -> str:
    """Also after what people asked for: its effect must be seen first. What made no model has none, and may be done again."""
    made = [begun.as_of for begun in before if begun.made and begun.as_of <= as_of]
    if not made or as_of >= (until := max(made) + timedelta(days=rules.cool_down_days)):
        return ""
    return f"The last training was as of {max(made)}; the policy's cool-down lasts until {until}."


def _spent(before: Sequence[Begun], rules: RetrainingRules, as_of: date) -> str:
    """Every one counts that the platform began by itself, also one that came to nothing: a crash in a loop is a storm, too."""
    month = Month.of(as_of)
    begun = sum(one.automatic and Month.of(one.as_of) == month for one in before)
    if begun < rules.budget:
        return ""
    times = "once" if begun == 1 else f"{begun} times"
    return f"The platform trained {times} in {month}, as often as the policy allows."
