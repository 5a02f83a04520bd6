"""The steps of the flows: each takes the platform and plain values, does one thing, and can be done again."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

import numpy as np

from models.clock import Month
from models.errors import Held
from models.gates import Outcome
from models.governance.ledger import Hold, accepted_definition, open_holds
from models.governance.release import champion as digest_in_force
from models.lake import OUTCOMES, PartitionVersion
from models.registry import RunRecord
from models.splits import plan
from monitoring.monitor import due, monitor
from monitoring.report import MonthlyReport
from monitoring.sealing import seal_all
from monitoring.verdict import Verdict, overall
from pipelines.assessment import Assessment, Champion, Cohorts, assess
from pipelines.candidates import Effort
from pipelines.dataset import load
from pipelines.development import Development, develop
from pipelines.evidence import Evidence, collect
from pipelines.ingest import IngestReport, ingest
from pipelines.promotion import Candidate, keep, mirror, promote, register, request_promotion
from pipelines.retraining import Course, Retraining, decide_retraining
from pipelines.stopwatch import Part
from pipelines.wiring import Platform

TRAINER = "pipeline"
FEWEST_COHORTS = 2  # one to develop on, one out of time


class Kind(StrEnum):
    PROMOTED = "promoted"
    KEPT = "kept"
    REFUSED = "refused"
    HELD = "held"
    RESTED = "rested"


@dataclass(frozen=True)
class Ending:
    """How a run of training or retraining ended. `version` and `bundle` are those of the model it made, if it made one."""

    kind: Kind
    sentence: str
    version: int = 0
    bundle: str = ""
    reports: tuple[MonthlyReport, ...] = ()
    timings: tuple[tuple[str, Part, float], ...] = ()


def take_in(platform: Platform, as_of: date) -> IngestReport:
    with platform.watch.step("ingest and validate", Part.VALIDATION):
        return ingest(platform.use_case, platform.source, platform.intake, as_of=as_of, progress=platform.progress.say)


def open_cohorts(platform: Platform, as_of: date) -> Cohorts:
    """Raises `Held` while a hold is open about anything that may be known, `NotEnoughData` below two matured cohorts."""
    if holds := holds_up_to(platform, as_of):
        raise Held(
            "; ".join(f"{hold.what} ({hold.month})" for hold in holds),
            hint="look at the Data Docs, then: make accept-definition VERSION=N BY=you REASON=why",
        )
    use_case, known_at = platform.use_case, platform.clock.now()
    with platform.watch.step("read the cohorts", Part.DATA):
        months, left_out = comparable_months(platform, as_of)
        cohorts = plan(use_case, months, as_of)
        whole = load(use_case, platform.lake, (*cohorts.development, cohorts.out_of_time), as_of, known_at)
        before = load(use_case, platform.lake, cohorts.development, as_of, known_at)
        judged = load(use_case, platform.lake, (cohorts.out_of_time,), as_of, known_at)
    if left_out:
        platform.progress.say(f"left out, because their outcomes are coded otherwise: {', '.join(left_out)}")
    return Cohorts(as_of, cohorts, before, judged, whole, left_out)


def search(platform: Platform, cohorts: Cohorts) -> Development:
    """Everything that is chosen, chosen on the development cohorts alone."""
    settings = platform.settings
    effort = Effort(trials=settings.trials, folds=settings.folds, seed=settings.seed, workers=settings.workers)
    with platform.watch.step("choose features, family and parameters", Part.MODEL):
        return develop(
            platform.use_case, cohorts.taught(), platform.families, platform.optimiser, effort, platform.progress.count
        )


def judge(platform: Platform, cohorts: Cohorts, development: Development) -> Assessment:
    with platform.watch.step("fit, refit, seal and judge", Part.MODEL):
        return assess(platform.use_case, cohorts, development.recipe, platform.workshop, in_force(platform))


def document(platform: Platform, cohorts: Cohorts, development: Development, assessment: Assessment) -> Evidence:
    """Figures and pictures of everything that the choice and the gate rested on."""
    with platform.watch.step("draw the evidence", Part.TRACKING):
        return collect(cohorts, development, assessment, platform.draw(cohorts, development, assessment))


def release(
    platform: Platform, cohorts: Cohorts, development: Development, assessment: Assessment, evidence: Evidence, trigger: str
) -> Ending:
    """Register what was made, then promote it or keep the champion, with the reason in the ledger."""
    bundle, decision, desk = assessment.bundle, assessment.decision, platform.desk
    model = bundle.model
    with platform.watch.step("register and release", Part.TRACKING):
        if digest_in_force(desk.office, model) == bundle.digest:
            pointer = promote(desk, model, bundle.digest)  # completes what a killed run left
            return Ending(Kind.PROMOTED, "This very model is in force already.", pointer.version, bundle.digest)
        run = _record(platform, cohorts, development, assessment, evidence, trigger)
        candidate = Candidate(bundle, run, TRAINER, evidence.digest)
        if decision.outcome is not Outcome.PROMOTE:
            version = register(desk, candidate)
            keep(desk, model, bundle=bundle.digest, as_of=cohorts.as_of, actor=TRAINER, reason=decision.sentence)
            kind = Kind.KEPT if decision.outcome is Outcome.KEEP else Kind.REFUSED
            return Ending(kind, decision.sentence, version.version, bundle.digest)
        version = request_promotion(
            desk, candidate, compared_with=assessment.compared_with, reason=f"{trigger} {decision.sentence}".strip()
        )
        try:
            promote(desk, model, bundle.digest)
        except Held as held:
            mirror(desk, model)
            return Ending(Kind.HELD, held.problem, version.version, bundle.digest)
        return Ending(Kind.PROMOTED, decision.sentence, version.version, bundle.digest)


def watch(platform: Platform) -> list[MonthlyReport]:
    """Seal the decisions, and report on the months that are worth it: the newest decided on, the newest matured."""
    with platform.watch.step("monitor", Part.DATA):
        use_case, desk = platform.use_case, platform.monitoring_desk
        seal_all(platform.decisions, platform.lake, use_case.name, recorded_at=platform.clock.now())
        reports = []
        for month in due(use_case, desk):
            platform.progress.say(f"monitoring {month}")
            reports.append(monitor(use_case, month, desk)[1])
    return reports


def consider(platform: Platform, reports: Sequence[MonthlyReport], as_of: date, asked_by: str) -> Retraining:
    """Whether to retrain as of a day, and why."""
    champion = in_force(platform)
    if champion is None and not holds_up_to(platform, as_of):
        return Retraining(Course.TRAIN, "first", "There is no champion yet.")
    return decide_retraining(
        _verdict(reports),
        holds_up_to(platform, as_of),
        champion_definition=champion.definition if champion else 0,
        definition_in_force=_definition(platform, as_of),
        asked_by=asked_by,
    )


def rest(platform: Platform, decided: Retraining, as_of: date) -> Ending:
    """No training: say why, in the ledger too."""
    keep(platform.desk, platform.use_case.name, bundle="", as_of=as_of, actor=TRAINER, reason=decided.sentence)
    return Ending(Kind.HELD if decided.course is Course.HOLD else Kind.RESTED, decided.sentence)


def holds_up_to(platform: Platform, as_of: date) -> list[Hold]:
    """The open holds about months that are over at the end of `as_of`."""
    entries = platform.ledger.entries(platform.use_case.name)
    return [hold for hold in open_holds(entries) if Month.parse(hold.month).last_day <= as_of]


def in_force(platform: Platform) -> Champion | None:
    digest = digest_in_force(platform.office, platform.use_case.name)
    if not digest:
        return None
    bundle = platform.released_bundle(digest)
    return Champion(bundle, platform.scorer(bundle.graph))


def timed(platform: Platform, ending: Ending, reports: Sequence[MonthlyReport] = ()) -> Ending:
    """The ending with what led to it and how long each step took."""
    return replace(ending, reports=tuple(reports), timings=tuple(platform.watch.steps))


def comparable_months(platform: Platform, as_of: date) -> tuple[list[Month], tuple[str, ...]]:
    """The matured cohorts of the newest coding that has enough of them to train, and those that are left out for it.

    Outcomes of two codings cannot be learnt together. Nothing is left out in silence: the holds come first.
    """
    known = _matured(platform, as_of)
    codings = list(dict.fromkeys(part.facts["coding"] for part in reversed(known)))
    by_coding = {coding: [part.month for part in known if part.facts["coding"] == coding] for coding in codings}
    enough = next((months for months in by_coding.values() if len(months) >= FEWEST_COHORTS), [])
    chosen = enough or [part.month for part in known]
    return chosen, tuple(str(part.month) for part in known if part.month not in chosen)


def _verdict(reports: Sequence[MonthlyReport]) -> Verdict | None:
    return overall([report.verdict for report in reports]) if reports else None


def _definition(platform: Platform, as_of: date) -> int:
    """The outcome definition in force for the cohorts that would be trained on."""
    use_case = platform.use_case
    months, _ = comparable_months(platform, as_of)
    coding = next((part.facts["coding"] for part in _matured(platform, as_of) if part.month in months), None)
    entries = platform.ledger.entries(use_case.name)
    return accepted_definition(entries, use_case.as_coded, coding) if coding else 0


def _matured(platform: Platform, as_of: date) -> list[PartitionVersion]:
    """The outcomes known at the end of `as_of`, oldest month first."""
    known = platform.lake.versions(OUTCOMES, known_at=platform.clock.now())
    return [part for part in known if platform.use_case.matured_at(part.month) <= as_of]


def _record(
    platform: Platform,
    cohorts: Cohorts,
    development: Development,
    assessment: Assessment,
    evidence: Evidence,
    trigger: str,
) -> RunRecord:
    recipe, bundle = assessment.recipe, assessment.bundle
    params = {"family": recipe.family, "features": ", ".join(recipe.features), "seed": str(recipe.seed)}
    params |= {f"{recipe.family}.{name}": str(value) for name, value in recipe.parameters.items()}
    params |= {"calibration.slope": str(recipe.calibration.slope), "calibration.intercept": str(recipe.calibration.intercept)}
    tags = {
        "as_of": cohorts.as_of.isoformat(),
        "trigger": trigger or "a person asked for it",
        "development": ", ".join(map(str, cohorts.plan.development)),
        "out_of_time": str(cohorts.plan.out_of_time),
        "definition_version": str(recipe.definition_version),
        "gate": assessment.decision.outcome,
        "gate_sentence": assessment.decision.sentence,
        "evidence": evidence.digest,
        "git_commit": platform.workshop.origin.git_commit,
        "lock_sha256": platform.workshop.origin.lock_sha256,
    }
    metrics = {name: value for name, value in (development.metrics() | assessment.metrics()).items() if np.isfinite(value)}
    return RunRecord(
        name=f"{recipe.family} as of {cohorts.as_of}",
        params=params,
        metrics=metrics,
        tags=tags,
        files=platform.evidence.store(bundle.model, bundle.digest, evidence.files),
    )
