"""The verdict on a month: a colour, one sentence that a tired person understands, and what to do next."""

from collections.abc import Iterable, Sequence
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
    "snapshots_late",
    "decisions_late",
    "outcomes_late",
    "report_late",
    "missing",
    "volume",
    "duplicate_batch",
    "repeated_accounts",
    "stuck_upstream",
    "skew",
    "not_reproduced",
    "constant_score",
    "unit_change",
    "tampered",
    "unavailable",
    "errors",
    "latency",
    "unrecorded",
    "unreadable",
    "insufficient",
    "other_bundles",
    "no_value",
    "out_of_range",
    "unseen_code",
    "code_mix",
    "input_shift",
    "score_shift",
    "decision_shift",
    "favourable_rate",
    "reason_mix",
    "segment_shift",
    "since_first",
    "auc_drop",
    "calibration",
    "definition",
    "not_comparable",
    "hold",
]

CAUSES_FIRST: tuple[Kind, ...] = (
    "missing",
    "stuck_upstream",
    "duplicate_batch",
    "unit_change",
    "not_reproduced",
    "skew",
    "constant_score",
    "no_value",
    "out_of_range",
    "unseen_code",
    "code_mix",
    "definition",
    "auc_drop",
    "calibration",
    "not_comparable",
    "input_shift",
)
"""What to say first where several findings have one level: the cause before the symptom."""

_SETTLE_FIRST = frozenset[Kind](
    {
        *("snapshots_late", "decisions_late", "outcomes_late", "missing", "volume", "duplicate_batch", "stuck_upstream"),
        *("skew", "not_reproduced", "constant_score", "unit_change", "no_value", "out_of_range", "unseen_code", "code_mix"),
        *("definition", "tampered", "unavailable", "errors", "unrecorded", "unreadable"),
    }
)
_AT_ONCE = 2  # sentences about findings; more are in the report


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


def weigh(findings: Sequence[Finding], *, quiet: str, recoding_accepted: bool = False) -> Verdict:
    """The worst finding gives the colour; `quiet` is the sentence of a month without any.

    What the data mean is settled before anything is retrained on them: until a person has accepted the new coding, a
    changed one suggests to wait.
    """
    kinds = {finding.kind for finding in findings}
    level = worst(finding.level for finding in findings)
    return Verdict(
        level=level,
        sentence=quiet if level is Level.GREEN else _sentence(findings),
        findings=tuple(findings),
        suggests=_suggestion(level, kinds, recoding_accepted=recoding_accepted),
    )


def overall(verdicts: Sequence[Verdict]) -> Verdict:
    """One verdict on several months known at one time, the newest first: the month just scored, and the one just matured."""
    level = worst(verdict.level for verdict in verdicts)
    said = [verdict for verdict in verdicts if verdict.level is not Level.GREEN] or list(verdicts[:1])
    findings = tuple(dict.fromkeys(finding for verdict in verdicts for finding in verdict.findings))
    wishes = {verdict.suggests for verdict in verdicts}
    suggests = next((wish for wish in (Suggestion.WAIT, Suggestion.RETRAIN) if wish in wishes), Suggestion.NONE)
    sentence = _sentence(findings) if level is not Level.GREEN else " ".join(verdict.sentence for verdict in said)
    return Verdict(level=level, sentence=sentence, findings=findings, suggests=suggests)


def worst(levels: Iterable[Level]) -> Level:
    """Green if there are none."""
    return max(levels, key=list(Level).index, default=Level.GREEN)


def _suggestion(level: Level, kinds: set[Kind], *, recoding_accepted: bool) -> Suggestion:
    unsettled = kinds & _SETTLE_FIRST - ({"code_mix", "definition"} if recoding_accepted else set())
    if level is Level.HELD or unsettled:
        return Suggestion.WAIT
    return Suggestion.RETRAIN if level is Level.RED else Suggestion.NONE


def _sentence(findings: Sequence[Finding]) -> str:
    """Only the worst that was found, causes before symptoms, shifted inputs together; what is held comes at the end."""
    held = [f.text for f in findings if f.kind == "hold"]
    recoded = {f.subject for f in findings if f.kind in ("code_mix", "unit_change") and f.level is not Level.GREEN}
    told = [f for f in findings if f.kind != "hold" and not (f.kind == "input_shift" and f.subject in recoded)]
    gravest = worst(f.level for f in told)
    told = [f for f in told if f.level is gravest is not Level.GREEN]
    inputs = [f for f in told if f.kind == "input_shift"]
    rest = [f for f in told if f.kind != "input_shift"] + inputs[:1]
    rest.sort(key=lambda f: CAUSES_FIRST.index(f.kind) if f.kind in CAUSES_FIRST else len(CAUSES_FIRST))
    texts = [_together(inputs) if f.kind == "input_shift" else f.text for f in rest[:_AT_ONCE]]
    return " ".join([*texts, *_some(held)])


def _together(inputs: Sequence[Finding]) -> str:
    if len(inputs) == 1:
        return inputs[0].text
    names = ["{} PSI {} (limit {})".format(f.subject, *apart(f.value or 0, f.limit or 0)) for f in inputs[:2]]
    more = f" and {len(inputs) - 2} more" if len(inputs) > 2 else ""
    return f"Inputs have shifted: {', '.join(names)}{more}."


def _some(texts: Sequence[str]) -> list[str]:
    return [*texts[:1], *([f"{len(texts) - 1} more hold{'s' if len(texts) > 2 else ''} open."] if len(texts) > 1 else [])]


def counted(number: int, noun: str) -> str:
    """1 decision, 30,000 decisions."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def apart(value: float, limit: float) -> tuple[str, str]:
    """Both short, with further decimals as long as rounding would hide that they differ: .104 and .100."""
    digits = next((d for d in range(2, 7) if f"{value:.{d}f}" != f"{limit:.{d}f}"), 2)
    return short(value, digits), short(limit, digits)


def short(value: float, digits: int = 2) -> str:
    """Two decimals without the leading zero: .31, -.05, 1.20."""
    text = f"{value:.{digits}f}"
    return text.replace("0.", ".", 1) if abs(value) < 0.995 else text
