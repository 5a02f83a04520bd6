"""A check that meets what nobody foresaw says so, and the other checks go on."""

from collections.abc import Iterable

import pytest

from models.errors import Integrity
from models.governance.verification import Check, Finding, found_by


def raising(error: Exception) -> Check:
    def findings() -> Iterable[Finding]:
        raise error

    return Check("the shelf", "it holds", findings)


SOUND = Check("the rest", "it holds", lambda: [Finding("the rest", "was looked at")])


@pytest.mark.parametrize("error", [KeyError("bundle"), TypeError("no list"), ValueError("no number"), IndexError(3)])
def test_a_record_of_a_strange_form_is_a_finding(error: Exception) -> None:
    found = found_by([raising(error), SOUND])
    assert [each.where for each in found] == ["the shelf", "the rest"]
    assert type(error).__name__ in found[0].problem


def test_a_refusal_keeps_its_words_and_its_hint() -> None:
    found = found_by([raising(Integrity("it is gone", hint="put it back")), SOUND])
    assert found[0] == Finding("the shelf", "it is gone", "put it back")
    assert len(found) == 2
