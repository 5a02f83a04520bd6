"""What a replay remembers while it runs, and how the two models and the truth are compared at its end."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

import numpy as np
from numpy.typing import NDArray

from models.bundle import Bundle
from models.clock import Month
from models.contract import Columns
from models.evaluation import auc, brier
from models.scoring import Scorer
from models.usecase import UseCase
from monitoring.report import MonthlyReport
from pipelines.replay.story import Event, Reading, ReplayMonth, ReplayResult, Score, points

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Scored:
    """A month's accounts, shape (n,), and what the service answered."""

    on: date
    columns: Columns
    probability: Floats
    version: int


@dataclass(frozen=True)
class Model:
    """A model outside the service: by the graph that is served, with nothing logged, because it decides nothing."""

    version: int
    bundle: Bundle
    scorer: Scorer

    def probability(self, columns: Columns) -> Floats:
        return self.bundle.policy.quantise(self.scorer.probabilities(self.bundle.contract.matrix(columns)))


@dataclass
class Chronicle:
    use_case: UseCase
    truth: Callable[[Month], Floats] | None
    first: Model | None = None  # the one that is never retrained
    last: Model | None = None  # the one in force at the end, if it came too late to score a month
    champion: str = ""
    scored: dict[Month, Scored] = field(default_factory=dict)
    codes: dict[Month, NDArray[np.int64]] = field(default_factory=dict)
    reports: dict[str, MonthlyReport] = field(default_factory=dict)  # the newest of each month
    events: list[Event] = field(default_factory=list)
    noticed: tuple[date, str] | None = None

    def notice(self, on: date, sentence: str) -> None:
        """Only the first time counts."""
        self.noticed = self.noticed or (on, sentence)

    def result(self, name: str, title: str, data: Sequence[str], shifted_from: str, seconds: Mapping[str, float]) -> ReplayResult:
        return ReplayResult(
            scenario=name,
            title=title,
            data=tuple(data),
            outcome_delay=self.use_case.outcome_delay,
            shifted_from=shifted_from,
            months=tuple(self._month(month, scored) for month, scored in sorted(self.scored.items())),
            events=tuple(self.events),
            noticed_on=self.noticed[0].isoformat() if self.noticed else "",
            noticed_by=self.noticed[1] if self.noticed else "",
            asides=(*self._same(), *self._late()),
            seconds=dict(seconds),
        )

    def _same(self) -> list[str]:
        if len({scored.version for scored in self.scored.values()}) > 1:
            return []
        return ["Every month was scored by the first champion, so its figures are also those of the never-retrained model."]

    def _late(self) -> list[str]:
        """How a model that came too late would have done on the last month that matured, beside the one that scored it."""
        month = max(self.codes, default=None)
        if self.last is None or month is None:
            return []
        scored, report = self.scored[month], self.reports[str(month)]
        if report.performance is None:
            return []
        read = report.performance.comparable or report.performance.as_coded
        bad = self.use_case.definitions[read.definition].bad(self.codes[month])
        late, had = _score(bad, self.last.probability(scored.columns)), _score(bad, scored.probability)
        would = f"it would have had AUC {points(late.auc)} and Brier score {points(late.brier)}"
        beside = f"model {scored.version} had {points(had.auc)} and {points(had.brier)}"
        came = f"Model {self.last.version} came into force after the last month was scored."
        return [f"{came} On {month}, read as {read.rule!r}, {would}; {beside}."]

    def _month(self, month: Month, scored: Scored) -> ReplayMonth:
        report = self.reports[str(month)]
        top = max(report.inputs, key=lambda shift: shift.psi, default=None)
        known = report.performance
        return ReplayMonth(
            month=str(month),
            scored_on=scored.on.isoformat(),
            accounts=len(scored.probability),
            version=scored.version,
            psi=top.psi if top else None,
            psi_input=top.name if top else "",
            level=report.verdict.level,
            sentence=report.verdict.sentence,
            alerts=tuple(finding.text for finding in report.verdict.findings),
            coded=self._reading(month, scored, known.as_coded.definition) if known else None,
            comparable=self._reading(month, scored, known.comparable.definition) if known and known.comparable else None,
            note=known.note if known else report.maturity,
        )

    def _reading(self, month: Month, scored: Scored, version: int) -> Reading:
        definition = self.use_case.definitions[version]
        bad = definition.bad(self.codes[month])
        assert self.first is not None
        return Reading(
            definition=version,
            rule=definition.rule,
            bad_rate=float(bad.mean()),
            champion=_score(bad, scored.probability),
            never=_score(bad, self.first.probability(scored.columns)),
            best=_score(bad, self.truth(month)) if self.truth else None,
        )


def _score(bad: NDArray[np.bool_], probability: Floats) -> Score:
    return Score(predicted=float(probability.mean()), auc=auc(bad, probability), brier=brier(bad, probability))
