"""A small home as the loop would leave it, written through the real adapters: four months, two champions, one open hold.

The figures resemble the panel of 2005: in September code 1 of the repayment status appears, and bad rates jump.
"""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from models.adapters import key_files
from models.adapters.file_ledger import FileLedger
from models.adapters.folder_channel import FolderChannel
from models.bundle import Bundle
from models.channel import Move, publish
from models.clock import end_of_day
from models.credit_default import USE_CASE
from models.governance.approval import WATERMARK, approve
from models.governance.ledger import Event, Hold
from models.governance.signing import Duty
from monitoring.adapters.report_folder import ReportFolder
from monitoring.drift import Shift, shift
from monitoring.findings import Evidence, judge
from monitoring.outcomes.curves import Band, Vintage
from monitoring.outcomes.estimation import Estimate, Estimated
from monitoring.outcomes.history import ErrorBand, compared
from monitoring.outcomes.outlook import Outlook
from monitoring.performance import Attribution, Figures, Performance, Reading
from monitoring.report import Document, MonthlyReport, Reconciled, ReportKey, Sealed
from monitoring.statistics.distances import distance
from monitoring.statistics.figures import MonthStatistics, Moved, Quality, Rate, SegmentFigures, SinceFirst
from tests.office import paper_parts

MODEL = USE_CASE.name
LIMITS = USE_CASE.policy.monitoring
HELD_SINCE = "2005-09"
TRAINED = 0.87
OLD = "2005-06"  # reported on by a release that neither estimated nor counted by segment
STATUS_CODES = [-2, -1, 0, 1, 2, 3]
STATUS_AT_TRAINING = [3_200, 5_400, 16_900, 20, 3_500, 980, 0]
STATUS_RECODED = [2_700, 5_600, 14_700, 3_690, 2_650, 660, 0]
PAYMENT_EDGES = [0.0, 500.0, 1_200.0, 2_500.0, 6_000.0]
PAYMENT_AT_TRAINING = [5_100, 2_400, 4_900, 7_300, 6_500, 3_800]
SCORE_EDGES = [0.04, 0.06, 0.09, 0.15, 0.3, 0.5]
SCORE_AT_TRAINING = [6_200, 5_900, 5_400, 4_800, 3_900, 2_300, 1_500]


def write(home: Path, page: bytes) -> list[ReportKey]:
    """Fill `home`; `page` is the HTML document that every report carries. The keys of the reports, oldest first."""
    first, second = (Bundle.seal(MODEL, paper_parts(), lineage={"recipe": recipe}) for recipe in ("first", "second"))
    _promote(home, first, 1, "", datetime(2005, 7, 31, 23, 59, tzinfo=UTC), "the first champion: all floors are met")
    _promote(
        home,
        second,
        2,
        first.digest,
        datetime(2005, 8, 31, 23, 59, tzinfo=UTC),
        "the challenger ranks better on the same accounts: AUC +.006, 95 % interval +.002 to +.010",
    )
    ledger = _ledger(home)
    hold = {"month": HELD_SINCE, "what": "the mix of status codes changed: code 1 makes up 12.3 % of the rows, 0.1 % before"}
    hold["column"] = "status_0"
    ledger.append(Event.HOLD_OPENED, model=MODEL, actor="pipeline", at=datetime(2005, 10, 1, 6, tzinfo=UTC), facts=hold)
    reports = ReportFolder(home / "reports")
    return [reports.add(_report(month, first if month < "2005-08" else second), {"drift.html": page}) for month in MONTHS]


MONTHS = {
    "2005-06": (0.121, 0.117, None, 0.862, None, STATUS_AT_TRAINING),
    "2005-07": (0.126, 0.140, 0.139, 0.874, 0.876, STATUS_AT_TRAINING),
    "2005-08": (0.128, 0.227, 0.104, 0.781, 0.882, STATUS_AT_TRAINING),
    "2005-09": (0.149, None, None, None, None, STATUS_RECODED),
}
"""Predicted and actual bad rate, comparable bad rate, AUC, comparable AUC, and the mix of the repayment status."""


