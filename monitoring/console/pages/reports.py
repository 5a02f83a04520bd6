"""What stands on the page of a month's report, and on the list of validated batches."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from models.errors import NotFound
from monitoring.console.pages.rollouts import SwapSetLink, swap_set_links
from monitoring.console.pages.today import known
from monitoring.console.sources import Sources, Trouble, or_trouble
from monitoring.packs import Version, versions
from monitoring.report import MonthlyReport, MonthRow, ReportKey, newest, rows
from monitoring.validations import Validation

VALIDATIONS_SHOWN, BATCHES_SHOWN = 200, 10


@dataclass(frozen=True)
class ReportPage:
    key: ReportKey
    report: MonthlyReport
    versions: Sequence[ReportKey]  # every report of this month, newest first
    months: Sequence[str]  # every month that has a report, newest first

    @property
    def row(self) -> MonthRow:
        return rows([self.report])[0]

    @property
    def superseded(self) -> bool:
        return self.key != self.versions[0]


def report_page(sources: Sources, model: str, month: str, stamp: str = "") -> ReportPage:
    """The newest report of a month, or the one with the stamp given. Raises `NotFound`."""
    versions = sources.reports.keys(model, month)
    if not versions:
        raise NotFound(f"there is no report on {model} for {month}", hint=f"`make report` writes one; looked in {sources.home}")
    key = ReportKey(model, month, stamp) if stamp else versions[0]
    months = list(dict.fromkeys(key.month for key in sources.reports.keys(model)))
    return ReportPage(key, sources.reports.read(key), versions, months)


def recent_validations(sources: Sources) -> Sequence[Validation] | Trouble:
    return or_trouble(lambda: sources.validations.recent(VALIDATIONS_SHOWN))


@dataclass(frozen=True)
class Shelf:
    """What can be read about one model: its months, newest first, and its versions with an evidence pack."""

    model: str
    title: str
    rows: Sequence[MonthRow]
    documents: Mapping[str, Sequence[tuple[str, str]]]  # by month: title and address of each page
    versions: Sequence[Version] | Trouble


@dataclass(frozen=True)
class Library:
    shelves: Sequence[Shelf]
    validations: Sequence[Validation] | Trouble
    swap_sets: Sequence[SwapSetLink] | Trouble


def overview(sources: Sources) -> Library:
    """Everything there is to read: monthly reports with their pages, evidence packs, swap sets, validated batches."""
    shelves = [_shelf(sources, model) for model in known(sources)]
    found = or_trouble(lambda: swap_set_links(sources.ledger.entries())[::-1])
    newest_ones = or_trouble(lambda: sources.validations.recent(BATCHES_SHOWN))
    return Library(shelves, newest_ones, found)


def _shelf(sources: Sources, model: str) -> Shelf:
    found = or_trouble(lambda: newest(sources.reports, model))
    reports = [] if isinstance(found, Trouble) else found
    pages = {
        report.month: [
            (each.title, f"/models/{model}/reports/{key.month}/{key.stamp}/documents/{each.name}") for each in report.documents
        ]
        for key, report in reports
    }
    packed = or_trouble(lambda: versions(sources.ledger.entries(model), sources.packs, model))
    title = reports[0][1].title if reports else model
    return Shelf(model, title, rows([report for _, report in reports])[::-1], pages, packed)
