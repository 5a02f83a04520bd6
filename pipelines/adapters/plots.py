"""The pictures of a training run, by matplotlib's object interface, as PNG bytes.

Colours are those of Okabe and Ito (2008); models also differ by line style. Equal input gives equal bytes.
"""

from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter, NullLocator, PercentFormatter
from numpy.typing import NDArray

from models.evaluation import auc, brier
from models.influence import Bools, Floats, log_odds
from models.reference import counts, quantile_edges
from monitoring.drift import psi

INK, FAINT, GRID = "#1F2933", "#66727F", "#E4E7EB"
LINES = (("#0072B2", "-"), ("#D55E00", "--"), ("#009E73", "-."), ("#CC79A7", ":"))
DPI = 160
Scores = Mapping[str, Floats]
"""Probabilities (n,) by model name, the model in question first."""


def roc(bad: Bools, scores: Scores) -> bytes:
    """Share of bads caught against share of goods touched, for every cut-off."""
    figure, axes = canvas("Who is caught at what price", "Receiver operating characteristic")
    axes.plot([0, 1], [0, 1], color=FAINT, linewidth=1, linestyle=(0, (2, 3)))
    axes.text(0.72, 0.68, "chance", color=FAINT, fontsize=9, rotation=45, ha="center", va="center", rotation_mode="anchor")
    for (name, score), (colour, style) in zip(scores.items(), LINES, strict=False):
        caught, touched = _cumulated(bad, score)
        axes.plot(touched, caught, color=colour, linestyle=style, linewidth=2.2, label=f"{name}   AUC {auc(bad, score):.3f}")
    _percent(axes, "share of good accounts above the cut-off", "share of bad accounts above the cut-off")
    axes.set_aspect("equal")
    legend(axes, "lower right")
    return png(figure)


def gain(bad: Bools, scores: Scores) -> bytes:
    """Cumulative gain: how many of the bads are among the riskiest accounts. The lift is written at a tenth."""
    figure, axes = canvas("How few accounts hold how many of the bad ones", "Cumulative gain, riskiest accounts first")
    rate = float(np.mean(bad))
    axes.fill_between([0, rate, 1], [0, 1, 1], [0, 0, 1], color=GRID, alpha=0.45, linewidth=0)
    axes.text(rate + 0.015, 0.97, "nobody can do better", color=FAINT, fontsize=9, va="top")
    for (name, score), (colour, style) in zip(scores.items(), LINES, strict=False):
        caught, touched = _cumulated(bad, score)
        chosen = rate * caught + (1 - rate) * touched
        at_tenth = float(np.interp(0.1, chosen, caught))
        axes.plot(
            chosen, caught, color=colour, linestyle=style, linewidth=2.2, label=f"{name}   lift {at_tenth / 0.1:.1f} at 10 %"
        )
        axes.plot([0.1], [at_tenth], "o", color=colour, markersize=6)
    axes.axvline(0.1, color=FAINT, linewidth=1, linestyle=(0, (2, 3)), zorder=0)
    _percent(axes, "share of all accounts", "share of bad accounts among them")
    legend(axes, "lower right")
    return png(figure)


