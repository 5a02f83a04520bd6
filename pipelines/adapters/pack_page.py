"""The page of a pack: one HTML file beside its artefacts. Styles are inline, pictures and artefacts are linked, no scripts."""

from collections.abc import Callable, Sequence

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from pipelines.pack.artefacts import NO_GATE, Artefacts, Figure, Verdict
from pipelines.pack.files import SUBJECT
from pipelines.pack.prose import Document, Picture, Points, Sentence, Table

BREAKS = {"/": Markup("/<wbr>"), "::": Markup("::<wbr>"), "_": Markup("_<wbr>")}
MARKS = {Verdict.PASSED: "✓", Verdict.FAILED: "✗", Verdict.INSUFFICIENT: "?", Verdict.BINDING: "", Verdict.REPORTED: ""}


def render(documents: Sequence[Document], artefacts: Artefacts) -> bytes:
    environment = Environment(loader=PackageLoader("pipelines"), autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    environment.lstrip_blocks = True
    environment.tests |= {kind.__name__.lower(): _is(kind) for kind in (Figure, Sentence, Points, Table, Picture)}
    environment.filters |= {"source": _source, "sources": _sources, "breakable": _breakable}
    template = environment.get_template("pack.html")
    return template.render(documents=documents, subject=artefacts.at(SUBJECT), digests=artefacts.digests, marks=MARKS).encode()


def _is(kind: type) -> Callable[[object], bool]:
    return lambda value: isinstance(value, kind)


def _source(figure: Figure) -> str:
    """Where it stands and what it can fail, for whoever points at it."""
    gate = NO_GATE if figure.gate.name == NO_GATE else f"gate {figure.gate.name}: {figure.gate.limit}; {figure.gate.verdict}"
    return f"{figure.file}#{figure.pointer} · {gate}"


def _breakable(words: str) -> Markup:
    """Long names may break where a person would break them."""
    text = escape(words)
    for sign, breaking in BREAKS.items():
        text = text.replace(sign, breaking)
    return text


def _sources(document: Document) -> list[str]:
    """The artefacts that a document was read from."""
    return sorted({figure.file for figure in document.figures})
