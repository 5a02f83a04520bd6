"""Runbooks as Markdown files, one for each kind of alert, and below `platform` those that Prometheus raises: read as pages."""

import re
from pathlib import Path, PurePosixPath
from posixpath import normpath

from markdown_it import MarkdownIt
from markdown_it.token import Token

from models.errors import NotFound
from monitoring.alerts.runbook import Runbook

_NAME = re.compile(r"(platform/)?[a-z][a-z0-9_]{0,63}")
_PLACE = "/runbooks"


class RunbookFolder:
    def __init__(self, root: Path) -> None:
        self._root = root
        self._markdown = MarkdownIt("js-default")  # HTML in a runbook is shown as text

    def page(self, name: str) -> Runbook:
        """Raises `NotFound`, also where the documents are not installed beside the code."""
        path = self._root / f"{name}.md"
        if not _NAME.fullmatch(name) or not path.is_file():
            raise NotFound(f"there is no runbook of {name!r} here", hint="it is in the platform's sources: docs/runbooks")
        heading, _, text = path.read_text(encoding="utf-8").partition("\n")
        tokens = self._markdown.parse(text)
        for token in tokens:
            if token.type in ("heading_open", "heading_close"):
                token.tag = f"h{int(token.tag[1]) + 1}"
            for part in token.children or ():
                _lead_to_pages(part, PurePosixPath(name).parent)
        return Runbook(heading.removeprefix("# "), self._markdown.renderer.render(tokens, self._markdown.options, {}))


def _lead_to_pages(part: Token, folder: PurePosixPath) -> None:
    """A link to another runbook is one to its page."""
    to = str(part.attrGet("href") or "")
    if part.type == "link_open" and to.endswith(".md"):
        part.attrSet("href", f"{_PLACE}/{normpath(folder / to.removesuffix('.md'))}")
