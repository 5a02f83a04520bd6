"""The console over HTTP: server-rendered pages without a script. Nothing is computed here that a flow can store.

Every page but the way in needs somebody who may look (`access/guard.py`), every action a form of the same session. What the
pages say is in `pages/`, one module for each group of addresses in `paths/`, their words and shapes in `templates/`.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from urllib.parse import quote

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.staticfiles import StaticFiles
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware.sessions import SessionMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware

from models import errors
from models.errors import PlatformError
from models.governance.access import Act
from monitoring.console.access import headers, origin, refusals
from monitoring.console.access.guard import Guard, ensure
from monitoring.console.access.sessions import LONGEST_SECONDS
from monitoring.console.desk import Desk, onwards
from monitoring.console.paths import (
    alerts,
    approvals,
    charts,
    decisions,
    evidence,
    features,
    operations,
    pages,
    rollouts,
    runs,
    sign_in,
)
from monitoring.console.sources import Sources, Trouble
from monitoring.telemetry.context import cause

STATIC = Path(__file__).parent / "static"
PATHS = (pages, charts, evidence, rollouts, approvals, operations, alerts, decisions, features, runs, sign_in)
LONGEST_SAID = 200
"""Characters of an address that nobody here has, as far as it is said back."""
OPEN = ("/static/", "/sign-in", "/metrics")
"""The way in, and what a Prometheus reads: numbers of the platform, by model and kind, none of an account."""
STATUS: dict[type[PlatformError], HTTPStatus] = {
    refusals.NotSignedIn: HTTPStatus.UNAUTHORIZED,
    refusals.NotPermitted: HTTPStatus.FORBIDDEN,
    refusals.TooManyAttempts: HTTPStatus.TOO_MANY_REQUESTS,
    refusals.FormRefused: HTTPStatus.BAD_REQUEST,
    errors.InputRefused: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.Expired: HTTPStatus.GONE,
    errors.NotFound: HTTPStatus.NOT_FOUND,
    errors.Conflict: HTTPStatus.CONFLICT,
    errors.Held: HTTPStatus.CONFLICT,
    errors.NotApproved: HTTPStatus.CONFLICT,
    errors.Integrity: HTTPStatus.BAD_GATEWAY,
    errors.Unavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.Misconfigured: HTTPStatus.SERVICE_UNAVAILABLE,
}
"""A class that is not named has the status of its parent; any other is the server's own fault."""


@dataclass(frozen=True)
class Door:
    """`hosts`: the names under which a browser may ask; another name is a page elsewhere that points its name at us.

    `secret` signs sessions: a new one for every process, so a restart ends them. `cookie` is the session's, its own for every
    home, since browsers do not tell ports apart. `secure`: people come over https. `address`: where, if not at this host.
    """

    hosts: list[str]
    secret: str
    cookie: str
    secure: bool = False
    address: str = ""


def console(sources: Sources, guard: Guard, door: Door) -> FastAPI:
    app = FastAPI(title="Steward", docs_url=None, redoc_url=None, openapi_url=None)
    desk = Desk.of(sources, guard)
    app.middleware("http")(_guarded(desk, door))
    app.add_middleware(
        SessionMiddleware,
        secret_key=door.secret,
        session_cookie=door.cookie,
        max_age=LONGEST_SECONDS,
        same_site="lax",
        https_only=door.secure,
    )
    app.middleware("http")(_with_headers(secure=door.secure))
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=door.hosts)
    app.mount("/static", StaticFiles(directory=STATIC))
    for group in PATHS:
        group.serve(app, desk)
    _serve_problems(app, desk, secure=door.secure)
    return app


Answer = Callable[[Request], Awaitable[Response]]


def _guarded(desk: Desk, door: Door) -> Callable[[Request, Answer], Awaitable[Response]]:
    async def guarded(request: Request, answer: Answer) -> Response:
        try:
            origin.ensure_own(request.method, request.headers, address=door.address, secure=door.secure)
            if request.url.path.startswith(OPEN):
                return await answer(request)
            request.state.person = await run_in_threadpool(desk.guard.person, request.session)
            if request.state.person is None:
                return _to_the_way_in(request)
            ensure(request.state.person, Act.LOOK)
        except PlatformError as error:
            return _problem(desk, request, error)
        return await answer(request)

    return guarded


def _to_the_way_in(request: Request) -> Response:
    """And back to where they wanted to go, if that was a page: to the month that was looked at, too."""
    wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return onwards(f"/sign-in?next={quote(wanted)}" if request.method == "GET" else "/sign-in")


def _with_headers(*, secure: bool) -> Callable[[Request, Answer], Awaitable[Response]]:
    async def with_headers(request: Request, answer: Answer) -> Response:
        response = await answer(request)
        response.headers.update(headers.of(request.url.path, secure=secure))
        return response

    return with_headers


def _serve_problems(app: FastAPI, desk: Desk, *, secure: bool) -> None:
    @app.exception_handler(PlatformError)
    def problem(request: Request, error: PlatformError) -> Response:
        return _problem(desk, request, error)

    @app.exception_handler(HTTPException)
    def no_such_page(request: Request, error: HTTPException) -> Response:
        return _no_such_page(desk, request, HTTPStatus(error.status_code))

    @app.exception_handler(RequestValidationError)
    def mistyped(request: Request, error: RequestValidationError) -> Response:  # noqa: ARG001, an address has no details
        return _no_such_page(desk, request, HTTPStatus.NOT_FOUND)

    @app.exception_handler(Exception)
    def unforeseen(request: Request, error: Exception) -> Response:  # noqa: ARG001, the log has it, with its places
        trouble = Trouble(
            "The console failed here: a mistake of its own.", f"its log tells where: look for {cause() or 'the last error'}"
        )
        page = desk.page(request, "problem.html", status=HTTPStatus.INTERNAL_SERVER_ERROR, trouble=trouble)
        page.headers.update(headers.of(request.url.path, secure=secure))  # it is answered outside of what sets them
        return page


def _no_such_page(desk: Desk, request: Request, status: HTTPStatus) -> Response:
    at = request.url.path[:LONGEST_SAID]
    trouble = Trouble(f"There is no page at {at}.", "the links above lead to every page; or search for a decision")
    return desk.page(request, "problem.html", status=status, trouble=trouble)


def _problem(desk: Desk, request: Request, error: PlatformError) -> Response:
    status = next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), HTTPStatus.INTERNAL_SERVER_ERROR)
    return desk.page(request, "problem.html", status=status, trouble=Trouble(error.problem, error.hint))
