"""A platform and a service in memory: models are constants, verdicts and turns come from a script of their own."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from models.bundle import Bundle
from models.clock import Month
from models.contract import Contract
from models.errors import Unavailable
from models.policy import Policy
from models.scoring import Scorer
from models.usecase import UseCase
from monitoring.performance import Figures, Performance, Reading
from monitoring.report import MonthlyReport
from monitoring.verdict import Level, Suggestion, Verdict
from pipelines.replay.ports import Acceptance, Answer, Turn


class Ranked:
    """Scores a row by one of its inputs, scaled into (0, 1)."""

    def __init__(self, column: int) -> None:
        self._column = column

    def probabilities(self, inputs: NDArray[np.float64]) -> NDArray[np.float64]:
        return 1 / (1 + np.exp(-inputs[:, self._column]))


@dataclass(frozen=True)
class FakeBundle:
    contract: Contract
    policy: Policy
    digest: str


@dataclass
class FakePlatform:
    """`turns` says what retraining comes to, `report` what monitoring says, both by the day."""

    use_case: UseCase
    turns: Mapping[str, Turn] = field(default_factory=dict)
    report: Callable[[str], Sequence[MonthlyReport]] = lambda _: ()
    first: Turn = field(default_factory=lambda: Turn("promoted", "First champion.", 1, "one"))
    calls: list[str] = field(default_factory=list)
    now: datetime = datetime(2005, 1, 1, tzinfo=UTC)

    @property
    def today(self) -> str:
        return self.now.date().isoformat()

    def set_time(self, now: datetime) -> None:
        self.now = now

    def ingest(self) -> None:
        self.calls.append(f"{self.today} ingest")

    def train(self) -> Turn:
        self.calls.append(f"{self.today} train")
        return self.first

    def monitor(self) -> list[MonthlyReport]:
        self.calls.append(f"{self.today} monitor")
        return list(self.report(self.today))

    def retrain(self) -> Turn:
        self.calls.append(f"{self.today} retrain")
        turn = self.turns.get(self.today, Turn(None, "Nothing moved."))
        return replace(turn, reports=tuple(self.report(self.today)))

    def accept(self, acceptance: Acceptance) -> str:
        self.calls.append(f"{self.today} accept {acceptance.definition}")
        return f"Definition {acceptance.definition} accepted."

    def bundle(self, digest: str) -> Bundle:
        return cast(Bundle, FakeBundle(self.use_case.contract, self.use_case.policy, digest))

    def scorer(self, bundle: Bundle) -> Scorer:
        return Ranked({"one": 0, "two": 1}[bundle.digest])


@dataclass
class FakeService:
    """Answers with whatever was awaited last; `crashes` counts how often the next batches find nobody."""

    contract: Contract
    bundle: str = "one"
    crashes: int = 0
    starts: int = 0
    running: bool = False
    stuck: bool = False
    asked: list[str] = field(default_factory=list)
    decided: dict[str, int] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)

    def start(self) -> None:
        self.starts += 1
        self.running = True

    def stop(self) -> None:
        self.running = False

    def await_bundle(self, digest: str) -> None:
        if self.stuck:
            raise Unavailable(f"the service still answers with {self.bundle}", hint="look into its log")
        self.bundle = digest

    def score(self, records: Sequence[Mapping[str, Any]], key: str) -> Answer:
        self.asked.append(key)
        self.decided.setdefault(key, len(records))
        self.seen |= records[0].keys()
        if self.crashes:
            self.crashes -= 1
            raise Unavailable("the service does not answer")
        inputs = np.array([[float(record[name]) for name in self.contract.inputs] for record in records])
        column = {"one": 0, "two": 1}[self.bundle]
        return Answer(Ranked(column).probabilities(inputs).round(9).tolist(), column + 1, self.bundle)


def report_of(
    month: Month, level: Level, *, matured: bool = False, definition: int = 1, comparable: int | None = 1
) -> MonthlyReport:
    """A report with a verdict and, if matured, with the definitions that performance is read under."""
    return MonthlyReport(
        model="toy",
        title="toy",
        month=str(month),
        recorded_at=f"{month}-28T00:00:00+00:00",
        version=1,
        bundle="one",
        decisions=1,
        other_bundles={},
        verdict=Verdict(level=level, sentence=f"{month} is {level}.", findings=(), suggests=Suggestion.NONE),
        score=None,
        inputs=(),
        actions=None,
        performance=_performance(month, definition, comparable) if matured else None,
        maturity=f"Outcomes of {month} mature later.",
    )


def _performance(month: Month, definition: int, comparable: int | None) -> Performance:
    figures = Figures(rows=1, bad=0, predicted=0.1, actual=0.1, brier=0.1, auc=0.5)
    readings = [
        Reading(definition=number, rule=str(number), populations={"all": figures}) if number else None
        for number in (definition, comparable)
    ]
    assert readings[0] is not None
    return Performance(
        matured_at=str(month.plus(1).last_day),
        coding="status",
        as_coded=readings[0],
        comparable=readings[1],
        note="" if comparable else "There is nothing to compare with.",
        reference_definition=1,
        reference={},
        attribution=None,
        unmatched=0,
    )
