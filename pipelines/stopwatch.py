"""How long each part of a run took, and how much of it was not the model's own work."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum


class Part(StrEnum):
    MODEL = "model"
    DATA = "data"
    VALIDATION = "validation"
    TRACKING = "tracking"
    ORCHESTRATION = "orchestration"


OVERHEAD = frozenset({Part.VALIDATION, Part.TRACKING, Part.ORCHESTRATION})


@dataclass
class Stopwatch:
    """Wall time by step, in seconds. What no step claims is orchestration: starting up, the flow engine, its server."""

    started: float = field(default_factory=time.perf_counter)
    steps: list[tuple[str, Part, float]] = field(default_factory=list)

    @contextmanager
    def step(self, name: str, part: Part) -> Iterator[None]:
        begun = time.perf_counter()
        try:
            yield
        finally:
            self.steps.append((name, part, time.perf_counter() - begun))

    def breakdown(self) -> list[tuple[str, Part, float]]:
        """Every step, then what was left between them."""
        total = time.perf_counter() - self.started
        rest = max(total - sum(seconds for _, _, seconds in self.steps), 0.0)
        return [*self.steps, ("start-up and flow engine", Part.ORCHESTRATION, rest)]

    def lines(self) -> list[str]:
        """The breakdown as text, one line a step, and the share of the overhead."""
        rows = self.breakdown()
        total = sum(seconds for _, _, seconds in rows)
        overhead = sum(seconds for _, part, seconds in rows if part in OVERHEAD)
        lines = [f"{seconds:7.1f} s  {name} ({part})" for name, part, seconds in rows]
        share = overhead / total if total else 0.0
        return [*lines, f"{total:7.1f} s  in all; {share:.0%} of it orchestration, tracking and validation"]
