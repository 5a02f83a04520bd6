"""Whether the process lives, whether requests may be sent to it, whether it can answer them, and what it counted."""

import os
from collections.abc import Callable, Iterator

from fastapi import FastAPI, Request, Response
from starlette.concurrency import run_in_threadpool

from models.governance.api_keys import Action
from monitoring.telemetry.build import build
from monitoring.telemetry.families import Family, Histogram, Labels, gauge
from serving.answers.prediction import Predictor
from serving.door.holders import may_read
from serving.door.register import Register
from serving.durability.spooling import Spooling
from serving.protocols.documents import Answering, Readiness, Ready, Trouble, served
from serving.release.watching import Watcher
from serving.telemetry.metering import Numbers, in_force

TEXT = "text/plain; version=0.0.4; charset=utf-8"
"""What Prometheus reads."""


def add_health(app: FastAPI, predictor: Predictor, watcher: Watcher, spooling: Spooling | None, register: Register) -> None:
    @app.get("/health/live", summary="The process answers")
    async def live() -> dict[str, bool]:
        return {"live": True}

    @app.get("/health/answering", summary="Requests may be sent here", responses={503: {"model": Answering}})
    async def answering(response: Response) -> Answering:
        """For proxies: a model that a person stopped is stopped at every replica, and the service says why."""
        unfit = watcher.unfit()
        response.status_code = 503 if unfit else 200
        return Answering(answering=unfit is None)

    @app.get("/health/ready", summary="Requests can be answered", responses={503: {"model": Readiness | Ready}})
    async def ready(request: Request, response: Response) -> Readiness | Ready:
        obstacle, holder = watcher.obstacle(), request.state.holder
        problems = {**watcher.seen.named(), **(spooling.notes() if spooling else {}), **register.notes()}
        response.status_code = 503 if obstacle else 200
        said = Ready(ready=obstacle is None, reason=obstacle.problem if obstacle else "")
        if not may_read(holder):
            return said
        models = {*predictor.models, *predictor.stopped}
        wrong = {where: why for where, why in problems.items() if where not in models or holder.covers(where, Action.READ)}
        return Readiness(
            **said.model_dump(),
            process=os.getpid(),
            hint=obstacle.hint if obstacle else "",
            models=[
                served(model, watcher.seen.stale, predictor.trials)
                for model in predictor.answering
                if holder.covers(model.pointer.model, Action.READ)
            ],
            problems=[Trouble(where=where, problem=why.problem, hint=why.hint) for where, why in wrong.items()],
        )


def add_metrics(app: FastAPI, exposed: Callable[[Numbers], bytes], numbers: Callable[[], Numbers]) -> None:
    @app.get("/metrics", include_in_schema=False)
    async def metrics() -> Response:
        """For Prometheus: what was counted, what answers now and how it stands."""
        return Response(await run_in_threadpool(exposed, numbers()), media_type=TEXT)


def standing(predictor: Predictor, watcher: Watcher, spooling: Spooling | None) -> Iterator[Family]:
    """How it stands now."""
    yield build()
    yield from in_force(predictor.answering, watcher.seen.stale)
    names = {*predictor.models, *predictor.halted}
    halted: dict[Labels, float | Histogram] = {(("model", name),): float(name in predictor.halted) for name in names}
    yield Family("steward_model_halted", "gauge", "1 if a person stopped the model", halted, adds_up=False)
    yield gauge("ready", "1 if requests can be answered", watcher.obstacle() is None)
    yield gauge("problems", "what the last look found wrong: see /health/ready", len(watcher.seen.named()))
    waiting = spooling.depth().decisions if spooling else 0
    yield gauge("spool_decisions", "answered, and on their way to the log", waiting, adds_up=True)
    late = spooling.late() if spooling else 0
    yield gauge("spool_late_decisions", "of them, those of a spool whose oldest waits for minutes", late, adds_up=True)
