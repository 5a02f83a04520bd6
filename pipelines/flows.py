"""The flows: thin Prefect shells around plain functions. Each flow reads like its diagram."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime
from functools import wraps
from typing import Any, ParamSpec, TypeVar, cast
from uuid import uuid4

from prefect import State, Task, flow, runtime, serve, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import ConcurrencyLimitConfig, TaskRun
from prefect.deployments.runner import RunnerDeployment
from prefect.events.worker import EventsWorker
from prefect.flows import Flow
from prefect.logging.handlers import APILogWorker
from prefect.schedules import Cron
from prefect.server.schemas.schedules import CronSchedule
from prefect.tasks import exponential_backoff
from prefect.types.entrypoint import EntrypointType

from models.errors import Misconfigured, Unavailable
from models.governance.inventory import oversight
from models.governance.retrainings import Course
from models.governance.stop import Stopped
from monitoring.cadence import too_rare
from monitoring.report import MonthlyReport
from pipelines import steps
from pipelines.ingest import IngestReport
from pipelines.observing import run_of, step_of
from pipelines.pack import steps as packing
from pipelines.pack.steps import Kept
from pipelines.retraining import Retraining, asked_for
from pipelines.rollout import step as judging
from pipelines.scoring import step as scoring
from pipelines.scoring.run import Summary
from pipelines.steps import Ending
from pipelines.triggers import step as triggering
from pipelines.wiring import Platform, platform
from pipelines.wiring.telling import telling, tracing

RETRIES = 2
SETTLE_SECONDS = 10
FIRINGS = 60  # of a schedule that are looked at: five years of a monthly one

P = ParamSpec("P")
R = TypeVar("R")


def _passing(_task: "Task[..., Any]", _run: TaskRun, state: "State[Any]") -> bool:
    """Trying again helps against a dependency that is away. A lost race needs a new comparison, so a new run;
    a stop needs the person who lifts it."""
    problem = state.result(raise_on_failure=False)
    return isinstance(problem, Unavailable) and not isinstance(problem, Stopped)


def _step(function: Callable[P, R]) -> "Task[P, R]":
    name = function.__name__.replace("_", " ")
    shell = task(
        name=name,
        cache_policy=NO_CACHE,
        retries=RETRIES,
        retry_delay_seconds=exponential_backoff(2),
        retry_condition_fn=_passing,
    )
    return shell(step_of(name, function, tracing))


def _flow(name: str) -> Callable[[Callable[P, R]], "Flow[P, R]"]:
    """Of a scheduled run this is the beginning of its process: until here nobody has said where it tells what it does."""

    def shell(function: Callable[P, R]) -> "Flow[P, R]":
        observed = run_of(name, function, tracing, lambda: runtime.flow_run.get_id() or str(uuid4()))

        @wraps(observed)
        def run(*given: P.args, **named: P.kwargs) -> R:
            with telling():
                return observed(*given, **named)

        return flow(name=name, validate_parameters=False)(run)

    return shell


take_in = _step(steps.take_in)
open_cohorts = _step(steps.open_cohorts)
search = _step(steps.search)
judge = _step(steps.judge)
document = _step(steps.document)
release = _step(steps.release)
watch = _step(steps.watch)
notify = _step(steps.notify)
consider = _step(triggering.consider)
rest = _step(triggering.rest)
subject = _step(packing.subject)
fairness_files = _step(packing.fairness_files)
reasons_files = _step(packing.reasons_files)
rebuild_files = _step(packing.rebuild_files)
seal = _step(packing.seal)
sentence = _step(judging.sentence)
plan_batch = _step(scoring.plan_batch)
carry_out = _step(scoring.carry_out)


@_flow("ingest")
def ingest(as_of: date | None = None, use_case: str = "") -> IngestReport:
    """Take in every month that is over, validated."""
    parts = platform(use_case=use_case)
    return take_in(parts, parts.day(as_of))


@_flow("monitor")
def monitor(use_case: str = "") -> list[MonthlyReport]:
    """Report on the newest month decided on, and on the newest one whose outcomes are known."""
    return watch(platform(use_case=use_case))


@_flow("alerts")
def alerts(use_case: str = "") -> str:
    """Look at what is late or away, and send the alerts that wait: apart from what it is about, which so never waits for it."""
    return notify(platform(use_case=use_case))


@_flow("train")
def train(as_of: date | None = None, use_case: str = "", trials: int | None = None, known_at: datetime | None = None) -> Ending:
    """Ingest, search, gate, register, promote. Without `known_at` everything that was just taken in is known."""
    parts = platform(use_case=use_case, trials=trials)
    day = parts.day(as_of)
    take_in(parts, day)
    return steps.timed(parts, _trained(parts, day, parts.instant(known_at), asked_for()))


@_flow("retrain")
def retrain(
    as_of: date | None = None,
    use_case: str = "",
    trials: int | None = None,
    asked_by: str = "",
    known_at: datetime | None = None,
) -> Ending:
    """Ingest, monitor, and train if there is a trigger and nothing waits for a person."""
    parts = platform(use_case=use_case, trials=trials)
    day = parts.day(as_of)
    take_in(parts, day)
    reports = watch(parts)
    instant = parts.instant(known_at)
    decided = consider(parts, reports, day, asked_by, instant)
    if decided.course is not Course.TRAIN:
        return steps.timed(parts, rest(parts, decided, day), reports)
    return steps.timed(parts, triggering.despite(_trained(parts, day, instant, decided), decided), reports)


@_flow("evidence")
def evidence(version: int = 0, use_case: str = "", *, rebuild: bool = False) -> Kept:
    """The evidence pack of a registered version, by default the champion's: everything that a person reads before signing."""
    parts = platform(use_case=use_case)
    about = subject(parts, version)
    computed = fairness_files(parts, about) | reasons_files(parts, about)
    kept = seal(parts, about, computed | (rebuild_files(parts, about) if rebuild else {}))
    return replace(kept, timings=tuple(parts.watch.steps))


