"""Pictures of the policy at work: what each action costs at each probability, and how sure a score is."""

import numpy as np

from models.governance.doubt.coverage import Coverage
from models.governance.doubt.uncertainty import Intervals
from models.policy import CutOffs
from pipelines.adapters.plots import FAINT, GRID, INK, LINES, canvas, legend, png
from pipelines.cost_curve import CostCurve


def expected_cost(curve: CostCurve) -> bytes:
    """Expected cost by account of each action, the cheapest of them, and what was realised out of time beside it."""
    figure, axes = canvas("Where does the next action become cheaper?", "Expected cost of an account by action", wide=True)
    figure.subplots_adjust(right=0.96)
    scale = 1_000.0
    for (action, costs), (colour, style) in zip(curve.by_action.items(), LINES, strict=False):
        axes.plot(curve.probability, np.array(costs) / scale, color=colour, linestyle=style, linewidth=1.6, label=action)
    axes.plot(curve.probability, np.array(curve.policy) / scale, color=INK, linewidth=4, alpha=0.25, label="the policy's choice")
    at = [each.probability for each in curve.bins]
    realised, error = (np.array([getattr(each, name) for each in curve.bins]) / scale for name in ("realised", "error"))
    axes.errorbar(at, realised, 1.96 * error, fmt="o", color=INK, markersize=5, label="realised out of time (95 %)")
    top = max(max(costs) for costs in curve.by_action.values()) / scale
    for cut, name in ((curve.cut_offs.review, "review"), (curve.cut_offs.reduce, "reduce")):
        axes.axvline(cut, color=FAINT, linewidth=1.2)
        axes.text(cut + 0.006, 0.985 * top, f"{name}\n{cut:.3f}", color=FAINT, fontsize=9, va="top")
    axes.axvspan(curve.band.review, curve.band.reduce, color=GRID, alpha=0.6, linewidth=0, zorder=0)
    axes.text((curve.band.review + curve.band.reduce) / 2, 0.01 * top, "sent to a person", color=FAINT, fontsize=9, ha="center")
    axes.set(xlim=(0, 1), ylim=(0, 1.02 * top), xlabel="probability", ylabel=f"cost, thousand {curve.cost.currency} an account")
    legend(axes, "best")
    return png(figure)


def doubt(intervals: Intervals, own: CutOffs, band: CutOffs, later: Coverage) -> bytes:
    """p0 and p1 by score, the cut-offs, the review range that follows, and observed bad rates of the month after."""
    figure, axes = canvas("How sure is a score?", "Venn-Abers interval by score; dots are the month after, by band of score")
    reach = min(1.0, 1.6 * band.reduce)
    grid = np.linspace(0, reach, 2_001)
    p0, p1 = intervals.of(grid)
    axes.fill_between(grid, p0, p1, step="mid", color=LINES[0][0], alpha=0.35, linewidth=0, label="p0 to p1")
    axes.plot(grid, grid, color=FAINT, linewidth=1, linestyle=(0, (2, 3)))
    axes.axvspan(band.review, band.reduce, color=GRID, alpha=0.6, linewidth=0, zorder=0, label="sent to a person")
    for cut in (own.review, own.reduce):
        axes.axvline(cut, color=LINES[1][0], linewidth=1.2)
        axes.axhline(cut, color=LINES[1][0], linewidth=1.2)
    shown = [each for each in later.bands[1:] if each.score <= reach]
    rates, errors = [each.bad_rate for each in shown], [1.96 * each.error for each in shown]
    axes.errorbar([each.score for each in shown], rates, errors, fmt="o", color=INK, markersize=5, label="observed later (95 %)")
    axes.set(xlim=(0, reach), ylim=(0, reach), xlabel="score", ylabel="probability of a bad outcome")
    axes.set_aspect("equal")
    legend(axes, "upper left")
    return png(figure)
