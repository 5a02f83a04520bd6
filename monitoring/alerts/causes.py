"""What calls a person now: the findings of the newest months, and how often in a row a limit was passed.

One window is one month's newest report. The month decided on last speaks of requests and scores, the one matured last of
outcomes; what the clock alone shows (something late, a service that is away) comes in as findings of its own.
"""

from collections.abc import Iterable, Sequence
from itertools import takewhile

from models.alerting import Alerting, Severity
from models.policy import MonitoringLimits
from monitoring.alerts.alert import Cause
from monitoring.alerts.kinds import KINDS, AlertKind, Nature, Speaks
from monitoring.invariants.figures import Invariants
from monitoring.invariants.rules import FEWEST_MONTHS
from monitoring.report import MonthlyReport
from monitoring.verdict import Finding, Kind, Level

_BLIND = frozenset[Kind]({"missing", "insufficient", "not_comparable"})
"""Findings that say that a month could not be judged."""


def causes(reports: Iterable[MonthlyReport], limits: MonitoringLimits, alerting: Alerting) -> list[Cause]:
    """Of a model's newest reports, one for each month, in any order. Pages first."""
    by_month = sorted(reports, key=lambda report: report.month)
    matured = [report for report in by_month if report.performance is not None]
    found = [*_causes(by_month, "decisions", limits, alerting), *_causes(matured, "outcomes", limits, alerting)]
    return _pages_first(found)


def heard(reports: Iterable[MonthlyReport], unheard: frozenset[Kind] = frozenset()) -> frozenset[Kind]:
    """The kinds that were looked at: what is not seen of them now is over. `unheard` are those that the clock cannot tell.

    A month without decisions, or with too few, says nothing about drift: what was open before it stays open.
    """
    by_month = sorted(reports, key=lambda report: report.month)
    matured = [report for report in by_month if report.performance is not None]
    seen = {kind for kind, each in KINDS.items() if each.speaks == "clock"} - unheard
    return frozenset(seen | _judged(by_month, "decisions") | _judged(matured, "outcomes"))


def _judged(windows: Sequence[MonthlyReport], speaks: Speaks) -> set[Kind]:
    """What the newest window could judge; that it could judge little, it always can."""
    if not windows:
        return set()
    kinds = {kind for kind, each in KINDS.items() if each.speaks == speaks}
    blind = any(finding.kind in _BLIND for finding in windows[-1].verdict.findings)
    return kinds & _BLIND if blind else kinds - _unseen(windows[-1].invariants)


def _unseen(found: Invariants | None) -> set[Kind]:
    """What had nothing to be compared with: no snapshot of the month, no month before it."""
    if found is None:  # a report of an older release
        return set()
    nothing: dict[Kind, bool] = {
        "skew": found.skew is None,
        "stuck_upstream": found.carried is None,
        "volume": len(found.before) < FEWEST_MONTHS,
    }
    return {kind for kind, missing in nothing.items() if missing}


def standing(findings: Sequence[Finding], window: str, model: str, alerting: Alerting) -> list[Cause]:
    """Of what the clock shows; `window` is the day on which it was looked at."""
    found = [
        Cause(
            kind=finding.kind,
            subject=finding.subject,
            severity=KINDS[finding.kind].gravest(alerting),
            text=finding.text,
            window=_window(finding, window),
            since=_window(finding, window).split()[0],
            windows=(_window(finding, window),),
            evidence=f"/models/{model}",
            value=finding.value,
            limit=finding.limit,
        )
        for finding in findings
        if finding.level is not Level.GREEN and finding.kind in KINDS
    ]
    return _pages_first(found)


def _window(finding: Finding, day: str) -> str:
    """What is late or held stays about its own month, however long: who closed it is not asked again every day."""
    about_a_month = finding.kind == "hold" or (finding.kind.endswith("_late") and finding.subject)
    return finding.subject if about_a_month else day


def _causes(windows: Sequence[MonthlyReport], speaks: Speaks, limits: MonitoringLimits, alerting: Alerting) -> list[Cause]:
    if not windows:
        return []
    latest = windows[-1]
    found: dict[tuple[str, str], Cause] = {}
    for finding in _telling(latest, speaks):
        cause = _cause(finding, windows, speaks, limits, alerting)
        found.setdefault((cause.kind, cause.subject), cause)
    return list(found.values())


def _cause(
    finding: Finding, windows: Sequence[MonthlyReport], speaks: Speaks, limits: MonitoringLimits, alerting: Alerting
) -> Cause:
    latest, subject = windows[-1], _subject(finding, windows[-1].month)
    violated = [_violates(report, finding.kind, subject, speaks) for report in windows]
    unbroken = len(list(takewhile(bool, reversed(violated))))
    looked_at = list(zip(windows, violated, strict=True))[-limits.windows :]
    passed = tuple(report.month for report, hit in looked_at if hit)
    return Cause(
        kind=finding.kind,
        subject=subject,
        severity=_severity(KINDS[finding.kind], len(passed), limits, alerting),
        text=finding.text,
        window=latest.month,
        since=windows[-unbroken].month,
        windows=passed,
        evidence=f"/models/{latest.model}/reports/{latest.month}",
        value=finding.value,
        limit=finding.limit,
    )


def _severity(kind: AlertKind, passed: int, limits: MonitoringLimits, alerting: Alerting) -> Severity:
    """The latest window has passed the limit, or nobody would ask."""
    if kind.nature is Nature.STATISTICAL and passed < limits.violating:
        return Severity.WARNING
    return kind.gravest(alerting)


def _violates(report: MonthlyReport, kind: str, subject: str, speaks: Speaks) -> bool:
    told = _telling(report, speaks)
    return any(finding.kind == kind and _subject(finding, report.month) == subject for finding in told)


def _telling(report: MonthlyReport, speaks: Speaks) -> list[Finding]:
    """The findings of a month that call somebody, and of which it is this report that speaks; no symptom beside its cause."""
    alarming = [f for f in report.verdict.findings if f.level is not Level.GREEN and f.kind in KINDS]
    explained = {f.subject for f in alarming if f.kind in ("code_mix", "unit_change")}
    told = [f for f in alarming if not (f.kind == "input_shift" and f.subject in explained)]
    return [finding for finding in told if KINDS[finding.kind].speaks == speaks]


def _subject(finding: Finding, month: str) -> str:
    """What is said of the month as a whole has no subject of its own: next month it is the same alert."""
    return "" if finding.subject == month else finding.subject


def _pages_first(found: list[Cause]) -> list[Cause]:
    return sorted(found, key=lambda cause: cause.severity is not Severity.PAGE)