def _promote(home: Path, bundle: Bundle, version: int, expected: str, now: datetime, reason: str) -> None:
    keys, trust_path = home / "keys", home / "keys" / "trust.json"
    key_files.make_local_keys(keys, trust_path)
    channel, trust = FolderChannel(home / "channel"), key_files.trust(trust_path, demonstration=True)
    channel.add_bundle(bundle.digest, bundle.files)
    approver = key_files.signer(keys, key_files.DEMONSTRATION_APPROVER, Duty.APPROVE)
    approval = approve(
        approver,
        model=MODEL,
        bundle=bundle.digest,
        evidence=bundle.digest,
        trainer="pipeline",
        now=now,
        comment="the demonstration approver signs whatever the gate let through",
        watermark=WATERMARK,
    )
    channel.add_approval(bundle.digest, approval)
    publisher = key_files.signer(keys, key_files.PUBLISHER, Duty.PUBLISH)
    pointer = publish(
        channel,
        publisher,
        trust,
        model=MODEL,
        version=version,
        bundle=bundle.digest,
        expected=expected,
        now=now,
        reason=reason,
        move=Move.PROMOTE,
        asked_by="pipeline",
    )
    facts = {"version": version, "bundle": bundle.digest, "reason": reason, "sequence": pointer.sequence}
    _ledger(home).append(Event.PROMOTED, model=MODEL, actor="pipeline", at=now, facts=facts)


def _ledger(home: Path) -> FileLedger:
    return FileLedger(home / "ledger.jsonl", lambda: key_files.signer(home / "keys", key_files.WITNESS, Duty.ATTEST))


def _report(month: str, bundle: Bundle) -> MonthlyReport:
    status, score = _shift("status_0", month), _shift("score", month)
    inputs = (status, _shift("payment_0", month))
    performance = _performance(month)
    maturity = f"Outcomes of {month} mature on 2005-10-31."
    holds = [Hold(HELD_SINCE, "the mix of status codes changed", "")] if month == HELD_SINCE else []
    seen = Evidence(month, 30_000, 30_000, score, inputs, None, performance, maturity, holds)
    return MonthlyReport(
        model=MODEL,
        title=USE_CASE.title,
        month=month,
        recorded_at=end_of_day(datetime.fromisoformat(f"{month}-28").date()).isoformat(),
        version=1 if month < "2005-08" else 2,
        bundle=bundle.digest,
        decisions=30_000,
        accounts=30_000,
        minimum_rows=LIMITS.minimum_rows,
        other_bundles={},
        verdict=judge(seen, LIMITS),
        score=score,
        inputs=inputs,
        actions=None,
        statistics=_statistics(score, inputs) if month > OLD else None,
        outlook=_outlook(month, performance) if month > OLD else None,
        performance=performance,
        maturity=maturity,
        documents=(Document(name="drift.html", title="Drift and data quality", about="A fixed sample of 200 accounts."),),
        reconciliation=(
            Reconciled(
                column="status_0", exact=status.psi, sampled=status.psi, exact_drifted=False, sampled_drifted=False, note=""
            ),
        ),
        sources=(Sealed(table="decisions", month=month, version=1, digest="5" * 64, rows=30_000),),
    )


def _reconciled(seen: Shift) -> Reconciled:
    drifted = seen.state != "stable"
    return Reconciled(column=seen.name, exact=seen.psi, sampled=seen.psi, exact_drifted=drifted, sampled_drifted=drifted, note="")