def calibration(bad: Bools, scores: Scores, bins: int = 10) -> bytes:
    """Reliability: actual bad rate against mean probability in bins of equal size, with Wilson's 95 % intervals.

    Both axes are log-odds, so that the many accounts of small probability are not one point in a corner.
    """
    figure, axes = canvas(
        "Is a predicted 20 % really 20 %?", f"Reliability in {bins} bins of equal size; bars are 95 % intervals"
    )
    ends: list[float] = []
    for number, ((name, score), (colour, _)) in enumerate(zip(scores.items(), LINES, strict=False)):
        predicted, *actual = _reliability(bad, score, bins)
        x, (y, low, high) = log_odds(predicted), (log_odds(rate) for rate in actual)
        label = f"{name}   Brier score {brier(bad, score):.4f}"
        axes.vlines(x, low, high, color=colour, linewidth=1.8, alpha=0.7)
        axes.plot(x, y, "os^D"[number] + "-", color=colour, markersize=7, markeredgecolor="white", linewidth=1.2, label=label)
        ends += [x.min(), x.max(), *(y[y > log_odds(np.array(0.0005))]), *high]
    reach = np.array([min(ends) - 0.4, max(ends) + 0.4])
    axes.plot(reach, reach, color=FAINT, linewidth=1, linestyle=(0, (2, 3)), zorder=0)
    for word, at, height in (("risk was said too low", 0.25, 0.55), ("risk was said too high", 0.75, 0.4)):
        axes.text(at, height, word, color=FAINT, fontsize=9, ha="center", transform=axes.transAxes)
    _odds_axis(axes, reach, "x")
    _odds_axis(axes, reach, "y")
    axes.set(xlabel="mean predicted probability (log-odds scale)", ylabel="actual bad rate (log-odds scale)")
    axes.set_aspect("equal")
    legend(axes, "upper left")
    return png(figure)


def stability(months: NDArray[Any], probability: Floats) -> bytes:
    """The score's distribution by cohort, oldest on top, on the log-odds scale, with its mean and PSI against the oldest."""
    names = [str(name) for name in np.unique(months)]
    figure, axes = canvas("Do the scores stay where they were?", "Distribution of the predicted probability by cohort", wide=True)
    odds, reference = log_odds(probability), probability[months == names[0]]
    edges = np.linspace(np.quantile(odds, 0.0005), np.quantile(odds, 0.9995), 61)
    binning = {"edges": quantile_edges(reference)}
    shares = {name: np.histogram(odds[months == name], edges)[0] / np.sum(months == name) for name in names}
    highest = max(values.max() for values in shares.values())
    for place, name in enumerate(reversed(names)):
        rows = months == name
        heights = place + 0.85 * shares[name] / highest
        axes.stairs(
            heights, edges, baseline=place, fill=True, color=LINES[0][0], alpha=0.8 if name == names[-1] else 0.4, linewidth=0
        )
        mean = float(np.mean(probability[rows]))
        axes.plot([log_odds(np.array(mean))] * 2, [place, place + 0.6], color=LINES[1][0], linewidth=2.2)
        moved = psi(counts(binning, reference), counts(binning, probability[rows]))
        note = f"mean {mean:.1%}" + (f"\nPSI {moved:.3f}" if name != names[0] else "\nreference")
        axes.text(1.01, place + 0.4, note, transform=axes.get_yaxis_transform(), fontsize=9.5, color=INK, va="center")
    axes.set_yticks(range(len(names)), list(reversed(names)))
    axes.set_ylim(-0.05, len(names))
    _odds_axis(axes, edges, "x")
    axes.grid(visible=False, axis="y")
    axes.set_xlabel("predicted probability (log-odds scale); the line is the mean")
    return png(figure)


def learning_curve(rows: Sequence[int], train: NDArray[np.float64], valid: NDArray[np.float64]) -> bytes:
    """AUC by training size: `train` and `valid` have shape (sizes, folds). The gap is variance, the level is bias."""
    figure, axes = canvas("Would more accounts help?", "AUC by training size; bands span the folds")
    for values, word, (colour, style) in ((train, "training rows", LINES[1]), (valid, "unseen accounts", LINES[0])):
        middle = values.mean(axis=1)
        axes.fill_between(rows, values.min(axis=1), values.max(axis=1), color=colour, alpha=0.15, linewidth=0)
        axes.plot(
            rows, middle, style, color=colour, marker="o", markersize=5, linewidth=2.2, label=f"{word}   {middle[-1]:.3f} at last"
        )
    axes.set_xscale("log")
    axes.set_xticks(list(rows), [f"{size:,}" for size in rows])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xlabel("training rows (log scale)")
    axes.set_ylabel("AUC")
    legend(axes, "best")
    return png(figure)


