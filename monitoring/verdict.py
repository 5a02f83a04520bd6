"""The verdict on a month: a colour, one sentence that a tired person understands, and what to do next."""

from enum import StrEnum
from typing import Literal

from models.policy import Frozen


class Level(StrEnum):
    """From the best to the worst; `held` says that nothing may be retrained until a person has looked."""

    GREEN = "green"
    AMBER = "amber"
    RED = "red"
    HELD = "held"


class Suggestion(StrEnum):
    NONE = "none"
    RETRAIN = "retrain"
    WAIT = "wait"


Kind = Literal[
    "missing",
    "insufficient",
    "unseen_code",
    "code_mix",
    "input_shift",
    "score_shift",
    "decision_shift",
    "auc_drop",
    "calibration",
    "definition",
    "not_comparable",
    "other_bundles",
    "hold",
]


class Finding(Frozen):
    """One thing that a rule saw. `subject` is a column, "score", a population or a month; `text` stands alone."""

    kind: Kind
    level: Level
    subject: str
    text: str
    value: float | None = None
    limit: float | None = None


class Verdict(Frozen):
    level: Level
    sentence: str
    findings: tuple[Finding, ...]
    suggests: Suggestion
