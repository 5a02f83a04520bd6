"""What stands on the pages of features: how a column is distributed against training, how that moved, and rows behind a bar."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from models.bundle import Bundle
from models.errors import NotFound
from monitoring.console.charts.values import Chart, Series, bins, distribution
from monitoring.console.sources import Sources
from monitoring.drift import Shift, binnings, labels
from monitoring.report import MonthlyReport, newest
from monitoring.samples import Bounds
from monitoring.sealing import DECISIONS

ROWS_SHOWN = 50
SCORE, LOGGED_SCORE = "score", "probability"
"""The score's name in a report, and in the log."""


@dataclass(frozen=True)
class FeatureRow:
    """A column in one line: how far it moved in the newest month, and in every month, oldest first."""

    shift: Shift
    months: Sequence[float | None]


@dataclass(frozen=True)
class Features:
    model: str
    title: str
    month: str
    months: Sequence[str]  # oldest first
    rows: Sequence[FeatureRow]  # the most moved first


@dataclass(frozen=True)
class FeaturePage:
    """`missing` and the like are the rows that the contract forbids; None in a report of before they were counted."""

    model: str
    month: str
    months: Sequence[str]  # newest first
    shift: Shift
    bins: Sequence[tuple[int, str, float, float]]  # place, label, share at training, share now
    charts: Sequence[Chart]
    forbidden: Mapping[str, int] | None


@dataclass(frozen=True)
class Rows:
    model: str
    month: str
    column: str
    bin: str
    rows: Sequence[Mapping[str, object]]


def features(sources: Sources, model: str) -> Features:
    """Raises `NotFound` for a model without reports."""
    reports = _reports(sources, model)
    newest_one = reports[-1]
    rows = [FeatureRow(shift, [_psi(report, shift.name) for report in reports]) for shift in _shifts(newest_one)]
    return Features(model, newest_one.title, newest_one.month, [report.month for report in reports], rows)


def feature_page(sources: Sources, model: str, column: str, month: str = "") -> FeaturePage:
    """In this month, or the newest. Raises `NotFound`."""
    reports = _reports(sources, model)
    report, shift = _found(reports, column, month)
    kept = {place for place, _ in enumerate(shift.bins) if shift.reference[place] or shift.current[place]}
    told = zip(sorted(kept), bins(shift), strict=True)
    charts = [
        Chart(**{**vars(distribution(shift)), "name": "distribution", "title": f"{column}, {report.month} against training"}),
        _over_time(reports, shift),
    ]
    found = {each.name: each for each in (report.statistics.quality if report.statistics else ())}.get(_logged(column))
    forbidden = {name: getattr(found, name) for name in ("missing", "below", "above", "unseen")} if found else None
    return FeaturePage(
        model,
        report.month,
        [each.month for each in reversed(reports)],
        shift,
        [(place, each.label, each.reference, each.current) for place, each in told],
        charts,
        forbidden,
    )


def rows_behind(sources: Sources, model: str, column: str, month: str, place: int) -> Rows:
    """Some of the decisions in one bin of a month. Raises `NotFound`."""
    report, shift = _found(_reports(sources, model), column, month)
    if not 0 <= place < len(shift.bins):
        raise NotFound(f"{column} has no bin {place}", hint="open it from the feature's page")
    sealed = [part for part in sources.lake(model).versions(DECISIONS) if str(part.month) == report.month]
    if not sealed:
        raise NotFound(f"the decisions of {report.month} are not sealed yet", hint="make report seals them")
    bundle = Bundle.verified(sources.channel.bundle(report.bundle), report.bundle)
    frozen = binnings(bundle.part("reference.json"))[_logged(column)]
    found = sources.samples(model).some(sealed[-1], _logged(column), bounds(frozen, place), ROWS_SHOWN)
    return Rows(model, report.month, column, labels(frozen)[place], found)


def bounds(frozen: Mapping[str, Any], place: int) -> Bounds:
    """Which values are in a bin: closed on its left; the last of a coded column is every code never seen."""
    if "codes" in frozen:
        codes = tuple(frozen["codes"])
        return Bounds(code=codes[place]) if place < len(codes) else Bounds(codes=codes)
    edges = [None, *frozen["edges"], None]
    return Bounds(low=edges[place], high=edges[place + 1])


def _over_time(reports: Sequence[MonthlyReport], shift: Shift) -> Chart:
    """The limits are those of the month shown: they follow the number of rows."""
    months = tuple(report.month for report in reports)
    series = (
        Series("CSI", "coded", tuple(_psi(report, shift.name) for report in reports)),
        Series("red from here", "limit", (shift.alarm,) * len(months)),
    )
    return Chart("csi", f"CSI of {shift.name} by month", months, series)


def _reports(sources: Sources, model: str) -> list[MonthlyReport]:
    """Oldest month first. Raises `NotFound` without one."""
    found = [report for _, report in newest(sources.reports, model)]
    if not found:
        raise NotFound(f"there is no report on a model {model!r}", hint="make report writes one")
    return found[::-1]


def _found(reports: Sequence[MonthlyReport], column: str, month: str) -> tuple[MonthlyReport, Shift]:
    report = reports[-1] if not month else next((each for each in reports if each.month == month), None)
    shift = next((each for each in _shifts(report) if each.name == column), None) if report else None
    if report is None or shift is None:
        raise NotFound(
            f"there is no feature {column!r}{f' in {month}' if month else ''}", hint="open it from the list of features"
        )
    return report, shift


def _shifts(report: MonthlyReport) -> list[Shift]:
    return [*filter(None, (report.score, report.actions)), *sorted(report.inputs, key=lambda shift: -shift.psi)]


def _psi(report: MonthlyReport, name: str) -> float | None:
    found = next((shift for shift in _shifts(report) if shift.name == name), None)
    return found.psi if found and found.state != "insufficient" else None


def _logged(column: str) -> str:
    return {SCORE: LOGGED_SCORE, "actions": "action"}.get(column, column)
