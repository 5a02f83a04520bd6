"""The HTTP door: which path asks what, and which status each problem gets. Deciding happens in prediction.py."""

import asyncio
import logging
import os
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.openapi.utils import get_openapi
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.routing import Route

from models import errors
from models.errors import PlatformError
from serving.answers.answer import Ask
from serving.answers.desk import Desk
from serving.answers.prediction import Predictor
from serving.door.bodies import BodyTooLarge, Gone, NotJson, body, idempotency_key, media_type
from serving.door.envelope import Marked, Patient
from serving.door.guard import Bounds, Guard
from serving.door.needs import to_score
from serving.door.refusals import AddressTooLong, HeadTooLarge, NotAuthenticated, NotPermitted, TooManyRequests, TurnedAway
from serving.door.register import Holder, Register, may_read
from serving.durability.recording import Recorder
from serving.durability.spooling import Spooling
from serving.protocols.documents import JSON, PROBLEM, Models, Problem, Readiness, Ready, Reviewed, Trouble, problem, served
from serving.protocols.express import Express
from serving.protocols.invocations import CSV, TARGET, returned, translated
from serving.protocols.openapi import complete
from serving.protocols.reviews import Reviewing, Reviews
from serving.protocols.scoring import PATH, Scoring, Shortcut
from serving.release.watching import Watcher
from serving.telemetry.metering import Family, Meter, gauge, in_force
from serving.telemetry.sight import Sight

TEXT = "text/plain; version=0.0.4; charset=utf-8"
"""What Prometheus reads."""

logger = logging.getLogger("steward.serving")


STATUS: dict[type[PlatformError], int] = {
    BodyTooLarge: 413,
    NotJson: 415,
    NotAuthenticated: 401,
    NotPermitted: 403,
    TooManyRequests: 429,
    HeadTooLarge: 431,
    AddressTooLong: 414,
    errors.InputRefused: 422,
    errors.BatchRejected: 422,
    errors.NoChampion: 503,
    errors.Expired: 410,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.Held: 409,
    errors.NotEnoughData: 409,
    errors.Integrity: 503,
    errors.NotApproved: 503,
    errors.Unavailable: 503,
    errors.Misconfigured: 503,
}
"""The whole error tree. A class that is not named has the status of its parent; a test proves that none is left out."""


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
) -> Marked:
    """The application. `register` says who may ask. `close` is called when everything is answered and recorded. Of `spooling` its
    state is told."""

    meter = Meter()

    def numbers() -> list[Family]:
        """Gathered on the event loop, where they are counted."""
        return [*meter.families(), *_standing(predictor, watcher, spooling)]

    async def keep() -> None:
        await run_in_threadpool(sight.keep, numbers())

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await run_in_threadpool(watcher.look)
        stop = asyncio.Event()
        watch = asyncio.create_task(_watch(watcher, limits.poll_seconds, stop, keep))
        watch.add_done_callback(_tell_if_it_broke)
        yield
        stop.set()
        await asyncio.wait([watch])
        await run_in_threadpool(recorder.close)
        await keep()
        if sight.access:
            sight.access.flush()
        if sight.tracer:
            await run_in_threadpool(sight.tracer.close)
        await run_in_threadpool(close)

    # No pages of documentation: they would load scripts from somebody else's server.
    nothing: dict[str, Any] = {"openapi_url": None, "docs_url": None, "redoc_url": None}
    # No redirections either: they would repeat the Host that somebody sent.
    app = FastAPI(title="Steward scoring", version="1", lifespan=lifespan, redirect_slashes=False, **nothing)
    desk = Desk(predictor, recorder, meter)
    scoring = Scoring(desk, limits.max_body_bytes, _refusal, meter, sight.tracer)
    app.router.routes.append(Route(PATH, scoring, methods=["POST"]))  # reached by a shortcut; here other methods are refused
    _add_problems(app)
    _add_models(app, predictor, watcher, limits)
    _add_invocations(app, desk, predictor, watcher, limits)
    _add_reviews(app, reviews, limits)
    _add_health(app, predictor, watcher, spooling)

    @app.get("/metrics", include_in_schema=False)
    async def metrics() -> Response:
        """For Prometheus: what was counted, what answers now and how it stands."""
        return Response(await run_in_threadpool(sight.exposed, numbers()), media_type=TEXT)

    guard = Guard(Shortcut(scoring, app), register, limits.bounds, _refusal, lambda: recorder.queued)
    return Marked(Patient(guard), sight.access, Express(desk, guard, meter, _refusal, sight.access, sight.tracer))


