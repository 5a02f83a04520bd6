"""How a champion stands, and what was reported of it, for tests of what makes the platform retrain."""

from dataclasses import replace
from datetime import date
from typing import Any

from models.clock import end_of_day
from models.governance.retrainings import Cited
from monitoring.report import MonthlyReport
from monitoring.verdict import Finding, Kind, Level, Verdict, weigh
from pipelines.triggers.situation import InForce, Seen, Situation, seen
from tests.fakes.reports import FakeReportStore

OCTOBER = date(2005, 10, 31)
CHAMPION = InForce(as_of=date(2005, 8, 31), definition=1, bundle="c" * 64)


def finding(kind: Kind, level: Level = Level.RED, text: str = "", subject: str = "all") -> Finding:
    return Finding(kind=kind, level=level, subject=subject, text=text or f"{kind} of {subject}.")


def reported(month: str, *findings: Finding, bundle: str = CHAMPION.bundle) -> Seen:
    verdict: Verdict = weigh(findings, quiet="All quiet.")
    report = MonthlyReport(
        model="m",
        title="M",
        month=month,
        recorded_at="2005-11-01T04:00:00+00:00",
        version=1,
        bundle=bundle,
        decisions=1_000,
        other_bundles={},
        verdict=verdict,
        score=None,
        inputs=(),
        actions=None,
        performance=None,
        maturity="",
    )
    store = FakeReportStore()
    return seen(store, store.add(report, {}), report)


def situation(*reports: Seen, champion: InForce | None = CHAMPION, **changes: Any) -> Situation:
    usual = Situation(OCTOBER, end_of_day(OCTOBER), champion, definition=1, reports=reports, before=reports)
    return replace(usual, **changes)


def cohorts(number: int) -> tuple[Cited, ...]:
    return tuple(Cited("outcomes", f"2005-{month:02d} version 1", str(month) * 32) for month in range(1, number + 1))
