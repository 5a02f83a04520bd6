"""Where the ink goes: figures by month to the coordinates of small charts, and a distribution to the heights of its bars.

Drawn by `templates/charts.html`. No figure is invented: an unknown month breaks the line.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, floor, log10
from types import MappingProxyType

from monitoring.drift import Shift
from monitoring.findings import percent
from monitoring.outcomes.curves import Vintage
from monitoring.outcomes.estimation import ASSUMPTION
from monitoring.report import MonthlyReport, MonthRow

WIDTH, HEIGHT = 380, 200
LEFT, RIGHT, TOP, BOTTOM = 48, 14, 16, 26
MONTH_LABELS = 6
TICKS = 4
LOOKS = ("coded", "comparable", "predicted")
FINEST = 1e-6  # figures closer together than this are drawn as one


@dataclass(frozen=True)
class Series:
    """`look` is a class of the style sheet: it sets colour, dash and the shape of the points together."""

    name: str
    look: str
    values: Sequence[float | None]


@dataclass(frozen=True)
class Point:
    x: float
    y: float
    text: str  # e.g. "Actual, 2005-07: 22.7 %"


@dataclass(frozen=True)
class Line:
    name: str
    look: str
    points: Sequence[Point]
    paths: Sequence[str]  # one per unbroken stretch, as an SVG polyline takes it


@dataclass(frozen=True)
class Mark:
    """A label at a place along an axis, in pixels."""

    at: float
    text: str


@dataclass(frozen=True)
class Span:
    """Where a figure is expected to be, at one place of the x axis."""

    x: float
    top: float
    bottom: float
    text: str


@dataclass(frozen=True)
class Chart:
    title: str
    in_words: str  # for those who do not see it
    lines: Sequence[Line]
    spans: Sequence[Span]
    span_name: str
    note: str  # what a reader must know, under the picture
    x: Sequence[Mark]
    y: Sequence[Mark]
    changes: Sequence[Mark]  # from these months on another version answered


@dataclass(frozen=True)
class Bar:
    """One bin: the shares of rows, and their heights in percent of the tallest bar."""

    label: str
    reference: float
    current: float
    reference_height: float
    current_height: float


def of_model(rows: Sequence[MonthRow]) -> list[Chart]:
    """The charts of a model's page, from its months, oldest first. An estimate has a point in every month, matured or not."""
    months = [row.month for row in rows]
    guessed = ASSUMPTION if any(row.estimated is not None for row in rows) else ""
    changes = [(later.month, f"v{later.version}") for earlier, later in pairwise(rows) if earlier.version != later.version]
    wanted: list[tuple[str, str, Callable[[float], str], list[Series]]] = [
        (
            "Bad rate",
            "bad_rate",
            percent,
            [
                Series("estimated", "estimated", [row.estimated for row in rows]),
                Series("predicted", "predicted", [row.predicted if row.estimated is None else None for row in rows]),
                Series("actual, as coded", "coded", [row.actual for row in rows]),
                Series("actual, comparable", "comparable", [row.comparable_actual for row in rows]),
            ],
        ),
        (
            "AUC",
            "auc",
            figure,
            [
                Series("estimated", "estimated", [row.estimated_auc for row in rows]),
                Series("as coded", "coded", [row.auc for row in rows]),
                Series("comparable", "comparable", [row.comparable_auc for row in rows]),
            ],
        ),
        (
            "Brier score",
            "brier",
            figure,
            [
                Series("estimated", "estimated", [row.estimated_brier for row in rows]),
                Series("as coded", "coded", [row.brier for row in rows]),
                Series("comparable", "comparable", [row.comparable_brier for row in rows]),
            ],
        ),
        (
            "PSI against training",
            "",
            figure,
            [
                Series("score", "predicted", [row.psi_score for row in rows]),
                Series("most shifted input", "coded", [row.psi_max for row in rows]),
            ],
        ),
    ]
    return [
        chart(
            title,
            months,
            series,
            written,
            changes,
            ranges={row.month: row.ranges[measure] for row in rows if measure in row.ranges},
            note=guessed if measure else "",
        )
        for title, measure, written, series in wanted
        if months
    ]


def of_report(report: MonthlyReport) -> list[Chart]:
    """The charts of a matured month: calibration by band of score, and the vintages up to now."""
    outlook, found = report.outlook, []
    for name, bands in (outlook.calibration if outlook else {}).items():
        known = [band for band in bands if report.enough(sum(each.rows for each in bands))]
        if known:
            names = [str(number) for number in range(1, len(known) + 1)]
            look = "coded" if name == "as coded" else "comparable"
            series = [
                Series("predicted", "predicted", [band.predicted for band in known]),
                Series(f"actual, {name}", look, [band.actual for band in known]),
            ]
            ranges = {place: (band.low, band.high) for place, band in zip(names, known, strict=True)}
            note = (
                "Bands of score frozen with the model, from the lowest; the bars are 95 % intervals of the share that went bad."
            )
            found.append(chart(f"Calibration by band, {name}", names, series, percent, ranges=ranges, note=note))
    return [*found, *_vintages(outlook.vintages if outlook else ())]


