"""What all pictures of a replay share: colours, the axis of months, where a model was promoted, and the file they become.

Colours are those of Okabe and Ito (2008); no meaning hangs on colour alone.
"""

from io import BytesIO

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from models.clock import Month
from pipelines.replay.story import Event, ReplayResult

CHAMPION, NEVER, BEST, ACTUAL = "#0072B2", "#D55E00", "#8A8A8A", "#1A1A1A"
INK, FAINT, GRID = "#1F2933", "#66727F", "#E4E7EB"
DPI = 160
MANY = 6  # from so many months on every second one is named


def frame(axes: Axes, title: str, result: ReplayResult) -> None:
    """A panel's title and axis of months, with room on the right for the names of its lines."""
    axes.set_title(title, loc="left", fontsize=12, color=INK, fontweight="bold", pad=10)
    axes.grid(axis="y", color=GRID)
    axes.set_axisbelow(True)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(GRID)
    axes.tick_params(length=0, labelcolor=FAINT, labelsize=9.5)
    names = [short(month.month) for month in result.months]
    every = 1 if len(names) <= MANY else 2
    axes.set_xticks(range(0, len(names), every), names[::every])
    axes.set_xlim(-0.4, (len(names) - 1) * 1.55 + 0.4)
    _mark_shift(axes, result)


def _mark_shift(axes: Axes, result: ReplayResult) -> None:
    """Shade the months in which the relation was shifted, and draw a line where a model was promoted."""
    names = [month.month for month in result.months]
    if result.shifted_from in names:
        axes.axvspan(names.index(result.shifted_from) - 0.5, len(names) - 0.5, color="#F4F1EA", zorder=0)
    for event in promotions(result):
        axes.axvline(names.index(event.on[:7]) + 0.5, color=CHAMPION, linewidth=1, alpha=0.5, linestyle=(0, (2, 2)))


def promotions(result: ReplayResult) -> list[Event]:
    """Those of later models that scored a month of the replay."""
    followed = {month.month for month in result.months[:-1]}
    first = result.months[0].version
    return [event for event in result.events if event.kind == "promoted" and event.on[:7] in followed and event.version != first]


def short(name: str) -> str:
    """`2005-08` as Aug, a January with its year."""
    month = Month.parse(name)
    return f"{month.first_day:%b}\n{month.year}" if month.number == 1 else f"{month.first_day:%b}"


def png(figure: Figure) -> bytes:
    file = BytesIO()
    figure.savefig(file, format="png", dpi=DPI)
    return file.getvalue()
