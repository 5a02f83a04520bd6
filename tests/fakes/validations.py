"""Validations in memory: pages by check."""

from collections.abc import Mapping, Sequence

from models.errors import NotFound
from monitoring.validations import Validation


class FakeValidations:
    def __init__(self, pages: Mapping[Validation, bytes]) -> None:
        self._pages = pages

    def recent(self, limit: int) -> Sequence[Validation]:
        return sorted(self._pages, key=lambda check: check.checked_at, reverse=True)[:limit]

    def page(self, name: str) -> bytes:
        for check, html in self._pages.items():
            if check.page == name:
                return html
        raise NotFound(f"there is no validation page {name!r}", hint="open the list of validations")
