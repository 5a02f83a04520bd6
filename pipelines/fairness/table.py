"""A fairness report as lines of text, for a terminal and for a page."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from models.governance.fairness.figures import CROSSED, Figure, Kind, Verdict, worst
from models.governance.fairness.report import FairnessReport

WIDTHS = (26, 9, 10, 25, 9, 8, 9, 9, 9, 13)
HEADS = ("group", "accounts", "favoured", "impact ratio", "Fisher p", "SMD", "TPR gap", "FPR gap", "pred/obs", "verdict")
WORST = 5


def lines(report: FairnessReport) -> list[str]:
    """Groups as judged and as served, the lowest crossings, the strongest proxies, alternatives, verdict by gate."""
    found = [report.sentence, _reading(report)]
    for name in dict.fromkeys(row["sample"] for row in report.groups):
        found += ["", f"{name}; intervals of {report.confidence:.0%}", _columns(HEADS)]
        found += [_row(report, row) for row in report.groups if row["sample"] == name]
    found += ["", f"lowest of {len(_crossed(report))} crossings of two columns"]
    found += _first(_crossed(report), lambda figure: figure.estimate.value)
    found += ["", "strongest proxies"]
    found += _first(_of(report, Kind.PROXY_AUC), lambda figure: -figure.estimate.value)
    found += ["", "alternatives that were tried", _columns(("candidate", "AUC", "worst ratio", "gain in ratio"))]
    for point in report.frontier.points:
        gain = f"{point.impact_gain.value:+.3f} ({point.impact_gain.low:+.3f} to {point.impact_gain.high:+.3f})"
        found.append(
            _columns((point.name, f"{point.auc:.4f}", f"{point.impact_ratio:.3f}", gain, "*" if point.efficient else ""))
        )
    found += ["* no other is as good in both", report.frontier.reason, report.confirmation.sentence, "", *_gates(report)]
    return found


def _reading(report: FairnessReport) -> str:
    limits = report.limits
    chosen = {"largest": "is the largest", "highest_rate": "has the highest favourable rate"}[limits.reference]
    return (
        f"Favourable is {' or '.join(limits.favourable)}; {limits.review_counts}. The reference group {chosen} of those with"
        f" {limits.minimum_cell:,} accounts and {limits.reference_share:.0%} of all. {report.other_reading}"
    )


def _row(report: FairnessReport, row: dict[str, Any] | Any) -> str:
    """One group: its figures as they stand, and the worst ruling on them anywhere."""
    mine = {
        figure.kind: figure
        for figure in report.figures
        if (figure.sample, figure.column, figure.group) == (row["sample"], row["column"], row["group"])
    }
    ruled = [ruling for ruling in report.rulings if ruling.figure in mine.values()]
    rate = f"{row['favourable_rate']:.1%}" if "favourable_rate" in row else "-"
    impact = mine.get(Kind.IMPACT_RATIO)
    fisher = f"{impact.p_value:.1e}" if impact and impact.p_value is not None else ""
    cells = [
        f"{row['column']} {row['group']}",
        f"{row['accounts']:,}",
        rate,
        "reference" if row["reference"] else _interval(impact),
        fisher,
        *(_value(mine.get(kind)) for kind in (Kind.SCORE_DIFFERENCE, Kind.TRUE_POSITIVE_GAP, Kind.FALSE_POSITIVE_GAP)),
        _value(mine.get(Kind.CALIBRATION_RATIO)),
        worst(ruled) if ruled else "",
    ]
    return _columns(cells)


def _gates(report: FairnessReport) -> list[str]:
    found = ["verdict by gate; anything but within is held for a person"]
    for gate, verdict in report.gates().items():
        rulings = [ruling for ruling in report.rulings if ruling.gate == gate]
        counts = ", ".join(f"{sum(r.verdict is each for r in rulings)} {each}" for each in Verdict)
        where = sorted({r.jurisdiction for r in rulings if r.verdict is verdict})
        found.append(f"  {gate:30} {verdict:13} {counts}; {verdict} in {', '.join(where)}")
    return found


def _crossed(report: FairnessReport) -> list[Figure]:
    return [figure for figure in _of(report, Kind.IMPACT_RATIO) if CROSSED in figure.column]


def _of(report: FairnessReport, kind: Kind) -> list[Figure]:
    return [figure for figure in report.figures if figure.kind is kind]


def _first(figures: Iterable[Figure], order: Callable[[Figure], float]) -> list[str]:
    given = sorted((figure for figure in figures if not figure.shortfall), key=order)
    return [f"  {figure.sentence}" for figure in given[:WORST]]


def _interval(figure: Figure | None) -> str:
    if figure is None or figure.shortfall:
        return "insufficient"
    return f"{figure.estimate.value:.3f} ({figure.estimate.low:.3f} to {figure.estimate.high:.3f})"


def _value(figure: Figure | None) -> str:
    if figure is None:
        return ""
    return "-" if figure.shortfall else f"{figure.estimate.value:.3f}"


def _columns(cells: Sequence[str]) -> str:
    return "  " + " ".join(f"{cell:<{width}}" for cell, width in zip(cells, WIDTHS, strict=False)).rstrip()