@_flow("judge")
def judge_rollout(use_case: str = "") -> str:
    """Judge the open roll-out, if there is one: end it by its guardrails, or ask people for a promotion."""
    return sentence(platform(use_case=use_case))


@_flow("score")
def score(month: str = "", source: str = "", output: str = "", use_case: str = "", label: str = "") -> Summary:
    """Decide a month of the lake, or what lies at a path, with the champion; go on where a killed run was."""
    parts = platform(use_case=use_case)
    return carry_out(parts, plan_batch(parts, month, source, output, label))


def _trained(parts: Platform, day: date, known_at: datetime, why: Retraining) -> Ending:
    with triggering.explained(parts, why, day) as told:
        cohorts = open_cohorts(parts, day, known_at)
        development = search(parts, cohorts)
        assessment = judge(parts, cohorts, development)
        evidence = document(parts, cohorts, development, assessment)
        return told(release(parts, cohorts, development, assessment, evidence, why))


def settle() -> None:
    """Let the engine's events and log lines leave before its API goes away."""
    for worker in (EventsWorker, APILogWorker):
        worker.drain_all(timeout=SETTLE_SECONDS)


def serve_schedules(parts: Platform) -> None:
    """Register the deployments and run what falls due, until stopped. Each run is a process of its own.

    One run of a deployment at a time: a second one waits for its turn. What fell due while nothing was running is not
    made up for: ingest takes in every month that is missing, and the others look at the newest.
    """
    settings = parts.settings
    ensure_often_enough(parts)
    print(f"Prefect: http://127.0.0.1:{settings.prefect_port}   (ctrl-c stops the schedules and the server)", flush=True)
    for name, cron in schedules(parts).items():
        print(f"  {name:8} {cron}   {settings.timezone}", flush=True)
    serve(*deployments(parts), print_starting_message=False)


def ensure_often_enough(parts: Platform) -> None:
    """Raises `Misconfigured` if monitoring is scheduled more rarely than the tier asks for, by the engine's own calendar."""
    if parts.use_case.inventory.missing():
        return  # of no tier: nothing of it is promoted or served
    cron, rules = parts.settings.monitor_cron, oversight(parts.use_case.inventory)
    schedule = CronSchedule(cron=cron, timezone=parts.settings.timezone)
    if too_rare(asyncio.run(schedule.get_dates(n=FIRINGS, start=parts.clock.now())), rules.monitoring_months):
        raise Misconfigured(
            f"STEWARD_PIPELINES_MONITOR_CRON is {cron!r}: that leaves gaps, and tier {rules.tier} is to be watched at least"
            f" every {rules.monitoring_months} months",
            hint="once a month is the default: 0 4 1 * *",
        )


def schedules(parts: Platform) -> dict[str, str]:
    """Cron expressions by flow."""
    settings = parts.settings
    calendar = {"ingest": settings.ingest_cron, "monitor": settings.monitor_cron, "retrain": settings.retrain_cron}
    return calendar | {"judge": settings.judge_cron, "alerts": settings.alerts_cron}


def deployments(parts: Platform) -> list[RunnerDeployment]:
    scheduled: dict[str, Flow[..., Any]] = {"ingest": ingest, "monitor": monitor, "retrain": retrain}
    scheduled |= {"judge": judge_rollout, "alerts": alerts}
    settings = parts.settings
    made = [
        scheduled[name].to_deployment(
            name=settings.use_case,
            schedule=Cron(cron, timezone=settings.timezone),
            parameters={"use_case": settings.use_case},
            concurrency_limit=ConcurrencyLimitConfig(limit=1),
            entrypoint_type=EntrypointType.MODULE_PATH,
        )
        for name, cron in schedules(parts).items()
    ]
    return cast(list[RunnerDeployment], made)  # a coroutine only inside a running event loop