def _cumulated(bad: Bools, score: Floats) -> tuple[Floats, Floats]:
    """Shares of bads and of goods at or above each distinct score, highest first, from (0, 0) to (1, 1)."""
    distinct, level = np.unique(-score, return_inverse=True)
    bads = np.bincount(level[bad], minlength=len(distinct)).cumsum() / np.sum(bad)
    goods = np.bincount(level[~bad], minlength=len(distinct)).cumsum() / np.sum(~bad)
    return np.r_[0.0, bads], np.r_[0.0, goods]


def _reliability(bad: Bools, score: Floats, bins: int) -> tuple[Floats, Floats, Floats, Floats]:
    """Mean probability, bad rate, and its Wilson interval, each of shape (bins used,)."""
    place = np.searchsorted(np.unique(np.quantile(score, np.arange(1, bins) / bins)), score, side="right")
    size = np.bincount(place).astype(np.float64)
    used, size = size > 0, size[size > 0]
    predicted = np.bincount(place, weights=score)[used] / size
    actual = np.bincount(place, weights=bad)[used] / size
    z = 1.959964
    centre = (actual + z**2 / (2 * size)) / (1 + z**2 / size)
    reach = z * np.sqrt(actual * (1 - actual) / size + z**2 / (4 * size**2)) / (1 + z**2 / size)
    return predicted, actual, np.minimum(centre - reach, actual), np.maximum(centre + reach, actual)


def canvas(title: str, subtitle: str, *, wide: bool = False) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(8.2, 5.6) if wide else (6.6, 6.2), facecolor="white")
    axes = figure.subplots()
    # Fixed, because a layout that is searched for draws everything twice.
    figure.subplots_adjust(left=0.13, right=0.83 if wide else 0.95, top=0.86, bottom=0.11)
    axes.set_title(title, loc="left", fontsize=14, fontweight="bold", color=INK, pad=28)
    axes.annotate(subtitle, (0, 1), (0, 12), xycoords="axes fraction", textcoords="offset points", fontsize=10, color=FAINT)
    axes.grid(color=GRID, linewidth=0.9)
    axes.set_axisbelow(True)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color(GRID)
    axes.tick_params(length=0, pad=7, labelcolor=FAINT, labelsize=9.5)
    for axis in (axes.xaxis, axes.yaxis):
        axis.label.set(color=INK, fontsize=10)
    return figure, axes


def _percent(axes: Axes, x: str, y: str, reach: float = 1.0) -> None:
    axes.set(xlabel=x, ylabel=y, xlim=(0, reach), ylim=(0, reach))
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(PercentFormatter(1, decimals=0, symbol=" %"))


def _odds_axis(axes: Axes, reach: Floats, which: Literal["x", "y"]) -> None:
    """Write probabilities at their log-odds, between the ends of `reach`."""
    marks = np.array([0.001, 0.003, 0.01, 0.03, 0.1, 0.25, 0.5, 0.75, 0.9, 0.97, 0.99])
    kept = marks[(log_odds(marks) >= reach[0]) & (log_odds(marks) <= reach[-1])]
    axis = axes.xaxis if which == "x" else axes.yaxis
    axis.set_ticks(log_odds(kept).tolist(), [f"{100 * mark:g} %" for mark in kept])
    axes.set(**{f"{which}lim": (reach[0], reach[-1])})


def legend(axes: Axes, place: Literal["lower right", "upper left", "best"]) -> None:
    axes.legend(loc=place, frameon=True, framealpha=0.9, edgecolor="none", fontsize=10, labelcolor=INK, handlelength=2.6)


def png(figure: Figure) -> bytes:
    file = BytesIO()
    figure.savefig(file, format="png", dpi=DPI, metadata={"Software": None})
    return file.getvalue()
