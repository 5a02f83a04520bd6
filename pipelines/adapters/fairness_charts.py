"""The pictures of a fairness report, by matplotlib's object interface, as PNG bytes. Equal reports give equal bytes."""

from collections.abc import Sequence
from io import BytesIO

from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.layout_engine import ConstrainedLayoutEngine

from models.governance.fairness.alternatives import CHAMPION
from models.governance.fairness.figures import CROSSED, Figure, Kind, bounds
from models.governance.fairness.report import FairnessReport
from models.policy import FairnessLimits
from pipelines.adapters.plots import DPI, FAINT, GRID, INK

GROUP, OTHER, LIMIT = "#0072B2", "#D55E00", "#CC79A7"  # Okabe and Ito (2008)
STRONGEST = 12


def draw(report: FairnessReport) -> dict[str, bytes]:
    """PNG by name: impact ratios, calibration by group, proxies, alternatives."""
    single = [figure for figure in report.figures if not figure.shortfall and CROSSED not in figure.column]
    sample = single[0].sample if single else ""
    groups = [figure for figure in single if figure.sample == sample]
    return {
        "impact_ratio": _forest(
            [figure for figure in groups if figure.kind is Kind.IMPACT_RATIO],
            report.limits,
            "Who is favoured as often as the reference group?",
            "adverse impact ratio of the favourable decision",
        ),
        "calibration": _forest(
            [figure for figure in groups if figure.kind is Kind.CALIBRATION_RATIO],
            report.limits,
            "Is the risk of each group said right?",
            "predicted over observed bad rate; above 1: thought riskier",
        ),
        "proxies": _forest(
            sorted((f for f in single if f.kind is Kind.PROXY_AUC), key=lambda f: -f.estimate.value)[:STRONGEST],
            report.limits,
            "What tells the group?",
            "AUC of one group against the rest; .5 is chance",
        ),
        "alternatives": _frontier(report),
    }


def _forest(figures: Sequence[Figure], limits: FairnessLimits, title: str, meaning: str) -> bytes:
    """One line a group with its interval, and the limits of every jurisdiction."""
    canvas, axes = _canvas(
        title, "bars are confidence intervals, dashed lines limits by jurisdiction", 1.6 + 0.34 * max(len(figures), 3)
    )
    for place, figure in enumerate(reversed(figures)):
        found = figure.estimate
        axes.plot([found.low, found.high], [place, place], color=GROUP, linewidth=2.2)
        axes.plot([found.value], [place], "o", color=GROUP, markersize=7, markeredgecolor="white")
    names = [f"{figure.column} {figure.group}" for figure in reversed(figures)]
    axes.set_yticks(range(len(figures)), names)
    for end, names in _ends(figures, limits).items():
        axes.axvline(end, color=LIMIT, linewidth=1.2, linestyle=(0, (4, 3)), zorder=1)
        axes.annotate(
            ", ".join(names),
            (end, 0),
            (3, 3),
            xycoords=("data", "axes fraction"),
            textcoords="offset points",
            fontsize=8,
            color=FAINT,
        )
    axes.set_xlabel(meaning)
    axes.margins(y=0.08)
    return _png(canvas)


def _ends(figures: Sequence[Figure], limits: FairnessLimits) -> dict[float, list[str]]:
    """The limits within reach of the figures, and whose they are."""
    found: dict[float, list[str]] = {}
    reach = max((figure.estimate.high for figure in figures), default=0.0)
    for name, each in limits.jurisdictions.items():
        for end in bounds(each, figures[0].kind) if figures else ():
            if 0 < end <= max(1.5, reach):
                found.setdefault(end, []).append(name)
    return found


def _frontier(report: FairnessReport) -> bytes:
    """AUC against the worst impact ratio, on development rows out of fold."""
    canvas, axes = _canvas(
        "Is there a fairer model that is as good?",
        "what was tried anyway, on development rows out of fold; named are those that no other beats in both",
        5.2,
    )
    points = report.frontier.points
    efficient = sorted((point for point in points if point.efficient), key=lambda point: point.auc)
    axes.plot([p.auc for p in efficient], [p.impact_ratio for p in efficient], color=FAINT, linewidth=1.2, zorder=1)
    for point in points:
        own = point.name == CHAMPION
        axes.plot(
            [point.auc], [point.impact_ratio], "D" if own else "o", color=OTHER if own else GROUP, markersize=9 if own else 6
        )
        if own or point.efficient:
            axes.annotate(point.name, (point.auc, point.impact_ratio), (8, 4), textcoords="offset points", fontsize=8, color=INK)
    chosen = report.frontier.point(report.frontier.chosen)
    axes.plot([chosen.auc], [chosen.impact_ratio], "o", markersize=17, markerfacecolor="none", markeredgecolor=OTHER)
    axes.set(xlabel="AUC", ylabel="worst adverse impact ratio; the ring is the choice")
    axes.margins(0.15)
    return _png(canvas)


def _canvas(title: str, subtitle: str, height: float) -> tuple[Canvas, Axes]:
    canvas = Canvas(figsize=(8.2, height), layout=ConstrainedLayoutEngine(w_pad=0.15, h_pad=0.12), facecolor="white")
    axes = canvas.subplots()
    axes.set_title(title, loc="left", fontsize=14, fontweight="bold", color=INK, pad=28)
    axes.annotate(subtitle, (0, 1), (0, 12), xycoords="axes fraction", textcoords="offset points", fontsize=10, color=FAINT)
    axes.grid(color=GRID, linewidth=0.9)
    axes.set_axisbelow(True)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color(GRID)
    axes.tick_params(length=0, pad=7, labelcolor=FAINT, labelsize=9.5)
    return canvas, axes


def _png(canvas: Canvas) -> bytes:
    file = BytesIO()
    canvas.savefig(file, format="png", dpi=DPI, metadata={"Software": None})
    return file.getvalue()
