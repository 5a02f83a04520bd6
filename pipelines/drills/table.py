"""What the drills came to, as a table for people: docs/drills.md, between its two marks."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

from models.errors import NotFound
from pipelines.drills.catalogue import ACCOUNTS
from pipelines.drills.noticing import Lived, Notice
from pipelines.drills.quiet import Quiet

BEGIN, END = "<!-- drilled -->", "<!-- /drilled -->"
LONGEST = 170  # characters of a sentence


def table(lived: Sequence[Lived], quiet: Quiet | None, *, on: datetime, commit: str, seconds: float) -> Iterator[str]:
    changed = " with local changes" if commit.endswith("-dirty") else ""
    protocol = f"{ACCOUNTS:,} accounts a month, {seconds / 60:.0f} minutes in all"
    yield f"Run on {on:%Y-%m-%d}, commit {commit[:12] or 'unknown'}{changed}; {protocol}.\n"
    yield "| drill | what happens | target | noticed | by | which said | also by |"
    yield "|---|---|---|---|---|---|---|"
    yield from map(_row, lived)
    if quiet:
        yield ""
        yield from told(quiet)


def told(quiet: Quiet) -> Iterator[str]:
    """What the quiet windows came to."""
    rate = f"{quiet.paged} of {quiet.windows} quiet windows called somebody"
    yield f"**{rate}: by the exact 95 % bound (Clopper and Pearson) at most {100 * quiet.bound:.1f} % do.**"
    kinds = sorted({kind for window in quiet.warnings for kind in window})
    why = f" ({', '.join(kinds)})" if kinds else ""
    yield f"{quiet.warned} windows had a warning{why}, which nobody is woken by; {quiet.holds} held retraining."
    if quiet.paged:
        yield f"Called by: {', '.join(sorted({kind for window in quiet.pages for kind in window}))}."


def write(path: Path, lines: Sequence[str]) -> str:
    """The file with the table in it. Raises `NotFound` if its marks are not there."""
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    head, begin, rest = text.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not (begin and end):
        raise NotFound(f"{path} has no place for the table", hint=f"put {BEGIN} and {END} where it belongs")
    return f"{head}{BEGIN}\n{chr(10).join(lines)}\n{END}{tail}"


def _row(one: Lived) -> str:
    first = one.first
    said = (first.by, _short(first.text)) if first else ("", "")
    when = f"{one.result}{f', {first.at:%d %b %H:%M}' if first and one.passed else ''}"
    cells = (one.drill.name, one.drill.title, one.drill.target, when, *said, ", ".join(map(_other, one.others())))
    return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"


def _other(notice: Notice) -> str:
    return f"{notice.by} (warning)" if not notice.weight.strong else notice.by


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= LONGEST else f"{line[:LONGEST]} ..."
