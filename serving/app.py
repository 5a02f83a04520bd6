"""The application: everything that answers joined to its paths, from the first look at the channel to the last answer."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool
from starlette.routing import Route

from serving.answers.desk import Desk
from serving.answers.prediction import Predictor
from serving.door.envelope import Marked, Patient
from serving.door.guard import Bounds, Guard
from serving.door.needs import asks_for_a_score
from serving.door.register import Register
from serving.durability.recording import Recorder
from serving.durability.spooling import Spooling
from serving.paths.frames import add_frames
from serving.paths.health import add_health, add_metrics, standing
from serving.paths.inference import add_inference
from serving.paths.invocations import add_invocations
from serving.paths.models import add_models
from serving.paths.problems import add_problems, refusal
from serving.paths.reviews import add_reviews
from serving.protocols.express import Express
from serving.protocols.frames import Frames
from serving.protocols.reviews import Reviews
from serving.protocols.scoring import PATH, Scoring, Shortcut
from serving.release.watching import Watcher
from serving.rollout.counting import rolled_out
from serving.rollout.shadowing import Shadowing
from serving.telemetry.metering import Meter, Numbers
from serving.telemetry.sight import Sight


@dataclass(frozen=True)
class Limits:
    max_body_bytes: int
    poll_seconds: float
    bounds: Bounds = field(default_factory=Bounds)
    receive_seconds: float = 15.0
    keep_alive_seconds: int = 65


def scoring_app(
    predictor: Predictor,
    recorder: Recorder,
    watcher: Watcher,
    reviews: Reviews,
    limits: Limits,
    sight: Sight,
    close: Callable[[], None],
    spooling: Spooling | None = None,
    *,
    register: Register,
    shadowing: Shadowing | None = None,
    frames: Frames | None = None,
) -> Marked:
    """The application. `register` says who may ask, `frames` reads tables. `close` is called when everything is answered and
    recorded. Of `spooling` its state is told."""

    meter = Meter()

    def numbers() -> Numbers:
        """Gathered on the event loop, where they are counted."""
        tried = rolled_out(predictor.trials.values(), shadowing.counted if shadowing else {})
        return Numbers([*meter.families(), *standing(predictor, watcher, spooling), *tried])

    async def keep() -> None:
        await run_in_threadpool(sight.keep, numbers())

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await run_in_threadpool(watcher.look)
        stop = asyncio.Event()
        watch = asyncio.create_task(_watch(watcher, limits.poll_seconds, stop, keep))
        yield
        stop.set()
        await asyncio.wait([watch])
        await run_in_threadpool(recorder.close)
        if shadowing:
            await run_in_threadpool(shadowing.close)
        await keep()
        if sight.access:
            await run_in_threadpool(sight.access.close)
        if sight.tracer:
            await run_in_threadpool(sight.tracer.close)
        await run_in_threadpool(close)

    # No pages of documentation: they would load scripts from somebody else's server.
    nothing: dict[str, Any] = {"openapi_url": None, "docs_url": None, "redoc_url": None}
    # No redirections either: they would repeat the Host that somebody sent.
    app = FastAPI(title="Steward scoring", version="1", lifespan=lifespan, redirect_slashes=False, **nothing)
    desk = Desk(predictor, recorder, meter, *([shadowing.offer] if shadowing else []))
    most = limits.max_body_bytes
    scoring = Scoring(desk, most, refusal, meter, sight.tracer)
    add_frames(app, desk, predictor, frames, meter, most)
    app.router.routes.append(Route(PATH, scoring, methods=["POST"]))  # reached by a shortcut; here other methods are refused
    add_problems(app)
    add_models(app, predictor, watcher, most)
    add_invocations(app, desk, predictor, watcher, meter, most)
    add_inference(app, desk, predictor, watcher, meter, most)
    add_reviews(app, reviews, most)
    add_health(app, predictor, watcher, spooling, register)
    add_metrics(app, sight.exposed, numbers)
    guard = Guard(Shortcut(scoring, app), register, limits.bounds, refusal, lambda: recorder.queued)

    def told(method: str, path: str, status: int) -> None:
        """Outermost, so that whoever is turned away at the door is counted, too."""
        if asks_for_a_score(method, path):
            meter.responded(status)

    return Marked(Patient(guard), sight.access, Express(desk, guard, meter, refusal, sight.access, sight.tracer), told)


async def _watch(watcher: Watcher, seconds: float, stop: asyncio.Event, after: Callable[[], Awaitable[None]]) -> None:
    """Look at the channel until told to stop; not quite regularly, so that workers spread."""
    while True:
        try:
            await asyncio.wait_for(stop.wait(), seconds * (0.8 + secrets.randbelow(401) / 1000))
        except TimeoutError:
            try:
                await run_in_threadpool(watcher.look)
                await after()
            except Exception as error:  # noqa: BLE001, whatever it is, a stop that comes later must be seen
                watcher.failed(error)
        else:
            return
