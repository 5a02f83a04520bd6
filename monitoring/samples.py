"""A few of a month's sealed decisions, to look at what is behind a bar of a distribution."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from models.lake import PartitionVersion


@dataclass(frozen=True)
class Bounds:
    """The rows of one bin: `low` <= value < `high`, open where None; or exactly the `code`; or `other` than all `codes`."""

    low: float | None = None
    high: float | None = None
    code: float | str | None = None
    codes: tuple[float | str, ...] = ()


class RowSamples(Protocol):
    def some(self, part: PartitionVersion, column: str, within: Bounds, limit: int) -> Sequence[Mapping[str, object]]:
        """At most so many rows of a sealed month, in the order recorded: decision_id, account_id, version, probability, action,
        the column. Raises `NotFound` for a column that is not there, `Unavailable`."""
        ...
