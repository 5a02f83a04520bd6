"""Monitoring one month: count, join, judge, draw, store. Run it as often as you like: each run adds a dated report."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime

from models.bundle import Bundle
from models.clock import Clock, Month
from models.errors import Integrity, NotFound
from models.governance.ledger import Entry, Event, Hold, Ledger, accepted_definition, open_holds
from models.lake import OUTCOMES, SNAPSHOTS, Lake, PartitionVersion
from models.scoring import Scorer
from models.usecase import UseCase
from monitoring.counting import Counted, basis_of, counted
from monitoring.drift import Shift, Statistics
from monitoring.findings import Evidence, judge
from monitoring.invariants.figures import Invariants, Service
from monitoring.invariants.looking import Eyes, look
from monitoring.outcomes.cohorts import vintages
from monitoring.outcomes.curves import Vintage
from monitoring.outcomes.estimation import Estimate
from monitoring.outcomes.outlook import Outlook, outlook
from monitoring.pages import Pages, Renderer, decided_sample, labelled, reference_sample
from monitoring.performance import Matched, Performance, match, realised
from monitoring.report import MonthlyReport, ReportKey, ReportStore, Sealed, missed
from monitoring.sealing import DECISIONS, EXPIRED


@dataclass(frozen=True)
class Desk:
    """What monitoring works with. `bundle` finds any bundle that ever decided, by digest; `scorer` loads a graph."""

    lake: Lake
    statistics: Statistics
    ledger: Ledger
    reports: ReportStore
    renderer: Renderer
    bundle: Callable[[str], Bundle]
    scorer: Callable[[bytes], Scorer]
    clock: Clock
    service: Callable[[], Service | None] = lambda: None  # what the scoring service says of itself now


@dataclass(frozen=True)
class _Decided:
    """A sealed month, and the bundle that answered most of it; `others` counts the rows of other bundles by digest.

    A challenger that was only tried is never the one: its half of a canary may be the larger one.
    """

    partition: PartitionVersion
    bundle: Bundle
    version: int
    rows: int
    accounts: int  # different ones among the rows
    others: Mapping[str, int]


@dataclass(frozen=True)
class _Known:
    """What became of the month, once it is known."""

    matched: Matched
    performance: Performance


def monitor(use_case: UseCase, month: Month, desk: Desk) -> tuple[ReportKey, MonthlyReport]:
    """Judge a month's sealed decisions by everything known now, draw its pages, and store the report.

    Nothing of an earlier report is touched. Where a page cannot be drawn, the report says so and stands without it.
    """
    return _Run(use_case, month, desk, desk.clock.now()).stored()


def due(use_case: UseCase, desk: Desk) -> list[Month]:
    """The months worth monitoring now, newest first: the newest one decided on, and the newest one whose outcomes have matured.

    And every other whose newest report is not of what is known now: there is none, or none that can be read, outcomes came
    late or were restated, decisions were sealed after it. A month that has not begun is none of them, nor is one of which
    inputs were deleted after retention.
    """
    now = desk.clock.now()
    sealed = [p for p in desk.lake.versions(DECISIONS, known_at=now) if EXPIRED not in p.facts]
    decided = [p.month for p in sealed if p.month <= Month.of(now.date())]
    runs = [_Run(use_case, month, desk, now) for month in decided]
    matured = [run.month for run in runs if run.outcomes()]
    return sorted({*decided[-1:], *matured[-1:], *(run.month for run in runs if not run.told())}, reverse=True)


@dataclass(frozen=True)
class _Run:
    """One monitoring of one month, as known at `now`."""

    use_case: UseCase
    month: Month
    desk: Desk
    now: datetime

    def stored(self) -> tuple[ReportKey, MonthlyReport]:
        decided = self.decided()
        if decided is None:
            pages = Pages()
            report = self.report(None, None, None, pages)
        else:
            basis, note = basis_of(decided.bundle, self.entries(), self.desk.bundle)
            found, known = counted(decided.partition, basis, self.desk.statistics), self.known(decided)
            pages = self.pages(decided, found.moved, known)
            pages.notes += [note] if note else []
            report = self.report(decided, found, known, pages, self.invariants(decided))
        return self.desk.reports.add(report, pages.files), report

    def told(self) -> bool:
        """Whether the newest report is of what is known now of the month's decisions and outcomes."""
        keys = self.desk.reports.keys(self.use_case.name, str(self.month))
        try:
            made_from = {source.digest for key in keys[:1] for source in self.desk.reports.read(key).sources}
        except (Integrity, NotFound):
            return False
        decisions = self.newest(DECISIONS)
        known = [part for part in (decisions, self.outcomes()) if part] if decisions and decisions.rows else []
        return bool(keys) and all(part.digest in made_from for part in known)

    def decided(self) -> _Decided | None:
        partition = self.newest(DECISIONS)
        if partition is None or not partition.rows:
            return None
        counted = self.desk.statistics.counts(partition, {"version": {"edges": []}}, by="bundle")
        rows = {digest: int(counts["version"].sum()) for digest, counts in counted.items()}
        digest = max(rows, key=lambda name: (name not in tried_only(self.entries()), rows[name], name))
        one = self.desk.statistics.sample(partition, ["version"], 1, key="version", where=("bundle", digest))
        accounts = self.desk.statistics.distinct(partition, self.use_case.contract.key, by="bundle")[digest]
        others = {name: count for name, count in rows.items() if name != digest}
        return _Decided(partition, self.desk.bundle(digest), int(one["version"][0]), rows[digest], accounts, others)

    def invariants(self, decided: _Decided) -> Invariants:
        """The service says only how it is now: that belongs to the newest month."""
        desk, newest = self.desk, decided.partition.month == self.desk.lake.versions(DECISIONS, known_at=self.now)[-1].month
        service = desk.service() if newest else None
        return look(Eyes(desk.lake, desk.statistics, desk.scorer), decided.partition, decided.bundle, service)

    def outcomes(self) -> PartitionVersion | None:
        """The month's outcomes if they have matured: an immature month has none, and is never taken for a good one."""
        partition = self.newest(OUTCOMES)
        if partition is None or date.fromisoformat(partition.facts["matured_at"]) > self.now.date():
            return None
        return partition

    def known(self, decided: _Decided) -> _Known | None:
        partition, contract = self.outcomes(), self.use_case.contract
        if partition is None:
            return None
        log = self.desk.lake.read([decided.partition], ["bundle", contract.key, "probability", *contract.inputs])
        own = log["bundle"] == decided.bundle.digest
        matched = match(self.use_case, {name: values[own] for name, values in log.items()}, self.desk.lake.read([partition]))
        accepted = accepted_definition(self.entries(), self.use_case.as_coded, partition.facts["coding"])
        profile = decided.bundle.part("reference.json")
        reference = {**profile.get("performance", {}), "rows": profile["rows"]}
        performance = realised(self.use_case, matched, facts=partition.facts, reference=reference, accepted=accepted)
        return _Known(matched, performance) if performance else None

    def pages(self, decided: _Decided, moved: Mapping[str, Shift], known: _Known | None) -> Pages:
        """Drawn only where there is enough to draw; what cannot be drawn leaves a note."""
        pages, desk, bundle = Pages(), self.desk, decided.bundle
        least = bundle.policy.monitoring.minimum_rows
        if decided.rows < least:
            pages.notes.append("Too few decisions for pages.")
            return pages
        if not pages.keep_drift(desk.reports, self.use_case.name, decided.partition, bundle):
            with pages.noting_failure():
                current = decided_sample(decided.partition, bundle, desk.statistics)
                reference = reference_sample(bundle, desk.lake, desk.statistics, desk.scorer(bundle.graph))
                pages.draw_drift(desk.renderer, bundle, reference, current, moved)
        if known and len(known.matched.codes) < least:
            pages.notes.append("Too few outcomes for a page of them.")
        elif known:
            coded = self.use_case.definitions[known.performance.as_coded.definition]
            bad, probability = coded.bad(known.matched.codes), known.matched.columns["probability"]
            with pages.noting_failure():
                pages.draw_classification(desk.renderer, bundle, coded.rule, labelled(bad, probability))
        return pages

    def report(
        self,
        decided: _Decided | None,
        found: Counted | None,
        known: _Known | None,
        pages: Pages,
        invariants: Invariants | None = None,
    ) -> MonthlyReport:
        policy = decided.bundle.policy if decided else self.use_case.policy
        evidence = replace(self.evidence(decided, found, known), invariants=invariants)
        sources = [decided.partition, self.outcomes()] if decided else []
        return MonthlyReport(
            model=self.use_case.name,
            title=self.use_case.title,
            month=str(self.month),
            recorded_at=self.now.isoformat(),
            version=decided.version if decided else 0,
            bundle=decided.bundle.digest if decided else "",
            decisions=evidence.decisions,
            accounts=evidence.accounts,
            minimum_rows=policy.monitoring.minimum_rows,
            other_bundles=dict(evidence.other_bundles),
            verdict=judge(evidence, policy.monitoring, self.use_case.alerting.objectives),
            score=evidence.score,
            inputs=tuple(evidence.inputs),
            actions=evidence.actions,
            statistics=evidence.statistics,
            invariants=invariants,
            outlook=self.outlook(decided, found.estimate, known) if decided and found else None,
            performance=evidence.performance,
            maturity=evidence.maturity,
            documents=tuple(pages.documents),
            reconciliation=pages.reconciliation,
            notes=tuple(pages.notes),
            sources=tuple(_sealed(part) for part in sources if part),
        )

    def outlook(self, decided: _Decided, guess: Estimate, known: _Known | None) -> Outlook:
        """The estimate, and beside it what is realised; the months before say how far both lie apart."""
        reference = decided.bundle.part("reference.json")
        followed: list[Vintage] = []
        if known:
            trained_on = known.performance.reference_definition
            followed = vintages(self.use_case, self.desk.lake, self.entries(), trained_on, self.now)
        return outlook(
            self.use_case,
            str(self.month),
            guess,
            score=reference["score"],
            before=missed(self.desk.reports, self.use_case.name, str(self.month)),
            known=(known.matched, known.performance) if known else None,
            vintages=followed,
        )

    def evidence(self, decided: _Decided | None, found: Counted | None, known: _Known | None) -> Evidence:
        entries, moved = self.entries(), found.moved if found else {}
        return Evidence(
            month=str(self.month),
            decisions=decided.rows if decided else 0,
            accounts=decided.accounts if decided else 0,
            score=moved.get("probability"),
            inputs=[moved[name] for name in self.use_case.contract.inputs if name in moved],
            actions=moved.get("action"),
            statistics=found.statistics if found else None,
            performance=known.performance if known else None,
            maturity=self.maturity(known),
            holds=self.holds(entries),
            recoding_accepted=decided is not None and _recoding_accepted(entries, decided.bundle, self.month),
            other_bundles=decided.others if decided else {},
        )

    def holds(self, entries: list[Entry]) -> list[Hold]:
        """Those that are open; what came up later is no word about an older month, which is only read anew."""
        found, newest = open_holds(entries), self.desk.lake.versions(DECISIONS, known_at=self.now)[-1:]
        is_newest = all(part.month <= self.month for part in newest)
        return [hold for hold in found if is_newest or hold.month <= str(self.month)]

    def maturity(self, known: _Known | None) -> str:
        if known:
            return f"Outcomes matured on {known.performance.matured_at}."
        day = self.use_case.matured_at(self.month)
        if day > self.now.date():
            return f"Outcomes mature on {day}; until then they are unknown, not good."
        return f"Outcomes should have matured on {day}, but none are known: run the ingest."

    def newest(self, table: str) -> PartitionVersion | None:
        return next((p for p in self.desk.lake.versions(table, known_at=self.now) if p.month == self.month), None)

    def entries(self) -> list[Entry]:
        return self.desk.ledger.entries(self.use_case.name)


def tried_only(entries: list[Entry]) -> set[str]:
    """Challengers of roll-outs that never came into force: of what they decided their roll-out tells."""
    begun = {entry.facts["challenger"] for entry in entries if entry.event is Event.ROLLOUT_BEGUN}
    return begun - {entry.facts["bundle"] for entry in entries if entry.event is Event.PROMOTED}


def _recoding_accepted(entries: list[Entry], bundle: Bundle, month: Month) -> bool:
    """Has a person released a hold about codes of a month after the bundle's training data, up to the month in question?

    A hold without a column is about a delivery that had not come.
    """
    trained = [part["month"] for part in bundle.lineage.get("partitions", []) if part["table"] == SNAPSHOTS]
    released = [str(e.facts["month"]) for e in entries if e.event is Event.HOLD_RELEASED and e.facts.get("column") != ""]
    return any(max(trained, default="") < held <= str(month) for held in released)


def _sealed(part: PartitionVersion) -> Sealed:
    return Sealed(table=part.table, month=str(part.month), version=part.version, digest=part.digest, rows=part.rows)
