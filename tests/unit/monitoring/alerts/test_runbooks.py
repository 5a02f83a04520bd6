"""Every kind of alert has its page, and no page is of a kind that there is not."""

import re
from pathlib import Path

import pytest

from monitoring.alerts.kinds import KINDS
from monitoring.verdict import Kind

ROOT = Path(__file__).parents[4]
RUNBOOKS = ROOT / "docs" / "runbooks"


def test_there_is_a_page_for_every_kind_and_for_no_other() -> None:
    assert {path.name for path in RUNBOOKS.glob("*.md")} == {f"{kind}.md" for kind in KINDS}


@pytest.mark.parametrize("kind", KINDS)
def test_a_page_says_what_it_is_what_to_do_and_when_it_is_over(kind: Kind) -> None:
    page = (ROOT / KINDS[kind].runbook).read_text()

    assert page.startswith(f"# {KINDS[kind].title}\n\n`{kind}`: ")
    assert "## What to do\n\n1. " in page
    assert "## When it is over" in page


@pytest.mark.parametrize("kind", KINDS)
def test_every_make_target_and_page_that_it_names_is_there(kind: Kind) -> None:
    page = (ROOT / KINDS[kind].runbook).read_text() + KINDS[kind].action
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))

    assert set(re.findall(r"make ([a-z-]+)", page)) <= targets
    assert all((RUNBOOKS / link).is_file() for link in re.findall(r"\]\(([^#)]+)", page))
