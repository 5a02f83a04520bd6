"""The replay's pictures, by matplotlib. Colours are those of Okabe and Ito (2008); no meaning hangs on colour alone."""

from collections.abc import Callable, Sequence
from io import BytesIO
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch
from matplotlib.ticker import MultipleLocator, PercentFormatter

from models.clock import Month
from pipelines.replay_story import Event, Reading, ReplayMonth, ReplayResult, Score, differs, headline, points, reading, subline

CHAMPION, NEVER, BEST, ACTUAL = "#0072B2", "#D55E00", "#8A8A8A", "#1A1A1A"
INK, FAINT, GRID = "#1F2933", "#66727F", "#E4E7EB"
LEVELS = {  # face, ink, symbol
    "green": ("#D6F0E6", "#00664B", "✓"),
    "amber": ("#FCE9BF", "#7A5200", "!"),
    "red": ("#F9D3C3", "#8A2E00", "✕"),
    "held": ("#E3D7F0", "#4B2A7B", "‖"),
}
MARKS = {"promoted": "▲", "kept": "=", "refused": "✕", "held": "‖", "accepted": "✓"}
DPI = 160
FEW = 4  # up to so many months have room for a number at every point
MANY = 6  # from there on every second month is named


class End(NamedTuple):
    """Where a line ends, and what to write there."""

    x: float
    y: float
    colour: str
    word: str


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
    _timeline(figure.add_subplot(grid[1, :]), result)
    return _png(figure)


def drift(result: ReplayResult) -> bytes:
    """The largest PSI of each month, named, with what is commonly called slight and strong."""
    figure = Figure(figsize=(15, 3.1), facecolor="white")
    axes = figure.subplots()
    figure.subplots_adjust(left=0.05, right=0.985, top=0.84, bottom=0.14)
    _frame(axes, "Largest shift of an input (PSI against the champion's own reference)", result)
    known = [(place, month) for place, month in enumerate(result.months) if month.psi is not None]
    bars = axes.bar(
        [place for place, _ in known], [month.psi or 0.0 for _, month in known], width=0.5, color=CHAMPION, alpha=0.85
    )
    axes.bar_label(bars, [f"{month.psi_input}\n{month.psi:.2f}" for _, month in known], fontsize=9, color=INK, padding=3)
    for limit, word in ((0.10, "warn"), (0.25, "alarm")):
        axes.axhline(limit, color=NEVER, linestyle=(0, (4, 3)), linewidth=1)
        axes.annotate(word, (1, limit), xycoords=("axes fraction", "data"), ha="right", va="bottom", fontsize=9, color=NEVER)
    axes.set_ylim(0, max(0.32, 1.35 * max((month.psi or 0.0 for _, month in known), default=0.0)))
    return _png(figure)


def _discrimination(axes: Axes, result: ReplayResult) -> None:
    _frame(axes, "AUC: does it order accounts rightly?", result)
    _write_ends(axes, _models(axes, result, lambda model: model.auc))
    _write_missing(axes, result)
    _write_shift(axes, result)


def _brier(axes: Axes, result: ReplayResult) -> None:
    _frame(axes, "Brier score: lower is better", result)
    _write_ends(axes, _models(axes, result, lambda model: model.brier))


def _bad_rate(axes: Axes, result: ReplayResult) -> None:
    _frame(axes, "Bad rate: actual against predicted", result)
    axes.yaxis.set_major_locator(MultipleLocator(0.05))
    axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    coded = any(differs(month) for month in result.months)
    actual = _comparable if coded else reading
    ends = [
        _line(axes, result, actual, lambda found: found.bad_rate, ACTUAL, "comparable" if coded else "actual", marker="o"),
        _line(axes, result, reading, lambda found: found.champion.predicted, CHAMPION, "predicted" if coded else "champion"),
    ]
    if _parted(result):
        ends.append(_line(axes, result, reading, lambda f: f.never.predicted, NEVER, "never retr.", style="--", marker="^"))
    if coded:
        ends.append(_line(axes, result, _as_coded, lambda f: f.bad_rate, ACTUAL, "as coded", style=":", marker="o", hollow=True))
    axes.set_ylim(0, 1.12 * axes.get_ylim()[1])
    _write_ends(axes, ends)


