"""The lower half of a replay's picture: a column per month with its verdict, its model, and what happened at its end."""

from matplotlib.axes import Axes
from matplotlib.patches import FancyBboxPatch

from pipelines.adapters.replay_frame import FAINT, INK, short
from pipelines.replay.story import Event, ReplayMonth, ReplayResult

LEVELS = {  # face, ink, symbol
    "green": ("#D6F0E6", "#00664B", "✓"),
    "amber": ("#FCE9BF", "#7A5200", "!"),
    "red": ("#F9D3C3", "#8A2E00", "✕"),
    "held": ("#E3D7F0", "#4B2A7B", "‖"),
}
MARKS = {"promoted": "▲", "kept": "=", "refused": "✕", "held": "‖", "accepted": "✓"}


def timeline(axes: Axes, result: ReplayResult) -> None:
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
        axes.text(place, 3.8, short(name).replace("\n", " "), ha="center", va="center", fontsize=10, color=INK, fontweight="bold")
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
