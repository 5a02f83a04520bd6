"""Expectations that find what the test tells them to find."""

from collections.abc import Callable, Sequence

from pipelines.batches import Batch, Finding, Measure


class FakeExpectations:
    def __init__(self, findings: Callable[[Batch], list[Finding]] = lambda batch: []) -> None:
        self._findings = findings
        self.checked: list[Batch] = []
        self.recorded: list[tuple[Batch, Sequence[Measure]]] = []

    def check(self, batch: Batch, measures: Sequence[Measure]) -> list[Finding]:
        self.checked.append(batch)
        self.recorded.append((batch, measures))
        return self._findings(batch)

    def publish(self) -> str:
        return "docs/index.html" if self.checked else ""
