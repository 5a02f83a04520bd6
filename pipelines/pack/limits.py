"""Limits in words, and whether a verdict follows from them: a mark on the page that contradicts its number fails the build."""

import re
from math import inf

from pipelines.pack.artefacts import Figure, Gate, Verdict

_NUMBER = r"-?\d+(?:\.\d+)?(?:e-?\d+)?"
_LIMIT = re.compile(rf"(?:.*: )?(?P<whole>(?:[<>]= {_NUMBER}(?: and )?)+|0)(?: (?:standard errors|accounts))?")
_SIDE = re.compile(rf"([<>])= ({_NUMBER})")


def between(name: str, value: float, low: float = -inf, high: float = inf, of: str = "") -> Gate:
    """The gate of a number that passes if it lies from `low` to `high`; `of` is what is counted."""
    sides = [f"{sign} {end:.10g}" for sign, end in ((">=", low), ("<=", high)) if abs(end) < inf]
    limit = " and ".join(sides) + (f" {of}" if of else "")
    return Gate(name, limit, Verdict.PASSED if low <= value <= high else Verdict.FAILED)


def ends(limit: str) -> tuple[float, float] | None:
    """From where to where a number may lie by a limit in words; None if the words are no comparison with numbers."""
    found = _LIMIT.fullmatch(limit)
    if found is None:
        return None
    if found["whole"] == "0":
        return 0.0, 0.0
    sides = dict(_SIDE.findall(found["whole"]))
    return float(sides.get(">", -inf)), float(sides.get("<", inf))


def contradiction(figure: Figure) -> str:
    """What is wrong with the mark of a figure; "" if it follows from number and limit, or no number can tell.

    A pass needs the whole interval inside, and what failed has a part of it outside. Insufficient may be either.
    """
    limits = ends(figure.gate.limit)
    if limits is None or not figure.is_number or figure.gate.verdict not in (Verdict.PASSED, Verdict.FAILED):
        return ""
    low, high = (float(figure.value) if end is None else end for end in (figure.low, figure.high))
    inside = limits[0] <= low and high <= limits[1]
    if inside == (figure.gate.verdict is Verdict.PASSED):
        return ""
    said = f"{figure.words} ({figure.interval})" if figure.interval else figure.words
    return f"{figure.name} is {said}, the limit of {figure.gate.name} is {figure.gate.limit}, and it says {figure.gate.verdict}"
