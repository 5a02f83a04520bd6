"""Charts drawn by matplotlib, on the server: SVG for pages, light and dark, and PNG. No script reaches a browser (ADR 37).

Figures are made without pyplot, which keeps global state; text measuring is not safe for several threads, so one draws at a time.
"""

from collections.abc import Mapping
from functools import lru_cache
from io import BytesIO
from math import ceil
from threading import Lock
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from monitoring.console.charts.values import Chart, Kind, Scheme, Unit

WIDTH, HEIGHT = 380, 232  # in CSS pixels: as wide as a phone shows, so that text keeps its size
DOTS = 100  # a inch in CSS pixels would be 96; a round number keeps the arithmetic plain
PNG_SCALE = 2
CORNER, RIGHT, RIGHT_SCALE, TOP = (0.13, 0.1), 0.03, 0.14, 0.8  # of the picture; fixed, since measuring text is most of the work
LETTERS = 44  # of labels along the x axis that can be told apart
REMEMBERED = 512
FONT: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "steward",
    "font.family": "sans-serif",
    "font.sans-serif": ["system-ui", "DejaVu Sans"],
    "font.size": 8.2,
}
LOOKS: Mapping[str, Mapping[str, Any]] = {
    "predicted": {"linestyle": (0, (5, 3)), "marker": "s"},
    "estimated": {"linestyle": (0, (2, 2)), "marker": "o", "hollow": True},
    "coded": {"linestyle": "-", "marker": "o"},
    "comparable": {"linestyle": "-", "marker": "D"},
    "limit": {"linestyle": (0, (3, 3)), "marker": ""},
}
INKS = ["paper", "ink", "soft", "line", "predicted", "estimated", "coded", "comparable", "limit", "reference", "current"]
LIGHT = ["#ffffff", "#1b211d", "#566058", "#dcdfda", "#3465a4", "#6b4c9a", "#c2571a", "#14613a", "#b3261e", "#9aa59c", "#3465a4"]
DARK = ["#1a201c", "#e8ece8", "#a5b0a7", "#323a34", "#85b3ee", "#c3a6f0", "#f39a62", "#7ed9a2", "#ff9389", "#66736a", "#85b3ee"]
COLOURS = {Scheme.LIGHT: dict(zip(INKS, LIGHT, strict=True)), Scheme.DARK: dict(zip(INKS, DARK, strict=True))}
"""As `static/console.css` has them."""


class MatplotlibPictures:
    def __init__(self) -> None:
        self._lock = Lock()
        self._drawn = lru_cache(maxsize=REMEMBERED)(self._draw)

    def svg(self, chart: Chart, scheme: Scheme) -> bytes:
        return self._drawn(chart, scheme, "svg")

    def png(self, chart: Chart) -> bytes:
        return self._drawn(chart, Scheme.LIGHT, "png")

    def _draw(self, chart: Chart, scheme: Scheme, kind: str) -> bytes:
        with self._lock, mpl.rc_context(FONT):
            figure, written = _figure(chart, COLOURS[scheme]), BytesIO()
            stamp = {"Date": None} if kind == "svg" else {}
            figure.savefig(written, format=kind, dpi=DOTS * (PNG_SCALE if kind == "png" else 1), metadata=stamp)
            return written.getvalue()


def _figure(chart: Chart, colours: Mapping[str, str]) -> Figure:
    figure = Figure(figsize=(WIDTH / DOTS, HEIGHT / DOTS), facecolor=colours["paper"])
    axes = figure.add_axes(
        (*CORNER, 1 - CORNER[0] - (RIGHT_SCALE if chart.second else RIGHT), TOP - CORNER[1]), facecolor=colours["paper"]
    )
    places = range(len(chart.places))
    (_bars if chart.kind is Kind.BARS else _lines)(axes, chart, colours)
    longest = max((len(_short(place)) for place in chart.places), default=1)
    step = max(1, ceil(len(chart.places) / max(2, LETTERS // (longest + 2))))
    shown = [place for place in places if (len(chart.places) - 1 - place) % step == 0]  # the newest always among them
    axes.set_xticks(shown, [_short(chart.places[place]) for place in shown])
    axes.set_xlim(-0.6, len(chart.places) - 0.4)
    if chart.unit is Unit.EVIDENCE:
        axes.set_yscale("log")
    else:
        axes.yaxis.set_major_formatter(lambda value, _place: chart.written(value))
        axes.locator_params(axis="y", nbins=5)
    _dress(figure, axes, chart, colours)
    return figure


def _short(place: str) -> str:
    """A bin's label where there is little room."""
    return place.replace(" and more", " +").replace(" to ", "–").replace("below ", "< ")


def _lines(axes: Any, chart: Chart, colours: Mapping[str, str]) -> None:
    for change in chart.changes:
        at = chart.places.index(change.place)
        axes.axvline(at - 0.5, color=colours["soft"], linewidth=0.8, linestyle=(0, (1, 2)))
        axes.text(at - 0.42, 0.98, change.text, transform=axes.get_xaxis_transform(), va="top", color=colours["soft"])
    for number, span in enumerate(chart.spans):
        at, name = chart.places.index(span.place), "" if number else chart.span_name
        axes.vlines(at, span.low, span.high, color=colours["estimated"], alpha=0.28, linewidth=7, label=name or None)
    for line in chart.series:
        if any(value is not None for value in line.values):
            look, colour = dict(LOOKS[line.look]), colours[line.look]
            filled = colours["paper"] if look.pop("hollow", False) else colour
            drawn = [float("nan") if value is None else value for value in line.values]
            axes.plot(drawn, color=colour, markerfacecolor=filled, markersize=4.5, linewidth=1.7, label=line.name, **look)


def _bars(axes: Any, chart: Chart, colours: Mapping[str, str]) -> None:
    width = 0.84 / max(len(chart.series), 1)
    for number, line in enumerate(chart.series):
        left = [place - 0.42 + width * number for place in range(len(line.values))]
        axes.bar(left, [value or 0.0 for value in line.values], width, align="edge", color=colours[line.look], label=line.name)


def _dress(figure: Figure, axes: Any, chart: Chart, colours: Mapping[str, str]) -> None:
    """Axes and legend in quiet colours; the second scale, where there is one."""
    for side, spine in axes.spines.items():
        spine.set_visible(side == "bottom")
        spine.set_color(colours["line"])
    axes.grid(axis="y", color=colours["line"], linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(length=0, labelcolor=colours["soft"])
    if chart.second:
        right = axes.secondary_yaxis("right", functions=(lambda auc: 2 * auc - 1, lambda gini: (gini + 1) / 2))
        right.patch.set_visible(False)
        right.set_ylabel(chart.second, color=colours["soft"])
        right.tick_params(length=0, labelcolor=colours["soft"])
        right.spines["right"].set_visible(False)
    handles, names = axes.get_legend_handles_labels()
    if names:
        order = sorted(
            range(len(names)), key=lambda at: names[at] == chart.span_name
        )  # what was measured before what was expected
        place: dict[str, Any] = {
            "loc": "upper left",
            "bbox_to_anchor": (0.0, 1.0),
            "ncols": 2,
            "frameon": False,
            "borderpad": 0.3,
        }
        shown = [handles[at] for at in order], [names[at] for at in order]
        figure.legend(*shown, labelcolor=colours["ink"], handlelength=2.2, columnspacing=1.2, labelspacing=0.25, **place)
