"""The flows: thin Prefect shells around plain functions. Each flow reads like its diagram."""

from collections.abc import Callable
from datetime import date
from typing import Any, ParamSpec, TypeVar

from prefect import State, Task, flow, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import TaskRun
from prefect.tasks import exponential_backoff

from models.errors import Conflict, Unavailable
from monitoring.report import MonthlyReport
from pipelines import steps
from pipelines.ingest import IngestReport
from pipelines.retraining import Course
from pipelines.steps import Ending
from pipelines.wiring import Platform, platform

RETRIES = 2

P = ParamSpec("P")
R = TypeVar("R")


def _passing(_task: "Task[..., Any]", _run: TaskRun, state: "State[Any]") -> bool:
    """Trying again helps against a dependency that is away or a race that was lost, and against nothing else."""
    return isinstance(state.result(raise_on_failure=False), Unavailable | Conflict)


def _step(function: Callable[P, R]) -> "Task[P, R]":
    shell = task(
        name=function.__name__.replace("_", " "),
        cache_policy=NO_CACHE,
        retries=RETRIES,
        retry_delay_seconds=exponential_backoff(2),
        retry_condition_fn=_passing,
    )
    return shell(function)


take_in = _step(steps.take_in)
open_cohorts = _step(steps.open_cohorts)
search = _step(steps.search)
judge = _step(steps.judge)
document = _step(steps.document)
release = _step(steps.release)
watch = _step(steps.watch)
consider = _step(steps.consider)
rest = _step(steps.rest)


@flow(name="ingest", validate_parameters=False)
def ingest(as_of: date | None = None, use_case: str = "") -> IngestReport:
    """Take in every month that is over, validated."""
    parts = platform(use_case=use_case)
    return take_in(parts, parts.day(as_of))


@flow(name="monitor", validate_parameters=False)
def monitor(use_case: str = "") -> list[MonthlyReport]:
    """Report on the newest month decided on, and on the newest one whose outcomes are known."""
    return watch(platform(use_case=use_case))


@flow(name="train", validate_parameters=False)
def train(as_of: date | None = None, use_case: str = "", trials: int = 0) -> Ending:
    """Ingest, search, gate, register, promote."""
    parts = platform(use_case=use_case, trials=trials)
    day = parts.day(as_of)
    take_in(parts, day)
    return steps.timed(parts, _trained(parts, day, "A person asked for it."))


@flow(name="retrain", validate_parameters=False)
def retrain(as_of: date | None = None, use_case: str = "", trials: int = 0, asked_by: str = "") -> Ending:
    """Ingest, monitor, and train if there is a trigger and nothing waits for a person."""
    parts = platform(use_case=use_case, trials=trials)
    day = parts.day(as_of)
    take_in(parts, day)
    reports = watch(parts)
    decided = consider(parts, reports, day, asked_by)
    train_now = decided.course is Course.TRAIN
    ending = _trained(parts, day, decided.sentence) if train_now else rest(parts, decided, day)
    return steps.timed(parts, ending, reports)


def _trained(parts: Platform, day: date, trigger: str) -> Ending:
    cohorts = open_cohorts(parts, day)
    development = search(parts, cohorts)
    assessment = judge(parts, cohorts, development)
    evidence = document(parts, cohorts, development, assessment)
    return release(parts, cohorts, development, assessment, evidence, trigger)