def _add_models(app: FastAPI, predictor: Predictor, watcher: Watcher, limits: Limits) -> None:
    @app.post("/v1/models/{model}/counterfactual", include_in_schema=False)
    async def counsel(model: str, request: Request) -> Response:
        sent = await body(request.scope, request.receive, limits.max_body_bytes)
        asked = Ask(model, sent, request.state.request_id)
        return Response(await run_in_threadpool(predictor.counsel, asked), media_type=JSON)

    @app.get("/v1/models", summary="What is served now", responses=_refusals())
    async def models(request: Request) -> Models:
        shown = [model for model in predictor.answering if _covered(request, model.pointer.model)]
        return Models(models=[served(model, watcher.seen.stale) for model in shown])

    @app.get("/openapi.json", include_in_schema=False)
    def document(request: Request) -> JSONResponse:
        fixed = get_openapi(title=app.title, version=app.version, routes=app.routes)
        shown = {name: model for name, model in predictor.models.items() if _covered(request, name)}
        return JSONResponse(complete(fixed, shown))


def _add_invocations(app: FastAPI, desk: Desk, predictor: Predictor, watcher: Watcher, limits: Limits) -> None:
    """What MLflow's clients and SageMaker call."""

    @app.get("/ping", include_in_schema=False)
    async def ping() -> Response:
        return Response(status_code=503 if watcher.obstacle() else 200)

    @app.post("/invocations", include_in_schema=False)
    async def invocations(request: Request) -> Response:
        headers = request.scope["headers"]
        key, media = idempotency_key(headers), media_type(request.headers.get("content-type", "").encode()).decode()
        sent = await body(request.scope, request.receive, limits.max_body_bytes, also=CSV.encode())
        model = predictor.only(request.headers.get(TARGET, ""))
        request.state.holder.permit(to_score(model.pointer.model))
        form = await run_in_threadpool(translated, sent, media, model.contract)
        answer = await desk.answer(Ask(model.pointer.model, form, request.state.request_id, key, request.state.holder))
        return Response(
            returned(answer.response), media_type=JSON, headers={"Idempotent-Replayed": "true"} if answer.replayed else {}
        )


def _add_reviews(app: FastAPI, reviews: Reviews, limits: Limits) -> None:
    address = "/v1/decisions/{decision_id}/review"
    taken = {"requestBody": {"required": True, "content": {JSON: {"schema": Reviewing.model_json_schema()}}}}

    @app.post(
        address,
        summary="What a person decided who was asked to",
        responses=_refusals(404, 409, 410, 413, 415, 422, 503),
        openapi_extra=taken,
    )
    async def take(decision_id: str, request: Request) -> Reviewed:
        sent = await body(request.scope, request.receive, limits.max_body_bytes)
        return await run_in_threadpool(reviews.take, decision_id, sent, request.state.holder)

    @app.get(address, summary="What a person decided, if anybody did", responses=_refusals(404, 503))
    async def read(decision_id: str, request: Request) -> Reviewed:
        return await run_in_threadpool(reviews.find, decision_id, request.state.holder)