def _statistics(score: Shift, inputs: tuple[Shift, ...]) -> MonthStatistics:
    """Three rows are forbidden; the segment "current" is judged, "inactive" is too small."""
    forbidden = Quality(name="payment_0", rows=30_000, missing=1, below=0, above=2, unseen=0)
    usual = Rate(value=0.61, reference=0.64, limit=0.05, state="stable")
    moved = Moved.of(score)
    current, inactive = (
        SegmentFigures(
            name=name, rows=rows, share=rows / 30_000, reference_share=0.8, score=judged, inputs=(judged,), favourable=usual
        )
        for name, rows, judged in [
            ("current", 22_500, moved),
            ("inactive", 300, moved.model_copy(update={"state": "insufficient"})),
        ]
    )
    gap = distance(
        "payment_0", {"edges": PAYMENT_EDGES, "counts": PAYMENT_AT_TRAINING}, np.array(PAYMENT_AT_TRAINING), unit="TWD", columns=2
    )
    assert gap
    told = shift("reasons", {"codes": ["R1", "R2"], "counts": [800, 100, 0]}, np.array([900, 150, 0]), LIMITS, columns=1)
    first = SinceFirst(version=1, bundle="f" * 64, score=moved, inputs=(Moved.of(inputs[0]),))
    return MonthStatistics(
        rows=30_000,
        quality=(forbidden,),
        distances=(gap,),
        favourable=usual,
        reasons=told,
        segments=(current, inactive),
        first=first,
    )


def _outlook(month: str, performance: Performance | None) -> Outlook:
    """An estimate in every month; a range in the newest, as if six months had matured before."""
    whole = Estimated(rows=30_000, bad_rate=MONTHS[month][0], brier=0.081, auc=0.869)
    guess = Estimate(definition=1, populations={"all": whole, "current": whole.model_copy(update={"auc": 0.671})})
    band = ErrorBand(measure="auc", months=6, low=-0.012, high=0.009, coverage=5 / 7)
    if performance is None:
        return Outlook(estimate=guess, bands=(band,))
    bad = [Band(label=str(n), rows=3_000, predicted=n / 10, actual=n / 11, low=n / 12, high=n / 10) for n in range(1, 5)]
    vintages = (Vintage(month="2005-07", accounts=30_000, shares=(0.147, 0.18), followed=(30_000, 30_000)),)
    known = compared(month, guess, performance, USE_CASE)
    return Outlook(estimate=guess, compared=known, calibration={"as coded": tuple(bad)}, vintages=vintages)


def _shift(name: str, month: str) -> Shift:
    codes = MONTHS[month][-1]
    frozen, current = {
        "status_0": ({"codes": STATUS_CODES, "counts": STATUS_AT_TRAINING}, codes),
        "payment_0": ({"edges": PAYMENT_EDGES, "counts": PAYMENT_AT_TRAINING}, [*PAYMENT_AT_TRAINING[:-1], 3_950]),
        "score": ({"edges": SCORE_EDGES, "counts": SCORE_AT_TRAINING}, [*SCORE_AT_TRAINING[:-1], 1_700]),
    }[name]
    return shift(name, frozen, np.array(current), LIMITS, columns=3)


def _performance(month: str) -> Performance | None:
    predicted, actual, comparable, auc, comparable_auc, _ = MONTHS[month]
    if actual is None or auc is None:
        return None
    like = None if comparable is None else _reading(2, "status 2 or more", predicted, comparable, comparable_auc)
    fall = (
        None
        if comparable_auc is None
        else Attribution(total=auc - 0.87, definition=auc - comparable_auc, model=comparable_auc - 0.87)
    )
    return Performance(
        matured_at=f"{month}-28",
        coding="by status",
        as_coded=_reading(1, "status 1 or more", predicted, actual, auc),
        comparable=like,
        note="Comparable reads the codes as the newest definition does.",
        reference_definition=1,
        reference={"auc": TRAINED, "auc_error": 0.004, "brier": 0.08, "bad_rate": 0.12},
        attribution=fall,
        unmatched=0,
    )


def _reading(definition: int, rule: str, predicted: float, actual: float, auc: float | None) -> Reading:
    def figures(rows: int) -> Figures:
        low, high = (None, None) if auc is None else (auc - 0.006, auc + 0.006)
        bad = round(rows * actual)
        return Figures(rows=rows, bad=bad, predicted=predicted, actual=actual, brier=0.085, auc=auc, auc_low=low, auc_high=high)

    return Reading(definition=definition, rule=rule, populations={"all": figures(30_000), "current": figures(21_000)})