def _models(axes: Axes, result: ReplayResult, of: Callable[[Score], float | None]) -> list[End | None]:
    """The champion's line, and the others where they say something else."""
    ends: list[End | None] = []
    if result.best_known():
        ends.append(
            _line(axes, result, reading, lambda f: of(f.best) if f.best else None, BEST, "best possible", style=":", marker="")
        )
    if _parted(result):
        ends.append(_line(axes, result, reading, lambda f: of(f.never), NEVER, "never retrained", style="--", marker="^"))
    if any(differs(month) for month in result.months):
        ends.append(
            _line(axes, result, _as_coded, lambda f: of(f.champion), CHAMPION, "as coded", style=":", marker="o", hollow=True)
        )
        ends.append(_line(axes, result, _comparable, lambda f: of(f.champion), CHAMPION, "comparable"))
    else:
        ends.append(_line(axes, result, reading, lambda f: of(f.champion), CHAMPION, "champion"))
    return ends


def _line(
    axes: Axes,
    result: ReplayResult,
    pick: Callable[[ReplayMonth], Reading | None],
    value: Callable[[Reading], float | None],
    colour: str,
    word: str,
    *,
    style: str = "-",
    marker: str = "s",
    hollow: bool = False,
) -> End | None:
    """Draw one line; None if there is nothing to draw."""
    found = [(place, pick(month)) for place, month in enumerate(result.months)]
    drawn = [(place, value(one)) for place, one in found if one is not None]
    known = [(float(place), y) for place, y in drawn if y is not None]
    if not known:
        return None
    xs, ys = zip(*known, strict=True)
    face = "white" if hollow else colour
    axes.plot(xs, ys, color=colour, linestyle=style, marker=marker, markersize=6.5, linewidth=2.3, markerfacecolor=face)
    if len(result.months) <= FEW:
        _write_numbers(axes, known[1:-1], colour, above=hollow)
    return End(xs[-1], ys[-1], colour, word)


def _write_numbers(axes: Axes, known: Sequence[tuple[float, float]], colour: str, *, above: bool) -> None:
    """A number at every point but the first, which all lines share, and the last, which has one in its name."""
    axes.margins(y=0.16)
    offset, side = ((9, 3), "left") if above else ((0, -15), "center")
    for x, y in known:
        axes.annotate(_number(axes, y), (x, y), xytext=offset, textcoords="offset points", color=colour, fontsize=9.5, ha=side)


def _number(axes: Axes, value: float) -> str:
    """As the axis writes it: a rate in percent, anything else to three places."""
    return f"{value:.1%}" if isinstance(axes.yaxis.get_major_formatter(), PercentFormatter) else points(value)


def _write_ends(axes: Axes, ends: Sequence[End | None]) -> None:
    """Write each line's name, and its last value where there is room, beside its end."""
    low, high = axes.get_ylim()
    known = sorted((end for end in ends if end), key=lambda end: (end.x, end.y))
    for x in dict.fromkeys(end.x for end in known):
        group = [end for end in known if end.x == x]
        for end, place in zip(group, _spread([end.y for end in group], 0.07 * (high - low)), strict=True):
            axes.annotate(
                f"{end.word} {_number(axes, end.y)}",
                (end.x, place),
                xytext=(10, 0),
                textcoords="offset points",
                color=end.colour,
                fontsize=9.5,
                va="center",
                fontweight="bold",
                annotation_clip=False,
            )


def _spread(heights: Sequence[float], gap: float) -> list[float]:
    """Sorted heights moved apart to at least `gap`, each crowd around its own middle."""
    crowds: list[list[float]] = []
    for height in heights:
        crowds.append([height])
        while len(crowds) > 1 and _bottom(crowds[-1], gap) - _top(crowds[-2], gap) < gap:
            last = crowds.pop()
            crowds[-1] += last
    return [_bottom(crowd, gap) + gap * number for crowd in crowds for number in range(len(crowd))]


def _bottom(crowd: Sequence[float], gap: float) -> float:
    return sum(crowd) / len(crowd) - gap * (len(crowd) - 1) / 2


def _top(crowd: Sequence[float], gap: float) -> float:
    return _bottom(crowd, gap) + gap * (len(crowd) - 1)


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
    for event in _promotions(result):
        place = names.index(event.on[:7]) + 0.5
        axes.text(place, axes.get_ylim()[0], f" {event.version}", fontsize=9, color=CHAMPION, va="bottom", fontweight="bold")


