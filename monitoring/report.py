"""The monthly report: what is stored, dated, never overwritten, and read by the viewer, the alerts and the replay."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, Self

from pydantic import Field

from models.policy import Frozen
from monitoring.drift import Shift
from monitoring.invariants.figures import Invariants
from monitoring.outcomes.history import Miss
from monitoring.outcomes.outlook import Outlook
from monitoring.performance import Performance
from monitoring.statistics.figures import MonthStatistics
from monitoring.verdict import Level, Verdict

REPORT = "report.json"
FORMAT = 1


class Document(Frozen):
    """A page stored beside report.json, e.g. Evidently's."""

    name: str  # file name, e.g. "drift.html"
    title: str
    about: str  # what it was made from: rows, sample, seed


class Reconciled(Frozen):
    """One column as the exact statistics and as Evidently's sample see it, both as PSI."""

    column: str
    exact: float
    sampled: float
    exact_drifted: bool
    sampled_drifted: bool
    recomputed: float | None = None  # the sample's figure by our own code; None in a report of before it was made
    note: str  # "" where both agree


class Sealed(Frozen):
    """Which partition version of the lake a figure was computed from."""

    table: str
    month: str
    version: int
    digest: str
    rows: int


class MonthlyReport(Frozen):
    """Everything the platform can say about one model's month, as known at `recorded_at`."""

    format: int = FORMAT
    model: str
    title: str
    month: str
    recorded_at: str
    version: int  # of the model, for people
    bundle: str
    decisions: int  # rows answered by this bundle
    accounts: int | None = None  # different ones among them; None in a report of before they were counted
    minimum_rows: int = 0  # rows from which the policy lets anything be judged
    other_bundles: dict[str, int]  # rows of the month answered by others, by digest
    verdict: Verdict
    score: Shift | None  # None: nothing was decided
    inputs: tuple[Shift, ...]
    actions: Shift | None
    statistics: MonthStatistics | None = None  # None: nothing was decided, or a report of before they were made
    invariants: Invariants | None = None  # the same
    outlook: Outlook | None = None  # the same
    performance: Performance | None  # None: not matured, see `maturity`
    maturity: str  # in words, e.g. "Outcomes of 2005-09 mature on 2005-10-31."
    documents: tuple[Document, ...] = ()
    reconciliation: tuple[Reconciled, ...] = ()
    notes: tuple[str, ...] = ()  # what a reader should know about how this was made, e.g. a page that could not be drawn
    sources: tuple[Sealed, ...] = ()

    def enough(self, rows: int) -> bool:
        """On fewer rows figures are withheld: they would be taken for facts."""
        return rows >= self.minimum_rows

    def to_dict(self) -> dict[str, Any]:
        return self.model_dump(mode="json")

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        return cls.model_validate(data)


@dataclass(frozen=True, order=True)
class ReportKey:
    """Where a report is. `stamp` sorts by time recorded; two of one instant are numbered."""

    model: str
    month: str
    stamp: str


class ReportStore(Protocol):
    def add(self, report: MonthlyReport, documents: Mapping[str, bytes]) -> ReportKey:
        """Store the report and its pages, all or nothing; never replaces an earlier one."""
        ...

    def models(self) -> list[str]: ...

    def keys(self, model: str, month: str | None = None) -> list[ReportKey]:
        """Newest month first, and within a month the newest report first; empty for an unknown model."""
        ...

    def read(self, key: ReportKey) -> MonthlyReport:
        """Raises `NotFound`, or `Integrity` if the file was damaged."""
        ...

    def digest(self, key: ReportKey) -> str:
        """SHA-256 of the report as it is stored, damaged or not. Raises `NotFound`."""
        ...

    def document(self, key: ReportKey, name: str) -> bytes:
        """A page by its file name. Raises `NotFound`, also for a name that is not one of the report's documents."""
        ...


def newest(store: ReportStore, model: str) -> list[tuple[ReportKey, MonthlyReport]]:
    """The newest report of every month, newest month first."""
    return [(key, store.read(key)) for key in newest_keys(store, model)]


def newest_keys(store: ReportStore, model: str) -> list[ReportKey]:
    """The same unread."""
    found: dict[str, ReportKey] = {}
    for key in store.keys(model):
        found.setdefault(key.month, key)
    return list(found.values())


