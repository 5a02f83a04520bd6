"""Runbooks as Markdown files, one for each kind of alert: read as they are, shown as text."""

import re
from pathlib import Path

from models.errors import NotFound

_KIND = re.compile(r"[a-z][a-z0-9_]{0,63}")


class RunbookFolder:
    def __init__(self, root: Path) -> None:
        self._root = root

    def text(self, kind: str) -> str:
        """Raises `NotFound`, also where the documents are not installed beside the code."""
        path = self._root / f"{kind}.md"
        if not _KIND.fullmatch(kind) or not path.is_file():
            raise NotFound(f"there is no runbook of {kind!r} here", hint="it is in the platform's sources: docs/runbooks")
        return path.read_text(encoding="utf-8")
