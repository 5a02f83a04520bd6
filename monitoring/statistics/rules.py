"""The rules that look at a month's further statistics. What should never be is red at once; shares and segments are amber."""

from monitoring.statistics.figures import MonthStatistics, Quality, Rate
from monitoring.verdict import Finding, Kind, Level, counted, short


def examined(found: MonthStatistics) -> list[Finding]:
    return [*quality(found), *favourable(found), *reasons(found), *segments(found), *since_first(found)]


def quality(found: MonthStatistics) -> list[Finding]:
    """The service refuses such values, so one row is one too many: something wrote to the log that did not ask the contract."""
    said = []
    for column in found.quality:
        if column.missing:
            text = f"{column.name}: {_of(column, column.missing)} without a value."
            said.append(_finding("no_value", Level.RED, column.name, text, column.missing, 0))
        if outside := column.below + column.above:
            text = f"{column.name}: {_of(column, outside)} outside the range that the contract allows."
            said.append(_finding("out_of_range", Level.RED, column.name, text, outside, 0))
    return said


def favourable(found: MonthStatistics) -> list[Finding]:
    return _rate(found.favourable, "all", "The share of favourable decisions")


def reasons(found: MonthStatistics) -> list[Finding]:
    mix = found.reasons
    if mix is None or mix.state not in ("warn", "alarm"):
        return []
    text = f"Other reasons stand first in the notices than at training (PSI {short(mix.psi)}, limit {short(mix.warn)})."
    return [_finding("reason_mix", Level.AMBER, "reasons", text, mix.psi, mix.warn)]


def segments(found: MonthStatistics) -> list[Finding]:
    """The score of a segment alone: among all accounts it may be lost."""
    said = []
    for segment in found.segments:
        score = segment.score
        if score.state == "alarm":
            text = f"Among {segment.name} the score has shifted (PSI {short(score.psi)}, limit {short(score.alarm)})."
            said.append(_finding("segment_shift", Level.AMBER, segment.name, text, score.psi, score.alarm))
        said += _rate(segment.favourable, segment.name, f"Among {segment.name} the share of favourable decisions")
    return said


def since_first(found: MonthStatistics) -> list[Finding]:
    """A retrained champion has a reference of its own; step by step the score may have gone far from where it was approved."""
    first = found.first
    if first is None or first.score.state != "alarm":
        return []
    limit = first.score.alarm
    psi = f"PSI {short(first.score.psi)}, limit {short(limit)}"
    text = f"Since version {first.version}, the first approved, the score has shifted ({psi})."
    return [_finding("since_first", Level.AMBER, "score", text, first.score.psi, limit)]


def _rate(rate: Rate, subject: str, what: str) -> list[Finding]:
    if rate.state != "warn":
        return []
    change = f"{100 * rate.value:.1f} %, {100 * rate.reference:.1f} % at training"
    text = f"{what} is {change} (limit of a change: {100 * rate.limit:.1f} points)."
    return [_finding("favourable_rate", Level.AMBER, subject, text, rate.value - rate.reference, rate.limit)]


def _of(column: Quality, number: int) -> str:
    return f"{counted(number, 'row')} ({100 * column.rate(number):.2g} %)"


def _finding(kind: Kind, level: Level, subject: str, text: str, value: float, limit: float) -> Finding:
    return Finding(kind=kind, level=level, subject=subject, text=text, value=value, limit=limit)
