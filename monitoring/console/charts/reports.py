"""The charts of one month's report: calibration by band, vintages, and the distribution of every column."""

from collections.abc import Sequence

from monitoring.console.charts.values import Chart, Series, Unit, distribution, spans
from monitoring.outcomes.curves import Vintage
from monitoring.report import MonthlyReport

VINTAGES = ("coded", "comparable", "predicted")
"""The newest and the two before: more lines cannot be told apart."""
BANDS = "Bands of score frozen with the model, from the lowest; the bars are 95 % intervals of the share that went bad."
AGES = "Share of a month's accounts that was bad at least once, by months since the decision; read comparably, as far as known."


def of_outcomes(report: MonthlyReport) -> list[Chart]:
    """Empty until the month has matured."""
    outlook, found = report.outlook, []
    for name, bands in (outlook.calibration if outlook else {}).items():
        known = [band for band in bands if report.enough(sum(each.rows for each in bands))]
        if known:
            places = tuple(str(number) for number in range(1, len(known) + 1))
            look = "coded" if name == "as coded" else "comparable"
            series = (
                Series("predicted", "predicted", tuple(band.predicted for band in known)),
                Series(f"actual, {name}", look, tuple(band.actual for band in known)),
            )
            ranges = spans({place: (band.low, band.high) for place, band in zip(places, known, strict=True)})
            title, address = f"Calibration by band, {name}", f"calibration-{name.replace(' ', '-')}"
            found.append(Chart(address, title, places, series, Unit.PERCENT, spans=ranges, span_name="95 % interval", note=BANDS))
    return [*found, *_vintages(outlook.vintages if outlook else ())]


def of_columns(report: MonthlyReport) -> list[Chart]:
    """Score and actions first, then the inputs that have moved most. Too few rows are not drawn."""
    shifts = [*filter(None, (report.score, report.actions)), *sorted(report.inputs, key=lambda shift: -shift.psi)]
    return [distribution(shift) for shift in shifts if shift.state != "insufficient"]


def _vintages(vintages: Sequence[Vintage]) -> list[Chart]:
    shown = vintages[-len(VINTAGES) :]
    ages = max((len(each.shares) for each in shown), default=0)
    if not ages:
        return []
    series = tuple(
        Series(each.month, look, (*each.shares, *[None] * (ages - len(each.shares))))
        for look, each in zip(VINTAGES, reversed(shown), strict=False)
    )
    return [Chart("vintages", "Vintage curves", tuple(str(age + 1) for age in range(ages)), series, Unit.PERCENT, note=AGES)]
