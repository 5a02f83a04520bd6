"""The charts of a model's page: its months, oldest first. An estimate has a point in every month, matured or not."""

from collections.abc import Callable, Sequence
from itertools import pairwise

from monitoring.console.charts.values import Change, Chart, Series, Unit, spans
from monitoring.outcomes.estimation import ASSUMPTION
from monitoring.report import MonthRow

Read = Callable[[MonthRow], float | None]


def of_model(rows: Sequence[MonthRow]) -> list[Chart]:
    """None without a month."""
    return [_ranking(rows), _calibration(rows), _brier(rows), _stability(rows), _favourable(rows)] if rows else []


def _ranking(rows: Sequence[MonthRow]) -> Chart:
    told = [("estimated", "estimated", lambda row: row.estimated_auc), *_readings("auc", "comparable_auc")]
    return _chart(rows, "auc", "AUC and Gini", told, measure="auc", second="Gini")


def _calibration(rows: Sequence[MonthRow]) -> Chart:
    told: list[tuple[str, str, Read]] = [
        ("predicted", "predicted", lambda row: row.predicted if row.estimated is None else row.estimated),
        ("actual, as coded", "coded", lambda row: row.actual),
        ("actual, comparable", "comparable", lambda row: row.comparable_actual),
    ]
    return _chart(rows, "calibration", "Calibration: bad rate", told, measure="bad_rate", unit=Unit.PERCENT)


def _brier(rows: Sequence[MonthRow]) -> Chart:
    told = [("estimated", "estimated", lambda row: row.estimated_brier), *_readings("brier", "comparable_brier")]
    return _chart(rows, "brier", "Brier score", told, measure="brier")


def _stability(rows: Sequence[MonthRow]) -> Chart:
    told: list[tuple[str, str, Read]] = [
        ("score", "predicted", lambda row: row.psi_score),
        ("most shifted input", "coded", lambda row: row.psi_max),
    ]
    return _chart(rows, "psi", "PSI against training", told)


def _favourable(rows: Sequence[MonthRow]) -> Chart:
    told: list[tuple[str, str, Read]] = [
        ("this month", "comparable", lambda row: row.favourable),
        ("at training", "predicted", lambda row: row.favourable_reference),
    ]
    return _chart(rows, "favourable", "Favourable decisions", told, unit=Unit.PERCENT)


def _readings(coded: str, comparable: str) -> list[tuple[str, str, Read]]:
    return [
        ("realised, as coded", "coded", lambda row: getattr(row, coded)),
        ("realised, comparable", "comparable", lambda row: getattr(row, comparable)),
    ]


def _chart(
    rows: Sequence[MonthRow],
    name: str,
    title: str,
    told: Sequence[tuple[str, str, Read]],
    *,
    measure: str = "",
    unit: Unit = Unit.FIGURE,
    second: str = "",
) -> Chart:
    """`measure` is the estimated one: its ranges are drawn, and its assumption stands under the picture."""
    guessed = measure and any(row.estimated is not None for row in rows)
    changes = [Change(later.month, f"v{later.version}") for earlier, later in pairwise(rows) if earlier.version != later.version]
    return Chart(
        name=name,
        title=title,
        places=tuple(row.month for row in rows),
        series=tuple(Series(said, look, tuple(read(row) for row in rows)) for said, look, read in told),
        unit=unit,
        spans=spans({row.month: row.ranges[measure] for row in rows if measure in row.ranges}),
        changes=tuple(changes),
        note=ASSUMPTION if guessed else "",
        second=second,
    )
