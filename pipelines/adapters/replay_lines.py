"""The lines of a replay's pictures: one value by month, its numbers where there is room, and its name at its end."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter

from pipelines.replay.story import Reading, ReplayMonth, ReplayResult, points

FEW = 4  # up to so many months have room for a number at every point


class End(NamedTuple):
    """Where a line ends, and what to write there."""

    x: float
    y: float
    colour: str
    word: str


def line(
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


def write_ends(axes: Axes, ends: Sequence[End | None]) -> None:
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


def _number(axes: Axes, value: float) -> str:
    """As the axis writes it: a rate in percent, anything else to three places."""
    return f"{value:.1%}" if isinstance(axes.yaxis.get_major_formatter(), PercentFormatter) else points(value)


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
