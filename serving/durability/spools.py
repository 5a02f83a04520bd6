"""Several spools as one: what processes that are gone left is drained first, and what is new goes into one's own."""

from collections.abc import Sequence
from dataclasses import replace

from monitoring.decisions import Answered, Entry
from serving.durability.spool import Batch, Depth, Spool


class Spools:
    def __init__(self, own: Spool, left: Sequence[Spool] = ()) -> None:
        self._own = own
        self._all = [*left, own]
        self._from = own

    def put(self, entries: Sequence[Entry]) -> None:
        self._own.put(entries)

    def oldest(self, most: int) -> Batch | None:
        for each in self._all:
            if batch := each.oldest(most):
                self._from = each
                return batch
        return None

    def drop(self, batch: Batch) -> None:
        self._from.drop(batch)

    def answered(self, key: str) -> Answered | None:
        return next((found for each in self._all if (found := each.answered(key))), None)

    def depth(self) -> Depth:
        """Of all; the size is one's own, for the bound is."""
        depths = [each.depth() for each in self._all]
        return replace(
            depths[-1],
            groups=sum(each.groups for each in depths),
            decisions=sum(each.decisions for each in depths),
            oldest=min((each.oldest for each in depths if each.oldest), default=None),
        )
