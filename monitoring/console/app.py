"""The viewer's pages over HTTP. Server-rendered, without scripts, and read-only: there is nothing to submit.

A stored report (Evidently's page) is foreign code. It runs in a frame without our origin, and can neither fetch nor send.
A validation page (Great Expectations') is shown without its scripts. An evidence pack has none.
"""

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse
from fastapi.staticfiles import StaticFiles
from fastapi.templating import Jinja2Templates
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.exceptions import HTTPException
from starlette.middleware.trustedhost import TrustedHostMiddleware

from models.errors import Integrity, NotFound, PlatformError, Unavailable
from monitoring.console import advice, charts, evidence, rollouts, views, words
from monitoring.console.sources import Sources, Trouble
from monitoring.outcomes.estimation import ASSUMPTION
from monitoring.packs import document as document_of
from monitoring.report import ReportKey

FOLDER = Path(__file__).parent
OWN_PAGES = "default-src 'none'; style-src 'self'; img-src 'self' data:; frame-src 'self'; base-uri 'none'; form-action 'none'"
STORED_PAGES = (
    "sandbox allow-scripts; default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval'; style-src 'unsafe-inline'; "
    "img-src data: blob:; font-src data:; base-uri 'none'; form-action 'none'"
)
PACK_PAGES = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; base-uri 'none'; form-action 'none'"
CHECKED_PAGES = "sandbox; default-src 'none'; style-src 'self' 'unsafe-inline'; base-uri 'none'; form-action 'none'"
STATUS = {NotFound: HTTPStatus.NOT_FOUND, Integrity: HTTPStatus.BAD_GATEWAY, Unavailable: HTTPStatus.SERVICE_UNAVAILABLE}


def console(sources: Sources, *, hosts: list[str]) -> FastAPI:
    """`hosts`: the names under which a browser may ask; another name is a page elsewhere that points its name at us."""
    app = FastAPI(title="Steward monitoring", docs_url=None, redoc_url=None, openapi_url=None)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=hosts)
    app.middleware("http")(_secured)
    app.mount("/static", StaticFiles(directory=FOLDER / "static"))
    page = _renderer(sources)
    _serve_evidence(app, sources, page)
    _serve_rollouts(app, sources, page)

    @app.get("/")
    def front(request: Request) -> Response:
        return page(request, "front.html", cards=views.front(sources), runs=views.recent_runs(sources))

    @app.get("/models/{model}")
    def model(request: Request, model: str) -> Response:
        shown = views.model_page(sources, model)
        return page(request, "model.html", page=shown, charts=charts.of_model(shown.card.months))

    @app.get("/models/{model}/reports/{month}")
    @app.get("/models/{model}/reports/{month}/{stamp}")
    def report(request: Request, model: str, month: str, stamp: str = "") -> Response:
        shown = views.report_page(sources, model, month, stamp)
        return page(request, "report.html", page=shown, charts=charts.of_report(shown.report))

    @app.get("/models/{model}/reports/{month}/{stamp}/documents/{name}")
    def document(model: str, month: str, stamp: str, name: str) -> Response:
        return HTMLResponse(sources.reports.document(ReportKey(model, month, stamp), name))

    @app.get("/validations")
    def validations(request: Request) -> Response:
        return page(request, "validations.html", found=views.recent_validations(sources))

    @app.get("/validations/{name:path}")
    def validation(name: str) -> Response:
        return HTMLResponse(sources.validations.page(name))

    @app.exception_handler(PlatformError)
    def problem(request: Request, error: PlatformError) -> Response:
        status = next((code for kind, code in STATUS.items() if isinstance(error, kind)), HTTPStatus.INTERNAL_SERVER_ERROR)
        return page(request, "problem.html", status=status, trouble=Trouble(error.problem, error.hint))

    @app.exception_handler(HTTPException)
    def no_such_page(request: Request, error: HTTPException) -> Response:
        trouble = Trouble(f"There is no page at {request.url.path}.", "start from the overview")
        return page(request, "problem.html", status=HTTPStatus(error.status_code), trouble=trouble)

    return app


def _serve_evidence(app: FastAPI, sources: Sources, page: Callable[..., Response]) -> None:
    @app.get("/models/{model}/versions/{number}/evidence")
    def pack(request: Request, model: str, number: int) -> Response:
        return page(request, "evidence.html", page=evidence.evidence_page(sources, model, number))

    @app.get("/models/{model}/versions/{number}/evidence/files/{name:path}")
    def artefact(model: str, number: int, name: str) -> Response:
        data, kind = document_of(evidence.evidence_files(sources, model, number)[1], name)
        return Response(data, media_type=kind)


def _serve_rollouts(app: FastAPI, sources: Sources, page: Callable[..., Response]) -> None:
    @app.get("/rollouts")
    def overview(request: Request) -> Response:
        return page(request, "rollouts.html", found=rollouts.overview(sources))

    @app.get("/models/{model}/rollouts/{number}")
    def rollout(request: Request, model: str, number: int) -> Response:
        return page(request, "rollout.html", page=rollouts.rollout_page(sources, model, number))

    @app.get("/models/{model}/swap-sets/{report}/{name}")
    def swap_set(model: str, report: str, name: str) -> Response:
        data, kind = rollouts.file_of(sources, model, report, name)
        return Response(data, media_type=kind)


def _renderer(sources: Sources) -> Callable[..., Response]:
    environment = Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= words.FILTERS
    environment.tests["trouble"] = lambda part: isinstance(part, Trouble)
    environment.globals |= {"bars": charts.bars, "canvas": charts, "sources": sources, "assumption": ASSUMPTION}
    environment.globals["run"] = lambda command: advice.command_for(command, sources.scenario)
    templates = Jinja2Templates(env=environment)

    def page(request: Request, name: str, *, status: HTTPStatus = HTTPStatus.OK, **context: Any) -> Response:
        return templates.TemplateResponse(request, name, context, status_code=status)

    return page


async def _secured(request: Request, answer: Callable[[Request], Awaitable[Response]]) -> Response:
    response = await answer(request)
    path = request.url.path
    kinds = {
        "/documents/": STORED_PAGES,
        "/evidence/files/": PACK_PAGES,
        "/swap-sets/": PACK_PAGES,
        "/validations/": CHECKED_PAGES,
    }
    policy = next((policy for part, policy in kinds.items() if part in path), OWN_PAGES)
    framed = "'self'" if policy in (STORED_PAGES, PACK_PAGES) else "'none'"
    response.headers["Content-Security-Policy"] = f"{policy}; frame-ancestors {framed}"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["Cache-Control"] = "no-cache"
    return response