def _vintages(vintages: Sequence[Vintage]) -> list[Chart]:
    """The newest and the two before: more lines cannot be told apart."""
    shown = vintages[-len(LOOKS) :]
    ages = max((len(each.shares) for each in shown), default=0)
    if not ages:
        return []
    series = [
        Series(each.month, look, [*each.shares, *[None] * (ages - len(each.shares))])
        for look, each in zip(LOOKS, reversed(shown), strict=False)
    ]
    note = (
        "Share of a month's accounts that was bad at least once, by months since the decision; read comparably, as far as known."
    )
    return [chart("Vintage curves", [str(age + 1) for age in range(ages)], series, percent, note=note)]


def chart(
    title: str,
    months: Sequence[str],
    series: Sequence[Series],
    written: Callable[[float], str],
    changes: Sequence[tuple[str, str]] = (),
    ranges: Mapping[str, tuple[float, float]] = MappingProxyType({}),
    span_name: str = "expected range",
    note: str = "",
) -> Chart:
    """`written` spells a value; `changes` are pairs of a month and what changed in it, `ranges` what is expected in it."""
    drawn = [value for line in series for value in line.values if value is not None]
    ticks = _ticks([*drawn, *(end for span in ranges.values() for end in span)])
    low, high = ticks[0], ticks[-1]
    xs = dict(zip(months, _places(len(months)), strict=True))

    def y(value: float) -> float:
        return round(TOP + (high - value) / (high - low) * (HEIGHT - TOP - BOTTOM), 1)

    return Chart(
        title=title,
        in_words=_in_words(months, series, written),
        lines=[_line(line, xs, y, written) for line in series],
        spans=[
            Span(xs[month], y(high), y(low), f"{span_name}, {month}: {written(low)} to {written(high)}")
            for month, (low, high) in ranges.items()
        ],
        span_name=span_name,
        note=note,
        x=_thinned([Mark(xs[month], month) for month in months]),
        y=[Mark(y(tick), written(tick)) for tick in ticks],
        changes=[Mark(xs[month], text) for month, text in changes],
    )


def bars(shift: Shift) -> list[Bar]:
    """The bins of one column, reference beside current; bins that are empty in both are left out."""
    reference, current = _shares(shift.reference), _shares(shift.current)
    tallest = max([*reference, *current, 1e-12])
    return [
        Bar(label, a, b, round(100 * a / tallest, 1), round(100 * b / tallest, 1))
        for label, a, b in zip(shift.bins, reference, current, strict=True)
        if a or b
    ]


def figure(value: float) -> str:
    return f"{value:.3f}"


def _line(line: Series, xs: dict[str, float], y: Callable[[float], float], written: Callable[[float], str]) -> Line:
    stretches: list[list[Point]] = [[]]
    for (month, x), value in zip(xs.items(), line.values, strict=True):
        if value is None:
            stretches.append([])
        else:
            stretches[-1].append(Point(x, y(value), f"{line.name}, {month}: {written(value)}"))
    paths = [" ".join(f"{point.x},{point.y}" for point in stretch) for stretch in stretches if len(stretch) > 1]
    return Line(line.name, line.look, [point for stretch in stretches for point in stretch], paths)


def _ticks(values: Sequence[float]) -> list[float]:
    """Round numbers (1, 2 or 5 times a power of ten apart) around all values."""
    low, high = min(values, default=0.0), max(values, default=1.0)
    spread = max(high - low or abs(high), FINEST)
    power = 10.0 ** floor(log10(spread / TICKS))
    step = next(power * size for size in (1, 2, 5, 10) if power * size * TICKS >= spread * 0.999)
    first, last = floor(low / step + 1e-9), ceil(high / step - 1e-9)
    return [round(step * number, 10) for number in range(first, max(last, first + 1) + 1)]


def _places(months: int) -> list[float]:
    """The x of each month; a single one stands in the middle."""
    return [round(LEFT + (WIDTH - LEFT - RIGHT) * (index + 0.5) / months, 1) for index in range(months)]


def _thinned(marks: Sequence[Mark]) -> list[Mark]:
    """Every k-th label, the newest always among them."""
    step = max(1, ceil(len(marks) / MONTH_LABELS))
    return [mark for index, mark in enumerate(marks) if (len(marks) - 1 - index) % step == 0]


def _shares(counts: Sequence[int]) -> list[float]:
    total = sum(counts) or 1
    return [count / total for count in counts]


def _in_words(months: Sequence[str], series: Sequence[Series], written: Callable[[float], str]) -> str:
    sentences = []
    for line in series:
        known = [(month, value) for month, value in zip(months, line.values, strict=True) if value is not None]
        if known:
            (first, start), (last, end) = known[0], known[-1]
            sentences.append(f"{line.name}: {written(start)} in {first}, {written(end)} in {last}.")
    return " ".join(sentences)
