"""The steps of the flows: each takes the platform and plain values, does one thing, and can be done again."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum

import numpy as np

from models.bundle import Bundle
from models.errors import Held
from models.gates import Outcome
from models.governance.release import champion as digest_in_force
from models.governance.requests import requested
from models.governance.standing import standing
from models.registry import RunRecord
from monitoring.monitor import due, monitor
from monitoring.report import MonthlyReport
from monitoring.sealing import seal_all
from monitoring.telemetry.context import cause
from pipelines.alerting import raise_alerts, told
from pipelines.assessment import Assessment, Champion, Cohorts, assess
from pipelines.candidates import Effort
from pipelines.development import Development, develop
from pipelines.evidence import Evidence, collect, fullest
from pipelines.exposure import ensure_declared, measured
from pipelines.ingest import IngestReport, ingest
from pipelines.knowledge import Knowledge
from pipelines.openings import Opening, note_opening, opening_of
from pipelines.promotion import Candidate, keep, mirror, promote, register, request_promotion
from pipelines.retraining import Retraining
from pipelines.stopwatch import Part
from pipelines.supply import Subject
from pipelines.wiring import Platform

RUN_TAG = "steward.run_id"
"""Of a registered run and version: the id under which log lines, spans and the ledger tell how it was made."""


class Kind(StrEnum):
    PROMOTED = "promoted"
    UNCHANGED = "unchanged"
    KEPT = "kept"
    REFUSED = "refused"
    HELD = "held"
    RESTED = "rested"
    ASKED = "asked"


@dataclass(frozen=True)
class Ending:
    """How a run of training or retraining ended. `version` and `bundle` are those of the model it made, if it made one."""

    kind: Kind
    sentence: str
    version: int = 0
    bundle: str = ""
    opened: str = ""  # how often its out-of-time month was opened, as a sentence
    failed: tuple[str, ...] = ()  # the gate's questions that the model did not pass, where that kept it from being promoted
    reports: tuple[MonthlyReport, ...] = ()
    timings: tuple[tuple[str, Part, float], ...] = ()


def take_in(platform: Platform, as_of: date) -> IngestReport:
    with platform.watch.step("ingest and validate", Part.VALIDATION):
        return ingest(platform.use_case, platform.source, platform.intake, as_of=as_of, progress=platform.progress.say)


def knowledge(platform: Platform, as_of: date, known_at: datetime | None = None) -> Knowledge:
    """Business up to the end of `as_of`, records up to `known_at`, which is now if it is not said."""
    return Knowledge(platform.use_case, platform.lake, platform.ledger, as_of, platform.instant(known_at))


def open_cohorts(platform: Platform, as_of: date, known_at: datetime | None = None) -> Cohorts:
    """Raises `Held` while a hold is open about anything that may be known, or if more hangs on the model than its owner
    declares; `NotEnoughData` below two matured cohorts."""
    with platform.watch.step("read the cohorts", Part.DATA):
        cohorts = knowledge(platform, as_of, known_at).cohorts()
        ensure_declared(measured(platform.use_case, cohorts.matured))
    if cohorts.left_out:
        platform.progress.say(f"left out, because their outcomes are coded otherwise: {', '.join(cohorts.left_out)}")
    return cohorts


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
        assessment = assess(platform.use_case, cohorts, development.recipe, platform.workshop, in_force(platform))
        bundle = assessment.bundle
        note_opening(platform.office, bundle.model, bundle.digest, cohorts.plan.out_of_time, cohorts.as_of, platform.trainer)
        return assessment


def document(platform: Platform, cohorts: Cohorts, development: Development, assessment: Assessment) -> Evidence:
    """Figures and pictures of everything that the choice and the gate rested on."""
    with platform.watch.step("draw the evidence", Part.TRACKING):
        opening = _opening(platform, cohorts, assessment)
        pictures = platform.draw(cohorts, development, assessment)
        made_with = platform.supply(Subject.bundle(assessment.bundle.model, assessment.bundle.digest))
        exposure = measured(platform.use_case, cohorts.matured)
        return collect(cohorts, development, assessment, opening, exposure, pictures, made_with)


def release(
    platform: Platform, cohorts: Cohorts, development: Development, assessment: Assessment, evidence: Evidence, why: Retraining
) -> Ending:
    """Register what was made, then promote it or keep the champion, with the reason in the ledger."""
    with platform.watch.step("register and release", Part.TRACKING):
        opened = _opening(platform, cohorts, assessment).sentence
        return replace(_released(platform, cohorts, development, assessment, evidence, why), opened=opened)


def _released(
    platform: Platform, cohorts: Cohorts, development: Development, assessment: Assessment, evidence: Evidence, why: Retraining
) -> Ending:
    bundle, decision, desk = assessment.bundle, assessment.decision, platform.desk
    model = bundle.model
    if digest_in_force(desk.office, model) == bundle.digest:
        return _again(platform, bundle)
    run = _record(platform, cohorts, development, assessment, evidence, why)
    asked_with = fullest(platform.packs, platform.ledger.entries(model), model, bundle.digest, evidence.digest)
    candidate = Candidate(bundle, run, platform.trainer, asked_with)
    if decision.outcome is not Outcome.PROMOTE:
        version = register(desk, candidate)
        keep(desk, model, bundle=bundle.digest, as_of=cohorts.as_of, actor=platform.trainer, reason=decision.sentence)
        kind = Kind.KEPT if decision.outcome is Outcome.KEEP else Kind.REFUSED
        failed = tuple(check.sentence for check in decision.checks if not check.passed)
        return Ending(kind, decision.sentence, version.version, bundle.digest, failed=failed)
    version = request_promotion(
        desk, candidate, compared_with=assessment.compared_with, reason=f"{why.sentence} {decision.sentence}".strip()
    )
    if platform.settings.roll_out_first and assessment.compared_with:
        mirror(desk, model)
        return Ending(Kind.ASKED, f"{decision.sentence} It is rolled out before it is promoted.", version.version, bundle.digest)
    return _into_force(platform, bundle, version.version, decision.sentence)


def _again(platform: Platform, bundle: Bundle) -> Ending:
    """This very model is in force: completes what a killed run left, and says whether anything came of it."""
    office = platform.office
    known, before = requested(office, bundle.model, bundle.digest), office.channel.pointers(bundle.model)
    ending = _into_force(platform, bundle, known.version, "This very model is in force already.")
    same = ending.kind is Kind.PROMOTED and office.channel.pointers(bundle.model) == before
    return replace(ending, kind=Kind.UNCHANGED) if same else ending


def _into_force(platform: Platform, bundle: Bundle, version: int, sentence: str) -> Ending:
    """Promoted, said with what people have not approved of it, or held for them."""
    desk, office = platform.desk, platform.office
    platform.expect_seals()
    try:
        promote(desk, bundle.model, bundle.digest)
    except Held as held:
        mirror(desk, bundle.model)
        return Ending(Kind.HELD, held.problem, version, bundle.digest)
    caveat = standing(office.channel, office.trust, office.ledger, bundle.model, office.clock.now()).caveat
    return Ending(Kind.PROMOTED, f"{sentence} {caveat}".strip(), version, bundle.digest)


def watch(platform: Platform) -> list[MonthlyReport]:
    """Seal the decisions, report on the months that are worth it (see `due`), raise alerts. The reports, newest month first.

    They are made oldest month first: a report looks at those before it, which may be due because they are damaged.
    """
    with platform.watch.step("monitor", Part.DATA):
        use_case, desk = platform.use_case, platform.monitoring_desk
        seal_all(platform.decisions, platform.lake, use_case.name, recorded_at=platform.clock.now())
        platform.note_decisions()
        for late in platform.overdue(use_case.name):
            platform.progress.say(f"{late.where} was overdue: {late.problem}")
        reports = []
        for month in reversed(due(use_case, desk)):
            platform.progress.say(f"monitoring {month}")
            reports.append(monitor(use_case, month, desk)[1])
        raise_alerts(platform)
    return reports[::-1]


def notify(platform: Platform) -> str:
    """Look at what the clock shows, then tell people what waits; says what was done."""
    changed, done = told(platform)
    return f"{len(changed)} alerts changed, {done.sent} messages sent, {len(done.failures)} channels failed"


def unreported(platform: Platform) -> str:
    """Why there is nothing to report on."""
    months = platform.decisions.months(platform.use_case.name)
    if not months:
        return "no decision has been logged."
    logged = f"{sum(months.values()):,} decisions are logged, on {', '.join(map(str, sorted(months)))}"
    return f"{logged}; of each month inputs were deleted after retention, or it has not begun yet."


def in_force(platform: Platform) -> Champion | None:
    digest = digest_in_force(platform.office, platform.use_case.name)
    if not digest:
        return None
    bundle = platform.released_bundle(digest)
    return Champion(bundle, platform.scorer(bundle.graph))


def timed(platform: Platform, ending: Ending, reports: Sequence[MonthlyReport] = ()) -> Ending:
    """The ending with what led to it and how long each step took."""
    return replace(ending, reports=tuple(reports), timings=tuple(platform.watch.steps))


def _opening(platform: Platform, cohorts: Cohorts, assessment: Assessment) -> Opening:
    bundle = assessment.bundle
    return opening_of(platform.ledger.entries(bundle.model), bundle.model, bundle.digest, cohorts.plan.out_of_time)


def _record(
    platform: Platform,
    cohorts: Cohorts,
    development: Development,
    assessment: Assessment,
    evidence: Evidence,
    why: Retraining,
) -> RunRecord:
    recipe, bundle = assessment.recipe, assessment.bundle
    params = {"family": recipe.family, "features": ", ".join(recipe.features), "seed": str(recipe.seed)}
    params |= {f"{recipe.family}.{name}": str(value) for name, value in recipe.parameters.items()}
    params |= {"calibration.slope": str(recipe.calibration.slope), "calibration.intercept": str(recipe.calibration.intercept)}
    tags = {
        "as_of": cohorts.as_of.isoformat(),
        "known_at": bundle.lineage["known_at"],
        "trigger": why.kinds,
        "trigger_sentence": why.sentence,
        "trigger_evidence": why.evidence,
        "development": ", ".join(map(str, cohorts.plan.development)),
        "out_of_time": str(cohorts.plan.out_of_time),
        "out_of_time_opening": str(_opening(platform, cohorts, assessment).number),
        "definition_version": str(recipe.definition_version),
        "gate": assessment.decision.outcome,
        "gate_sentence": assessment.decision.sentence,
        "evidence": evidence.digest,
        "git_commit": platform.workshop.origin.git_commit,
        "lock_sha256": platform.workshop.origin.lock_sha256,
        RUN_TAG: cause() or "none",
    }
    metrics = {name: value for name, value in (development.metrics() | assessment.metrics()).items() if np.isfinite(value)}
    return RunRecord(
        name=f"{recipe.family} as of {cohorts.as_of}",
        params=params,
        metrics=metrics,
        tags=tags,
        files=platform.evidence.store(bundle.model, bundle.digest, evidence.files),
    )
