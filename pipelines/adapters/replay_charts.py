"""The replay's pictures, by matplotlib: which lines each panel has. How they are drawn is in the modules imported here."""

from collections.abc import Callable

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MultipleLocator, PercentFormatter

from pipelines.adapters.replay_frame import ACTUAL, BEST, CHAMPION, FAINT, INK, NEVER, frame, png, promotions
from pipelines.adapters.replay_lines import End, line, write_ends
from pipelines.adapters.replay_timeline import timeline
from pipelines.replay.story import Reading, ReplayMonth, ReplayResult, Score, differs, headline, reading, subline


def overview(result: ReplayResult, *, titled: bool = True) -> bytes:
    """The whole replay in one wide picture: AUC, Brier score and bad rate by month, and below what happened."""
    height = 7.2 if titled else 6.4
    figure = Figure(figsize=(15, height), facecolor="white")
    if titled:
        head, under = headline(result), f"{result.title}. {subline(result)}"
        figure.text(0.02, 0.95, head, fontsize=min(19, 1690 / len(head)), fontweight="bold", color=INK, va="center")
        figure.text(0.02, 0.9, under, fontsize=min(12.5, 1900 / len(under)), color=FAINT, va="center")
    grid = figure.add_gridspec(2, 3, width_ratios=(1.3, 1, 1.06), height_ratios=(1, 0.38), left=0.045, right=0.99, wspace=0.17)
    grid.update(top=1 - (1.3 if titled else 0.5) / height, bottom=0.01, hspace=0.26)
    _discrimination(figure.add_subplot(grid[0, 0]), result)
    _brier(figure.add_subplot(grid[0, 1]), result)
    _bad_rate(figure.add_subplot(grid[0, 2]), result)
    timeline(figure.add_subplot(grid[1, :]), result)
    return png(figure)


def drift(result: ReplayResult) -> bytes:
    """The largest PSI of each month, named, with what is commonly called slight and strong."""
    figure = Figure(figsize=(15, 3.1), facecolor="white")
    axes = figure.subplots()
    figure.subplots_adjust(left=0.05, right=0.985, top=0.84, bottom=0.14)
    frame(axes, "Largest shift of an input (PSI against the champion's own reference)", result)
    known = [(place, month) for place, month in enumerate(result.months) if month.psi is not None]
    bars = axes.bar(
        [place for place, _ in known], [month.psi or 0.0 for _, month in known], width=0.5, color=CHAMPION, alpha=0.85
    )
    axes.bar_label(bars, [f"{month.psi_input}\n{month.psi:.2f}" for _, month in known], fontsize=9, color=INK, padding=3)
    for limit, word in ((0.10, "warn"), (0.25, "alarm")):
        axes.axhline(limit, color=NEVER, linestyle=(0, (4, 3)), linewidth=1)
        axes.annotate(word, (1, limit), xycoords=("axes fraction", "data"), ha="right", va="bottom", fontsize=9, color=NEVER)
    axes.set_ylim(0, max(0.32, 1.35 * max((month.psi or 0.0 for _, month in known), default=0.0)))
    return png(figure)


def _discrimination(axes: Axes, result: ReplayResult) -> None:
    frame(axes, "AUC: does it order accounts rightly?", result)
    write_ends(axes, _models(axes, result, lambda model: model.auc))
    _write_missing(axes, result)
    _write_shift(axes, result)


def _brier(axes: Axes, result: ReplayResult) -> None:
    frame(axes, "Brier score: lower is better", result)
    write_ends(axes, _models(axes, result, lambda model: model.brier))


def _bad_rate(axes: Axes, result: ReplayResult) -> None:
    frame(axes, "Bad rate: actual against predicted", result)
    axes.yaxis.set_major_locator(MultipleLocator(0.05))
    axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    coded = any(differs(month) for month in result.months)
    actual = _comparable if coded else reading
    ends = [
        line(axes, result, actual, lambda found: found.bad_rate, ACTUAL, "comparable" if coded else "actual", marker="o"),
        line(axes, result, reading, lambda found: found.champion.predicted, CHAMPION, "predicted" if coded else "champion"),
    ]
    if _parted(result):
        ends.append(line(axes, result, reading, lambda f: f.never.predicted, NEVER, "never retr.", style="--", marker="^"))
    if coded:
        ends.append(line(axes, result, _as_coded, lambda f: f.bad_rate, ACTUAL, "as coded", style=":", marker="o", hollow=True))
    axes.set_ylim(0, 1.12 * axes.get_ylim()[1])
    write_ends(axes, ends)


def _models(axes: Axes, result: ReplayResult, of: Callable[[Score], float | None]) -> list[End | None]:
    """The champion's line, and the others where they say something else."""
    ends: list[End | None] = []
    if result.best_known():
        ends.append(
            line(axes, result, reading, lambda f: of(f.best) if f.best else None, BEST, "best possible", style=":", marker="")
        )
    if _parted(result):
        ends.append(line(axes, result, reading, lambda f: of(f.never), NEVER, "never retrained", style="--", marker="^"))
    if any(differs(month) for month in result.months):
        ends.append(
            line(axes, result, _as_coded, lambda f: of(f.champion), CHAMPION, "as coded", style=":", marker="o", hollow=True)
        )
        ends.append(line(axes, result, _comparable, lambda f: of(f.champion), CHAMPION, "comparable"))
    else:
        ends.append(line(axes, result, reading, lambda f: of(f.champion), CHAMPION, "champion"))
    return ends


def _write_missing(axes: Axes, result: ReplayResult) -> None:
    """Where months are read in two ways, say which one can be read in one way only."""
    if not any(differs(month) for month in result.months):
        return
    for place, month in enumerate(result.months):
        if month.coded and not month.comparable:
            text = f"definition {month.coded.definition}:\nnothing to compare with"
            axes.annotate(text, (place, axes.get_ylim()[1]), ha="center", va="top", fontsize=9, color=FAINT, style="italic")


def _write_shift(axes: Axes, result: ReplayResult) -> None:
    """Say what the shade and the dashed lines are, once."""
    names = [month.month for month in result.months]
    if result.shifted_from in names:
        low, high = axes.get_ylim()
        axes.set_ylim(low, high + 0.08 * (high - low))
        axes.text(names.index(result.shifted_from) - 0.4, high + 0.03 * (high - low), "relation shifted", fontsize=9, color=FAINT)
    for event in promotions(result):
        place = names.index(event.on[:7]) + 0.5
        axes.text(place, axes.get_ylim()[0], f" {event.version}", fontsize=9, color=CHAMPION, va="bottom", fontweight="bold")


def _parted(result: ReplayResult) -> bool:
    """Whether the champion and the never-retrained model are ever two models."""
    return len({month.version for month in result.months}) > 1


def _as_coded(month: ReplayMonth) -> Reading | None:
    return month.coded


def _comparable(month: ReplayMonth) -> Reading | None:
    return month.comparable
