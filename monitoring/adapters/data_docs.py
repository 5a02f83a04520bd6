"""Great Expectations' Data Docs without Great Expectations: its stored results, and its pages made to stand alone.

The pages load styles and scripts from other people's servers. Here they get a style sheet of ours and no scripts; the
tool's own index is a table that only scripts fill, so the viewer lists the stored results itself.
"""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from models.errors import NotFound, Unavailable
from monitoring.validations import Validation

_FOREIGN = re.compile(rb"<script\b.*?</script>|<link\b[^>]*>|<img\b[^>]*>", re.DOTALL)
_DRAWN = re.compile(rb"""url\(\s*['"]?(?:https?:)?//[^)]*\)""")
"""A picture that a style sheet within the page would load: Great Expectations has a logo of its own for the dark."""
_INDEX = re.compile(rb'href="[./]*index\.html"')
LONGEST = 200
"""Characters of a name that nobody here has, as far as it is said back."""
_STYLE = b'<link rel="stylesheet" href="/static/data_docs.css">'


class DataDocs:
    """`folder` holds `results/<suite>/<run>/<time>/<batch>.json` and `data_docs/validations/`, which mirrors it in HTML."""

    def __init__(self, folder: Path) -> None:
        self._results = folder / "results"
        self._pages = folder / "data_docs" / "validations"

    def recent(self, limit: int) -> Sequence[Validation]:
        try:
            paths = sorted(self._results.rglob("*.json"), key=lambda path: (path.parent.name, path.name), reverse=True)
            return [self._validation(path) for path in paths[:limit]]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise Unavailable(
                f"the validation results in {self._results} cannot be read", hint="`make ingest` checks the batches again"
            ) from error

    def page(self, name: str) -> bytes:
        path = self._page(name)
        if path is None:
            raise NotFound(f"there is no validation page {name[:LONGEST]!r}", hint="open the list of validations")
        html = _INDEX.sub(b'href="/validations"', _DRAWN.sub(b"none", _FOREIGN.sub(b"", path.read_bytes())))
        return html.replace(b"</head>", _STYLE + b"</head>", 1)

    def _page(self, name: str) -> Path | None:
        try:
            path = (self._pages / name).resolve()
            ours = path.suffix == ".html" and path.is_relative_to(self._pages.resolve()) and path.is_file()
        except (OSError, ValueError):  # too long for a file's name, or with a character that none can have
            return None
        return path if ours else None

    def _validation(self, path: Path) -> Validation:
        stored: dict[str, Any] = json.loads(path.read_bytes())
        statistics = stored["statistics"]
        return Validation(
            suite=stored["suite_name"],
            batch=path.stem,
            checked_at=stored["meta"]["run_id"]["run_time"],
            rules=statistics["evaluated_expectations"],
            kept=statistics["successful_expectations"],
            page=path.relative_to(self._results).with_suffix(".html").as_posix(),
        )
