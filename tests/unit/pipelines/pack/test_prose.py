"""Words hold no number: those are figures."""

import re
from importlib.resources import files as resources

import pytest

from models.errors import Misconfigured
from pipelines.pack.artefacts import Artefacts, Unit
from pipelines.pack.prose import say, section, table

FIGURE = Artefacts({"x.json": b'{"rows": 7}'}).figure("x.json", "/rows", Unit.COUNT)


def test_a_number_that_is_typed_in_is_refused() -> None:
    for wrong in (
        lambda: say("It has 7 rows, or {rows}.", rows=FIGURE),
        lambda: table(say("Rows"), ("A head of 2",), []),
        lambda: table(say("Rows"), ("Rows",), [("7",)]),
        lambda: section("Part 2"),
    ):
        with pytest.raises(Misconfigured, match="typed"):
            wrong()


def test_a_figure_that_a_sentence_does_not_name_is_refused() -> None:
    with pytest.raises(Misconfigured, match="does not use rows"):
        say("It has rows.", rows=FIGURE)


def test_a_sentence_keeps_words_and_figures_in_order() -> None:
    said = say("It has {rows} rows.", rows=FIGURE)
    assert said.parts == ("It has ", FIGURE, " rows.")
    assert said.figures == [FIGURE]


def test_the_page_s_own_words_hold_no_digit() -> None:
    source = (resources("pipelines") / "templates" / "pack.html").read_text()
    body = source[source.index("<body>") :] + source[: source.index("<!doctype")]
    words = re.sub(r"\{%.*?%\}|\{\{.*?\}\}|<[^>]*>", "", body, flags=re.DOTALL)
    assert "Every number is read from a file" in words
    assert not re.search(r"\d", words)
