"""A chart as a value: its figures, the same in words, and as CSV. No figure is invented: an unknown month breaks the line."""

import csv
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from io import StringIO
from typing import Protocol

from monitoring.drift import Shift
from monitoring.findings import percent


class Unit(StrEnum):
    FIGURE = "figure"
    PERCENT = "percent"
    EVIDENCE = "evidence"  # e-values, on a scale of powers of ten


class Kind(StrEnum):
    LINES = "lines"
    BARS = "bars"


class Scheme(StrEnum):
    LIGHT = "light"
    DARK = "dark"


@dataclass(frozen=True)
class Series:
    """`look` names colour, dash and shape of the points together: see the adapter that draws."""

    name: str
    look: str
    values: tuple[float | None, ...]


@dataclass(frozen=True)
class Span:
    """Where a figure is expected to be, at one place of the x axis."""

    place: str
    low: float
    high: float


@dataclass(frozen=True)
class Change:
    """From this place on something is otherwise, e.g. another version answered."""

    place: str
    text: str


@dataclass(frozen=True)
class Chart:
    """`name` is its address. `places` are the labels along the x axis, `second` a second scale of the same figures."""

    name: str
    title: str
    places: tuple[str, ...]
    series: tuple[Series, ...]
    unit: Unit = Unit.FIGURE
    kind: Kind = Kind.LINES
    spans: tuple[Span, ...] = ()
    span_name: str = "expected range"
    changes: tuple[Change, ...] = ()
    note: str = ""  # what a reader must know, under the picture
    second: str = ""  # "Gini": 2 AUC - 1 at the right edge

    @property
    def known(self) -> bool:
        return any(value is not None for line in self.series for value in line.values)

    @property
    def in_words(self) -> str:
        """For those who do not see it: the first and the last known figure of every line; of bars, the tallest."""
        return " ".join(filter(None, map(self._said, self.series)))

    def _said(self, line: Series) -> str:
        known = [(place, value) for place, value in zip(self.places, line.values, strict=True) if value is not None]
        if not known:
            return ""
        if self.kind is Kind.BARS:
            place, most = max(known, key=lambda pair: pair[1])
            return f"{line.name}: most in {place}, {self.written(most)}."
        (first, start), (last, end) = known[0], known[-1]
        return f"{line.name}: {self.written(start)} in {first}, {self.written(end)} in {last}."

    def written(self, value: float) -> str:
        return percent(value) if self.unit is Unit.PERCENT else figure(value) if self.unit is Unit.FIGURE else evidence(value)

    def csv(self) -> str:
        """Every figure that is drawn, unrounded; an unknown one is an empty cell."""
        table, spans = StringIO(), {span.place: span for span in self.spans}
        rows = csv.writer(table, lineterminator="\n")
        ends = [f"{self.span_name}, {end}" for end in ("low", "high")] if spans else []
        rows.writerow(["", *(line.name for line in self.series), *ends])
        for number, place in enumerate(self.places):
            drawn = ["" if line.values[number] is None else line.values[number] for line in self.series]
            span = spans.get(place)
            rows.writerow([place, *drawn, *(([span.low, span.high] if span else ["", ""]) if ends else [])])
        return table.getvalue()


class Pictures(Protocol):
    """Who draws. Safe for several threads; the same chart is drawn once."""

    def svg(self, chart: Chart, scheme: Scheme) -> bytes: ...

    def png(self, chart: Chart) -> bytes:
        """For print and slides: twice the size, on white."""
        ...


@dataclass(frozen=True)
class Bin:
    """The shares of rows in one bin."""

    label: str
    reference: float
    current: float


def bins(shift: Shift) -> list[Bin]:
    """Reference beside current; bins that are empty in both are left out."""
    reference, current = _shares(shift.reference), _shares(shift.current)
    return [Bin(label, a, b) for label, a, b in zip(shift.bins, reference, current, strict=True) if a or b]


def distribution(shift: Shift) -> Chart:
    """The bins of one column, training beside the month."""
    found = bins(shift)
    return Chart(
        name=slug(shift.name),
        title=shift.name,
        places=tuple(each.label for each in found),
        series=(
            Series("training", "reference", tuple(each.reference for each in found)),
            Series("this month", "current", tuple(each.current for each in found)),
        ),
        unit=Unit.PERCENT,
        kind=Kind.BARS,
    )


def slug(name: str) -> str:
    """A name as part of an address."""
    return "-".join(re.findall(r"[a-z0-9_]+", name.lower()))


def spans(ranges: Mapping[str, tuple[float, float]]) -> tuple[Span, ...]:
    return tuple(Span(place, low, high) for place, (low, high) in ranges.items())


def figure(value: float) -> str:
    return f"{value:.3f}"


def evidence(value: float) -> str:
    return f"{value:.2g}" if value < 100 else f"{value:,.0f}" if value < 1e5 else f"{value:.0e}"


def _shares(counts: Sequence[int]) -> list[float]:
    total = sum(counts) or 1
    return [count / total for count in counts]
