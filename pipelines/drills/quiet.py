"""Quiet windows: one real month's accounts drawn anew, again and again. Nothing is wrong: who is called is called for nothing.

Each window is decided by the champion's own graph, rule and reasons, taken in by the ingest with all its history, reported on by
`monitor`, and weighed by the rules of the alerts. Left out, because it would take hours: HTTP, the log's database (the decisions
are sealed at once), the validation's and Evidently's pages.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from datetime import time as clock_time
from math import comb

import numpy as np

from models import catalog
from models.alerting import Severity
from models.bundle import Bundle
from models.clock import Month, end_of_day
from models.errors import NoChampion, Unavailable
from models.governance.doubt.rule import Rule
from models.governance.explanation.reasons import Explainer
from models.policy import Action
from models.scoring import Scorer
from models.usecase import Cohort, Source
from monitoring.alerts.causes import causes
from monitoring.decisions import spelled, stamp
from monitoring.monitor import monitor
from monitoring.pages import Page
from monitoring.sealing import DECISIONS
from pipelines.arrivals import hidden
from pipelines.batches import Finding
from pipelines.drills.catalogue import BASE, START
from pipelines.drills.plant import Home
from pipelines.ingest import ingest
from pipelines.simulation import credit_cards
from pipelines.simulation.simulator import Simulator
from pipelines.steps import in_force
from pipelines.triggers.situation import stored
from pipelines.wiring import Platform

ORIGIN = Month(2005, 7)
SEED = 149
WINDOWS = 149  # the fewest of which none puts the exact 95 % bound at 2 %
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Quiet:
    """By window: the kinds that would have called somebody at once, and those that warned."""

    pages: Sequence[tuple[str, ...]]
    warnings: Sequence[tuple[str, ...]]
    holds: int
    seconds: float = 0.0

    @property
    def windows(self) -> int:
        return len(self.pages)

    @property
    def paged(self) -> int:
        return sum(bool(kinds) for kinds in self.pages)

    @property
    def warned(self) -> int:
        return sum(bool(kinds) for kinds in self.warnings)

    @property
    def bound(self) -> float:
        return upper_bound(self.paged, self.windows)


def upper_bound(hits: int, trials: int) -> float:
    """Clopper and Pearson (1934), one-sided, exact: the largest rate under which so few hits are not rarer than 1 in 20."""

    def at_most(rate: float) -> float:
        return sum(comb(trials, k) * rate**k * (1 - rate) ** (trials - k) for k in range(hits + 1))

    low, high = hits / trials, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if at_most(middle) > 1 - CONFIDENCE else (low, middle)
    return high


@dataclass(frozen=True)
class Bootstrap:
    """The accounts of one real month, drawn anew for every month, as accounts that were never seen before: two draws of one
    account are no file that came twice."""

    drawn: Source

    def months(self) -> list[Month]:
        return self.drawn.months()

    def last(self) -> Month | None:
        return self.drawn.last()

    def cohort(self, month: Month, as_of: date) -> Cohort:
        cohort = self.drawn.cohort(month, as_of)
        fresh = np.char.add(cohort.columns["account_id"].astype(np.str_), f"-{month.year}{month.number:02d}")
        return replace(cohort, columns={**cohort.columns, "account_id": fresh}, audit={**cohort.audit, "account_id": fresh})


def bootstrap(windows: int) -> Source:
    """July 2005, the newest month whose outcomes are coded as those before; outcomes from the stated model."""
    pool, use_case = credit_cards.pool(), catalog.find(credit_cards.USE_CASE)
    july = pool.only(pool.columns["snapshot_month"] == str(ORIGIN))
    scenario = replace(BASE, name="quiet", first=START, months=windows + 1, seed=SEED)
    return Bootstrap(Simulator(july, scenario, outcome_delay=use_case.outcome_delay))


@dataclass(frozen=True)
class _Recent:
    """What ingest is offered: this month and the one before, whose outcomes are due. Older ones are in the lake."""

    source: Source
    month: Month

    def months(self) -> list[Month]:
        return [month for month in (self.month.plus(-1), self.month) if month in self.source.months()]

    def last(self) -> Month | None:
        return None

    def cohort(self, month: Month, as_of: date) -> Cohort:
        return self.source.cohort(month, as_of)


class _NoPages:
    """Expectations and pages that nobody will read. What the contract says of single rows holds for real accounts."""

    def check(self, *_: object, **__: object) -> list[Finding]:
        return []

    def publish(self) -> str:
        return ""

    def drift(self, *_: object, **__: object) -> Page:
        raise Unavailable("pages are not drawn in a drill")

    classification = drift


def live_quietly(home: Home, source: Source, windows: int, say: Callable[[str], None]) -> Quiet:
    """Month after month in one home, as production would: what lasts for several windows would call somebody, too."""
    begun, pages, warnings, holds = time.perf_counter(), [], [], 0
    home.at(end_of_day(START.last_day))
    parts = home.parts()
    parts.intake = replace(parts.intake, expectations=_NoPages())
    parts.monitoring_desk = replace(parts.monitoring_desk, renderer=_NoPages())
    reports = {seen.report.month: seen.report for seen in stored(parts.reports, parts.use_case.name)}
    decide = _Decider.of(parts)
    for number in range(windows):
        month = START.plus(number)
        home.at(datetime.combine(month.plus(1).first_day, clock_time(4), UTC))
        report = ingest(parts.use_case, _Recent(source, month), parts.intake, as_of=parts.day(None), progress=lambda _: None)
        decide.decided(parts, hidden(source.cohort(month, parts.day(None)), parts.use_case.contract, parts.accounts))
        for looked_at in (month, month.plus(-1)):
            reports[str(looked_at)] = monitor(parts.use_case, looked_at, parts.monitoring_desk)[1]
        found = causes(reports.values(), decide.bundle.policy.monitoring, parts.use_case.alerting)
        holds += len(report.holds)
        pages.append(tuple(one.kind for one in found if one.severity is Severity.PAGE))
        warnings.append(tuple(one.kind for one in found if one.severity is Severity.WARNING))
        if pages[-1] or (number + 1) % 25 == 0:
            say(f"{time.perf_counter() - begun:6.1f} s  {number + 1} quiet windows; pages: {', '.join(pages[-1]) or 'none'}")
    return Quiet(pages, warnings, holds, time.perf_counter() - begun)


@dataclass(frozen=True)
class _Decider:
    """The champion, deciding as the service does: the same graph, the same rule, the same reasons."""

    bundle: Bundle
    scorer: Scorer
    rule: Rule
    explainer: Explainer

    @classmethod
    def of(cls, parts: Platform) -> "_Decider":
        champion = in_force(parts)
        if champion is None:
            raise NoChampion("the home of a drill has no champion", hint="prepare it first")
        bundle, scorer = champion.bundle, champion.scorer
        explainer = Explainer(bundle.contract, bundle.policy, bundle.part("reasons.json"), scorer)
        return cls(bundle, scorer, Rule.of(bundle), explainer)

    def decided(self, parts: Platform, cohort: Cohort) -> None:
        """Seal the month's decisions into the lake."""
        contract, rows = self.bundle.contract, self.bundle.contract.matrix(cohort.columns)
        probability = self.bundle.policy.quantise(self.scorer.probabilities(rows))
        actions, strange = self.rule.judged(probability, rows)
        reduced = np.flatnonzero(actions == Action.REDUCE)
        reasons = np.full(len(rows), "", dtype=object)
        for row, why in zip(reduced, self.explainer.explain(rows[reduced]), strict=True):
            reasons[row] = spelled(why.reasons)
        number, names = len(rows), np.array(contract.inputs)
        parts.lake.write(
            DECISIONS,
            cohort.month,
            {
                "decision_id": np.array([f"quiet-{cohort.month}-{row}" for row in range(number)]),
                "account_id": cohort.columns[contract.key],
                "version": np.full(number, 1),
                "bundle": np.full(number, self.bundle.digest),
                "probability": probability,
                "action": actions,
                "recorded_at": np.full(number, stamp(end_of_day(cohort.month.last_day))),
                "no_notice": np.zeros(number, dtype=np.bool_),
                "reasons": reasons.astype(np.str_),
                "fallback": np.full(number, ""),
                "out_of_distribution": np.array([",".join(names[row]) for row in strange]),
                **{name: cohort.columns[name] for name in contract.inputs},
            },
            recorded_at=parts.clock.now(),
            facts={"model": parts.use_case.name},
        )