def counting(reports: Sequence[MonthlyReport]) -> list[MonthlyReport]:
    """Of reports by month, the newest first, what says how a model is now: the newest, and the newest whose outcomes are known.

    Of an older month that was reported on late the model in force may know nothing.
    """
    matured = next((report for report in reports if report.performance), None)
    return list({report.month: report for report in (*reports[:1], matured) if report}.values())


def missed(store: ReportStore, model: str, before: str) -> list[Miss]:
    """What was estimated against what was realised, in the newest report of every month before this one."""
    found = [store.read(key) for key in newest_keys(store, model) if key.month < before]
    return [miss for report in found if report.outlook and report.outlook.compared for miss in report.outlook.compared.misses]


class MonthRow(Frozen):
    """A month in one line, for charts and tables. Figures are None where unknown or withheld, never good by default."""

    month: str
    version: int
    level: str
    sentence: str
    decisions: int
    accounts: int | None
    few_decisions: bool  # so few that shifts are withheld
    few_outcomes: bool  # known ones, but so few that figures are withheld
    psi_score: float | None
    psi_max: float | None
    psi_max_input: str
    predicted: float | None
    actual: float | None
    auc: float | None
    brier: float | None
    comparable_actual: float | None
    comparable_auc: float | None
    comparable_brier: float | None
    estimated: float | None = None  # the bad rate, from the probabilities alone; as the next two
    estimated_auc: float | None = None
    estimated_brier: float | None = None
    favourable: float | None = None
    favourable_reference: float | None = None  # at training
    ranges: Mapping[str, tuple[float, float]] = Field(
        default={}
    )  # where the realised figure is expected, by measure; from six matured months on
    alerts: tuple[str, ...]  # the texts of the findings that change the colour


def rows(reports: Sequence[MonthlyReport]) -> list[MonthRow]:
    """One row per report given, oldest month first."""
    return [_row(report) for report in sorted(reports, key=lambda r: (r.month, r.recorded_at))]


def _row(report: MonthlyReport) -> MonthRow:
    whole = report.performance.as_coded.whole if report.performance else None
    reading = report.performance.comparable if report.performance else None
    coded = whole if whole and report.enough(whole.rows) else None
    like = reading.whole if reading and report.enough(reading.whole.rows) else None
    score = report.score if report.score and report.score.state != "insufficient" else None
    top = max((shift for shift in report.inputs if shift.state != "insufficient"), key=lambda shift: shift.psi, default=None)
    guess = report.outlook.estimate.whole if report.outlook and report.enough(report.decisions) else None
    rate = report.statistics.favourable if report.statistics else None
    rate = rate if rate and rate.state != "insufficient" else None
    return MonthRow(
        month=report.month,
        version=report.version,
        level=report.verdict.level,
        sentence=report.verdict.sentence,
        decisions=report.decisions,
        accounts=report.accounts,
        few_decisions=report.decisions > 0 and not report.enough(report.decisions),
        few_outcomes=whole is not None and coded is None,
        psi_score=score.psi if score else None,
        psi_max=top.psi if top else None,
        psi_max_input=top.name if top else "",
        predicted=coded.predicted if coded else None,
        actual=coded.actual if coded else None,
        auc=coded.auc if coded else None,
        brier=coded.brier if coded else None,
        comparable_actual=like.actual if like else None,
        comparable_auc=like.auc if like else None,
        comparable_brier=like.brier if like else None,
        estimated=guess.bad_rate if guess else None,
        estimated_auc=guess.auc if guess else None,
        estimated_brier=guess.brier if guess else None,
        favourable=rate.value if rate else None,
        favourable_reference=rate.reference if rate else None,
        ranges=_ranges(report) if guess else {},
        alerts=tuple(finding.text for finding in report.verdict.findings if finding.level is not Level.GREEN),
    )


def _ranges(report: MonthlyReport) -> dict[str, tuple[float, float]]:
    assert report.outlook
    found: dict[str, tuple[float, float]] = {}
    for band in report.outlook.bands:
        said = getattr(report.outlook.estimate.whole, band.measure)
        if said is not None:
            found[band.measure] = (said + band.low, said + band.high)
    return found
