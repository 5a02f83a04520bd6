"""What keeps triggers from becoming a storm: a cool-down after every training, and so many trainings a month.

Counted in business days, so that a month that is lived through again is restrained as it was then.
"""

from collections.abc import Sequence
from datetime import date, timedelta

from models.clock import Month
from models.governance.retrainings import SETTLED_BY_TRAINING, Begun, Trigger, TriggerKind
from models.policy import RetrainingRules


def held_back(triggers: Sequence[Trigger], before: Sequence[Begun], rules: RetrainingRules, as_of: date) -> str:
    """Why the platform does not train on these triggers now, as a sentence; "" if it may, or if a person is behind one."""
    if any(trigger.kind is TriggerKind.PERSON for trigger in triggers):
        return ""
    if settling := frozenset(trigger.sentence for trigger in triggers if trigger.kind in SETTLED_BY_TRAINING):
        return _in_vain(settling, before, rules, as_of)
    return _cooling(before, rules, as_of) or _spent(before, rules, as_of)


def _cooling(before: Sequence[Begun], rules: RetrainingRules, as_of: date) -> str:
    """Also after what people asked for: its effect must be seen first. What made no model has none, and may be done again."""
    made = [begun.as_of for begun in before if begun.made and begun.as_of <= as_of]
    if not made or as_of >= (until := max(made) + timedelta(days=rules.cool_down_days)):
        return ""
    return f"The last training was as of {max(made)}; the policy's cool-down lasts until {until}."


def _spent(before: Sequence[Begun], rules: RetrainingRules, as_of: date) -> str:
    """Every one counts that the platform began by itself, also one that came to nothing: a crash in a loop is a storm, too."""
    begun = sum(one.automatic for one in _this_month(before, as_of))
    return _often(begun, as_of) if begun >= rules.budget else ""


def _in_vain(settling: frozenset[str], before: Sequence[Begun], rules: RetrainingRules, as_of: date) -> str:
    """The same cause after so many trainings in a month: one more will not end it. Another cause is free."""
    month = _this_month(before, as_of)
    often = min(sum(cause in one.settling for one in month) for cause in settling)
    return f"{_often(often, as_of)} The cause has stayed the same: a person must look." if often >= rules.budget else ""


def _this_month(before: Sequence[Begun], as_of: date) -> list[Begun]:
    """Up to the day: of a month that is lived through again, the rest has not happened yet."""
    return [one for one in before if Month.of(one.as_of) == Month.of(as_of) and one.as_of <= as_of]


def _often(begun: int, as_of: date) -> str:
    times = "once" if begun == 1 else f"{begun} times"
    return f"The platform trained {times} in {Month.of(as_of)}, as often as the policy allows."