def _frame(axes: Axes, title: str, result: ReplayResult) -> None:
    axes.set_title(title, loc="left", fontsize=12, color=INK, fontweight="bold", pad=10)
    axes.grid(axis="y", color=GRID)
    axes.set_axisbelow(True)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(GRID)
    axes.tick_params(length=0, labelcolor=FAINT, labelsize=9.5)
    names = [_short(month.month) for month in result.months]
    every = 1 if len(names) <= MANY else 2
    axes.set_xticks(range(0, len(names), every), names[::every])
    axes.set_xlim(-0.4, (len(names) - 1) * 1.55 + 0.4)
    _mark_shift(axes, result)


def _mark_shift(axes: Axes, result: ReplayResult) -> None:
    """Shade the months in which the relation was shifted, and draw a line where a model was promoted."""
    names = [month.month for month in result.months]
    if result.shifted_from in names:
        axes.axvspan(names.index(result.shifted_from) - 0.5, len(names) - 0.5, color="#F4F1EA", zorder=0)
    for event in _promotions(result):
        axes.axvline(names.index(event.on[:7]) + 0.5, color=CHAMPION, linewidth=1, alpha=0.5, linestyle=(0, (2, 2)))


def _promotions(result: ReplayResult) -> list[Event]:
    """Those of later models that scored a month of the replay."""
    followed = {month.month for month in result.months[:-1]}
    first = result.months[0].version
    return [event for event in result.events if event.kind == "promoted" and event.on[:7] in followed and event.version != first]


def _timeline(axes: Axes, result: ReplayResult) -> None:
    """A column per month: the verdict in words and colour, the model that scored, and what happened at the month's end."""
    axes.axis("off")
    calendar = sorted({month.month for month in result.months} | {event.on[:7] for event in result.events})
    months = {month.month: month for month in result.months}
    margin = 0.105 * len(calendar)  # room for the row names
    axes.set_xlim(-0.5 - margin, len(calendar) - 0.45)
    axes.set_ylim(0, 4)
    for word, y in (("its verdict", 3.05), ("scored by", 2.25), ("at its end", 1.6)):
        axes.text(-0.5 - margin, y, word, fontsize=10, color=FAINT, va="center")
    for place, name in enumerate(calendar):
        axes.text(
            place, 3.8, _short(name).replace("\n", " "), ha="center", va="center", fontsize=10, color=INK, fontweight="bold"
        )
        _cell(axes, place, months.get(name))
        events = [event for event in result.events if event.on[:7] == name]
        for lane, event in enumerate(events):
            shift = (lane - (len(events) - 1) / 2) * 0.3
            axes.text(place + shift, 1.8, _happened(event), ha="center", va="top", fontsize=9.5, color=INK, linespacing=1.35)


def _cell(axes: Axes, place: int, month: ReplayMonth | None) -> None:
    if month is None:
        axes.text(place, 3.05, "no accounts", ha="center", va="center", fontsize=9.5, color=FAINT)
        return
    face, ink, symbol = LEVELS.get(month.level, ("#EEEEEE", INK, "?"))
    axes.add_patch(
        FancyBboxPatch(
            (place - 0.4, 2.78), 0.8, 0.55, boxstyle="round,pad=0,rounding_size=0.08", facecolor=face, edgecolor="none"
        )
    )
    axes.text(place, 3.05, f"{symbol} {month.level}", ha="center", va="center", fontsize=10, color=ink, fontweight="bold")
    axes.text(place, 2.25, f"model {month.version}", ha="center", va="center", fontsize=10, color=INK)


def _happened(event: Event) -> str:
    words = {
        "promoted": f"model {event.version}\npromoted",
        "held": "retraining\nheld",
        "kept": "champion\nkept",
        "refused": "challenger\nrefused",
        "accepted": "definition\naccepted",
    }
    return f"{MARKS[event.kind]} {words.get(event.kind, event.kind)}"


def _parted(result: ReplayResult) -> bool:
    """Whether the champion and the never-retrained model are ever two models."""
    return len({month.version for month in result.months}) > 1


def _as_coded(month: ReplayMonth) -> Reading | None:
    return month.coded


def _comparable(month: ReplayMonth) -> Reading | None:
    return month.comparable


def _short(name: str) -> str:
    month = Month.parse(name)
    return f"{month.first_day:%b}\n{month.year}" if month.number == 1 else f"{month.first_day:%b}"


def _png(figure: Figure) -> bytes:
    file = BytesIO()
    figure.savefig(file, format="png", dpi=DPI)
    return file.getvalue()