def _add_health(app: FastAPI, predictor: Predictor, watcher: Watcher, spooling: Spooling | None) -> None:
    @app.get("/health/live", summary="The process answers")
    async def live() -> dict[str, bool]:
        return {"live": True}

    @app.get("/health/ready", summary="Requests can be answered", responses={503: {"model": Readiness | Ready}})
    async def ready(request: Request, response: Response) -> Readiness | Ready:
        obstacle, holder = watcher.obstacle(), request.state.holder
        problems = {**watcher.seen.named(), **(spooling.notes() if spooling else {})}
        response.status_code = 503 if obstacle else 200
        said = Ready(ready=obstacle is None, reason=obstacle.problem if obstacle else "")
        if not may_read(holder):
            return said
        models = {*predictor.models, *predictor.stopped}
        wrong = {where: why for where, why in problems.items() if where not in models or holder.covers(where)}
        return Readiness(
            **said.model_dump(),
            process=os.getpid(),
            hint=obstacle.hint if obstacle else "",
            models=[served(model, watcher.seen.stale) for model in predictor.answering if holder.covers(model.pointer.model)],
            problems=[Trouble(where=where, problem=why.problem, hint=why.hint) for where, why in wrong.items()],
        )


def _standing(predictor: Predictor, watcher: Watcher, spooling: Spooling | None) -> Iterator[Family]:
    """How it stands now."""
    yield from in_force(predictor.answering, watcher.seen.stale)
    yield gauge("ready", "1 if requests can be answered", watcher.obstacle() is None)
    yield gauge("problems", "what the last look found wrong: see /health/ready", len(watcher.seen.named()))
    waiting = spooling.depth().decisions if spooling else 0
    yield gauge("spool_decisions", "answered, and on their way to the log", waiting, adds_up=True)


def _add_problems(app: FastAPI) -> None:
    @app.exception_handler(PlatformError)
    @app.exception_handler(Exception)
    async def refused(request: Request, error: Exception) -> Response:
        return _refusal(error, request.state.request_id)

    @app.exception_handler(HTTPException)
    async def misdirected(request: Request, error: HTTPException) -> Response:
        hint = "the paths are in /openapi.json"
        said = Problem(
            type="about:blank",
            title=error.detail,
            status=error.status_code,
            detail=f"{request.method} {request.url.path}",
            hint=hint,
            request_id=request.state.request_id,
        )
        return _problem(said, error.headers)

    @app.exception_handler(Gone)
    async def gone(_request: Request, _error: Gone) -> Response:
        return Response(status_code=400)  # nobody reads it


def _refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """For the document: what the door refuses at any path, and what this path refuses beside."""
    content = {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {status: {"content": content} for status in sorted({401, 403, 414, 429, 431, 503, *statuses})}


def _covered(request: Request, model: str) -> bool:
    holder: Holder = request.state.holder
    return holder.covers(model)


def _refusal(error: Exception, request_id: str) -> Response:
    """What a client is told. Of an error that nobody expected nothing; the server's log has it under the request's id."""
    if isinstance(error, PlatformError):
        status = next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)
        return _problem(problem(error, status, request_id), error.headers if isinstance(error, TurnedAway) else None)
    logger.error("request %s broke", request_id)
    said = Problem(
        type="about:blank",
        title="Internal error",
        status=500,
        detail="something went wrong that nobody expected",
        hint="tell the operator the request id",
        request_id=request_id,
    )
    return _problem(said)


def _problem(said: Problem, headers: Mapping[str, str] | None = None) -> Response:
    retry = {"Retry-After": "1"} if said.status == 503 else {}
    return Response(said.model_dump_json(), said.status, media_type=PROBLEM, headers=retry | dict(headers or {}))


async def _watch(watcher: Watcher, seconds: float, stop: asyncio.Event, after: Callable[[], Awaitable[None]]) -> None:
    """Look at the channel until told to stop; not quite regularly, so that workers spread."""
    while True:
        try:
            await asyncio.wait_for(stop.wait(), seconds * (0.8 + secrets.randbelow(401) / 1000))
        except TimeoutError:
            await run_in_threadpool(watcher.look)
            await after()
        else:
            return


def _tell_if_it_broke(watch: asyncio.Task[None]) -> None:
    if not watch.cancelled() and (error := watch.exception()):
        logger.critical("the release channel is no longer watched; restart the service", exc_info=error)
