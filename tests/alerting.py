"""Reports that say one thing each, and alerts as the rules open them."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from models.alerting import Alerting, Severity
from models.credit_default import USE_CASE
from monitoring.alerts.alert import Alert, Cause
from monitoring.alerts.kinds import KINDS
from monitoring.alerts.upkeep import Circumstances, kept_true
from monitoring.performance import Figures, Performance, Reading
from monitoring.report import MonthlyReport
from monitoring.verdict import Finding, Kind, Level, weigh

MODEL = USE_CASE.name
LIMITS = USE_CASE.policy.monitoring
NOON = datetime(2005, 11, 1, 12, tzinfo=UTC)
OWNER = "Head of Cards"


def finding(kind: Kind, subject: str = "score", level: Level = Level.RED, text: str = "", value: float = 0.3) -> Finding:
    return Finding(kind=kind, level=level, subject=subject, text=text or f"{kind} of {subject}.", value=value, limit=0.25)


def month(name: str, *findings: Finding, matured: bool = False) -> MonthlyReport:
    """A month's report with these findings, and with outcomes if it has matured."""
    return MonthlyReport(
        model=MODEL,
        title="t",
        month=name,
        recorded_at=NOON.isoformat(),
        version=1,
        bundle="b" * 64,
        decisions=2_000,
        other_bundles={},
        verdict=weigh(findings, quiet="All quiet."),
        score=None,
        inputs=(),
        actions=None,
        performance=_performance() if matured else None,
        maturity="",
    )


def cause(kind: Kind = "score_shift", subject: str = "score", **said: Any) -> Cause:
    usual = {"severity": Severity.PAGE, "text": f"{kind} of {subject}.", "window": "2005-09", "since": "2005-09"}
    return Cause(kind=kind, subject=subject, **usual | said)


def about(now: datetime = NOON, alerting: Alerting | None = None) -> Circumstances:
    return Circumstances(MODEL, now, alerting or Alerting(), OWNER)


def opened(causes: Sequence[Cause], now: datetime = NOON) -> list[Alert]:
    return kept_true([], causes, frozenset(KINDS), about(now))


def an_alert(**changed: Any) -> Alert:
    (alert,) = opened([cause()])
    return Alert(**alert.model_dump() | changed)


def _performance() -> Performance:
    figures = Figures(rows=2_000, bad=300, actual=0.15, predicted=0.15, auc=0.8, auc_error=0.01, brier=0.1)
    reading = Reading(definition=1, rule="2 or more", populations={"all": figures})
    return Performance(
        matured_at="2005-10-31",
        coding="repayment_status",
        as_coded=reading,
        comparable=reading,
        note="",
        reference_definition=1,
        reference={},
        attribution=None,
        unmatched=0,
    )
