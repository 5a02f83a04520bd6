"""A spool in memory."""

from collections.abc import Sequence

from models.errors import Integrity, PlatformError
from monitoring.decisions import Answered, Entry
from serving.durability.spool import Batch, Depth, decisions_of, full, refuse_keys


class InMemorySpool:
    """Full at `most` decisions; `broken` is raised by whatever puts, and by what drains if something was edited."""

    def __init__(self, most: int = 1_000) -> None:
        self.groups: list[list[Entry]] = []
        self.broken: PlatformError | None = None
        self._most = most

    def put(self, entries: Sequence[Entry]) -> None:
        if self.broken:
            raise self.broken
        refuse_keys(entries, [entry.answered.key for group in self.groups for entry in group if entry.answered])
        if self.depth().decisions + decisions_of(entries) > self._most:
            raise full(self.depth())
        self.groups.append(list(entries))

    def oldest(self, most: int) -> Batch | None:
        if isinstance(self.broken, Integrity):
            raise self.broken
        taken: list[Entry] = []
        for groups, group in enumerate(self.groups, start=1):
            taken += group
            if decisions_of(taken) >= most:
                return Batch(groups, taken)
        return Batch(len(self.groups), taken) if taken else None

    def drop(self, batch: Batch) -> None:
        del self.groups[: batch.groups]

    def answered(self, key: str) -> Answered | None:
        kept = [entry.answered for group in self.groups for entry in group if entry.answered]
        return next((answered for answered in kept if answered.key == key), None)

    def depth(self) -> Depth:
        decisions = [decision for group in self.groups for entry in group for decision in entry.decisions]
        oldest = decisions[0].recorded_at if decisions else None
        return Depth(len(self.groups), len(decisions), len(decisions), self._most, oldest)
