"""What a document is made of: sentences, tables and pictures around figures. Words may hold no digit: numbers are figures."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from string import Formatter

from models.errors import Misconfigured
from pipelines.pack.artefacts import Figure

Cell = Figure | str | tuple[Figure, ...]


@dataclass(frozen=True)
class Sentence:
    parts: tuple[Figure | str, ...]

    @property
    def figures(self) -> list[Figure]:
        return [part for part in self.parts if isinstance(part, Figure)]


@dataclass(frozen=True)
class Points:
    """A list of sentences."""

    sentences: tuple[Sentence, ...]

    @property
    def figures(self) -> list[Figure]:
        return [figure for each in self.sentences for figure in each.figures]


@dataclass(frozen=True)
class Table:
    """`rows` have as many cells as there are heads; "" is an empty cell, several figures stand one below the other."""

    caption: Sentence
    heads: tuple[str | Sentence, ...]
    rows: tuple[tuple[Cell, ...], ...]

    def is_number(self, column: int) -> bool:
        """Whether a column, other than the first that names the row, holds numbers."""
        cells = [row[column] for row in self.rows if isinstance(row[column], Figure)]
        return column > 0 and any(isinstance(cell, Figure) and cell.is_number for cell in cells)

    @property
    def figures(self) -> list[Figure]:
        found = self.caption.figures
        found += [figure for head in self.heads if isinstance(head, Sentence) for figure in head.figures]
        for cell in (cell for row in self.rows for cell in row if not isinstance(cell, str)):
            found += cell if isinstance(cell, tuple) else (cell,)
        return found


@dataclass(frozen=True)
class Picture:
    """A picture of the pack. `alt` says what it shows to who cannot see it."""

    file: str
    alt: str

    @property
    def figures(self) -> list[Figure]:
        return []


Block = Sentence | Points | Table | Picture


@dataclass(frozen=True)
class Section:
    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Document:
    """`name` is its anchor on the page."""

    name: str
    title: str
    sections: tuple[Section, ...]

    @property
    def figures(self) -> Iterator[Figure]:
        return (figure for section in self.sections for block in section.blocks for figure in block.figures)

    @property
    def pictures(self) -> list[Picture]:
        return [block for section in self.sections for block in section.blocks if isinstance(block, Picture)]


def say(text: str, **figures: Figure) -> Sentence:
    """`text` names figures in braces. Raises `Misconfigured` for a digit in the words, or a figure that is not named."""
    parts: list[Figure | str] = []
    named = set()
    for words, field, _, _ in Formatter().parse(text):
        parts += [plain(words)] if words else []
        if field is not None:
            parts.append(figures[field])
            named.add(field)
    if unused := figures.keys() - named:
        raise Misconfigured(f"{text!r} does not use {', '.join(sorted(unused))}", hint="name it, or leave it out")
    return Sentence(tuple(parts))


def table(caption: Sentence, heads: Sequence[str | Sentence], rows: Sequence[Sequence[Cell]]) -> Table:
    """Raises `Misconfigured` for a digit that is typed in."""
    for row in (heads, *rows):
        assert len(row) == len(heads), row
        for cell in row:
            if isinstance(cell, str):
                plain(cell)
    return Table(caption, tuple(heads), tuple(map(tuple, rows)))


def points(*sentences: Sentence) -> Points:
    return Points(sentences)


def section(title: str, *blocks: Block | None) -> Section:
    return Section(plain(title), tuple(block for block in blocks if block is not None))


def plain(words: str) -> str:
    """Words without a digit."""
    if any(letter.isdigit() for letter in words):
        raise Misconfigured(f"a number is typed into {words!r}", hint="read it from an artefact: pipelines/pack/artefacts.py")
    return words
