"""The pages lead somewhere: to files and headings that are here, to targets of the Makefile; and the README knows every page."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
TARGETS = set(re.findall(r"^([a-z][a-z-]*)\b.*:.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE))
LINK = re.compile(r"\]\((?!https?:|mailto:)([^)#\s]*)(?:#([^)\s]*))?\)")


def name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def anchors(page: Path) -> set[str]:
    """As GitHub makes them of headings."""
    heads = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_link_leads_to_a_file_and_a_heading_that_are_here(page: Path) -> None:
    lost = []
    for to, anchor in LINK.findall(page.read_text()):
        found = (page.parent / to).resolve() if to else page
        if not found.exists() or (anchor and found.suffix == ".md" and anchor not in anchors(found)):
            lost.append(f"{to}#{anchor}" if anchor else to)
    assert lost == []


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_command_is_a_target_that_is_here(page: Path) -> None:
    said = re.findall(r"(?:^ {4}(?:[A-Z_]+=\S+ )*|`)make ([a-z][a-z-]*)", page.read_text(), re.MULTILINE)
    assert [target for target in said if target not in TARGETS] == []


def test_the_readme_leads_to_every_page() -> None:
    readme = (ROOT / "README.md").read_text()
    assert [page.name for page in (ROOT / "docs").glob("*.md") if f"](docs/{page.name}" not in readme] == []
