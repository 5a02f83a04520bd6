"""Every kind of alert has its page, and no page is of a kind that there is not."""

import re
from pathlib import Path

import pytest

from models.errors import NotFound
from monitoring.adapters.runbook_folder import RunbookFolder
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


PAGES = sorted(str(path.relative_to(RUNBOOKS).with_suffix("")) for path in RUNBOOKS.rglob("*.md"))


@pytest.mark.parametrize("name", PAGES)
def test_every_page_of_the_console_has_a_title_and_leads_to_pages_that_are_there(name: str) -> None:
    shown = RunbookFolder(RUNBOOKS).page(name)
    assert f"# {shown.title}\n" in (RUNBOOKS / f"{name}.md").read_text()
    assert "<h1>" not in shown.html
    assert {link.removeprefix("/runbooks/") for link in re.findall(r'href="([^"]+)"', shown.html)} <= set(PAGES)


def test_steps_are_a_list_and_commands_are_set_as_such_and_markup_is_text(tmp_path: Path) -> None:
    (tmp_path / "skew.md").write_text("# Skew\n\n## Do\n\n1. `make stop`\n2. <script>x</script> [more](platform/spool.md)\n")
    shown = RunbookFolder(tmp_path).page("skew")
    assert "<ol>\n<li><code>make stop</code></li>" in shown.html
    assert "&lt;script&gt;" in shown.html
    assert 'href="/runbooks/platform/spool"' in shown.html


@pytest.mark.parametrize("name", ["nothing", "../README", "platform/../skew", "platform/", "SKEW", "skew\n", "a/skew"])
def test_what_is_no_runbook_is_not_found(name: str) -> None:
    with pytest.raises(NotFound):
        RunbookFolder(RUNBOOKS).page(name)
