"""Which batches were checked before anything was trained on them, as the viewer needs to know it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Validation:
    """One check of one batch. `page` names its page; `checked_at` is ISO text."""

    suite: str
    batch: str
    checked_at: str
    rules: int
    kept: int
    page: str

    @property
    def passed(self) -> bool:
        return self.kept == self.rules


class Validations(Protocol):
    def recent(self, limit: int) -> Sequence[Validation]:
        """The newest checks first. Raises `Unavailable`."""
        ...

    def page(self, name: str) -> bytes:
        """A check in full, as HTML that needs neither scripts nor any network. Raises `NotFound`."""
        ...
