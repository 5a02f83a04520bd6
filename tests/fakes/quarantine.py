"""A quarantine that remembers what was put there."""

from pipelines.batches import Batch, Verdict


class FakeQuarantine:
    def __init__(self) -> None:
        self.kept: list[tuple[Batch, Verdict]] = []

    def store(self, batch: Batch, verdict: Verdict) -> str:
        self.kept.append((batch, verdict))
        return f"quarantine/{batch.table}/{batch.month}/verdict.md"
