"""What was noticed in a drill, and whether in time. Pure: a missed drill is missed whatever else was seen too early."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from pipelines.drills.catalogue import Drill, Weight


@dataclass(frozen=True)
class Notice:
    """The platform said something in a window (1 is the first): who, how strongly, and in what words."""

    window: int
    at: datetime
    weight: Weight
    by: str
    text: str


@dataclass(frozen=True)
class Lived:
    """What came of a drill. `lost` are decisions that were answered, and that the month's report did not find."""

    drill: Drill
    notices: Sequence[Notice] = ()
    courses: Sequence[str] = ()  # what retraining came to, window by window
    lost: int = 0
    seconds: float = 0.0

    @property
    def called(self) -> list[Notice]:
        """What called somebody, or stopped something."""
        return [notice for notice in self.notices if notice.weight.strong]

    @property
    def first(self) -> Notice | None:
        return next(iter(self.called), None)

    @property
    def too_early(self) -> bool:
        """Somebody was called before there was anything to see: then what comes after proves nothing."""
        return self.first is not None and self.first.window < self.drill.begins

    @property
    def passed(self) -> bool:
        if self.lost or self.too_early:
            return False
        if not self.drill.within:
            return self.first is None
        return self.first is not None and self.first.window < self.drill.begins + self.drill.within

    @property
    def result(self) -> str:
        """In words."""
        if self.lost:
            return f"MISSED: {self.lost:,} decisions were lost"
        if self.too_early:
            return "MISSED: somebody was called before it began"
        if self.first is None:
            return "MISSED" if self.drill.within else "nobody was called"
        if not self.drill.within:
            return "MISSED: somebody was called"
        return f"window {self.first.window - self.drill.begins + 1}" if self.passed else "MISSED: too late"

    def others(self) -> list[Notice]:
        """Everything else that spoke, each source once, with the strongest that it said."""
        said: dict[str, Notice] = {}
        for notice in self.notices:
            if notice.by not in said or (notice.weight.strong and not said[notice.by].weight.strong):
                said[notice.by] = notice
        return [notice for by, notice in said.items() if self.first is None or by != self.first.by]


@dataclass
class Log:
    """Collects notices while a drill is lived through."""

    now: datetime
    window: int = 0
    notices: list[Notice] = field(default_factory=list)

    def add(self, weight: Weight, by: str, text: str) -> None:
        self.notices.append(Notice(self.window, self.now, weight, by, text))
