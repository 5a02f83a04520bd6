"""The way in, and the way out."""

import re
from http import HTTPStatus

from fastapi import FastAPI, Request, Response
from starlette.concurrency import run_in_threadpool

from models.errors import PlatformError
from monitoring.console.access import forms
from monitoring.console.access.refusals import TooManyAttempts
from monitoring.console.desk import Desk, body, onwards
from monitoring.console.sources import Trouble

_PATH = re.compile(r"/(?:[\w.-]+/)*[\w.-]*(?:\?[\w.=&-]*)?")
_LONGEST = 300


def serve(app: FastAPI, desk: Desk) -> None:
    guard = desk.guard

    @app.get("/sign-in")
    def way_in(request: Request, next: str = "/") -> Response:  # noqa: A002, it is what browsers' addresses call it
        if guard.person(request.session):
            return onwards(_own(next))
        return desk.page(request, "sign_in.html", trouble=None, wanted=_own(next), login_token=guard.token(request.session))

    @app.post("/sign-in")
    async def sign_in(request: Request) -> Response:
        found = forms.fields(request.headers.get("content-type", ""), await body(request))
        guard.ensure_ours(request.session, found.get("token", ""))
        address, wanted = request.client.host if request.client else "", _own(found.get("next", "/"))
        name, password = found.get("name", ""), found.get("password", "")
        try:
            await run_in_threadpool(guard.sign_in, request.session, name, password, address)
        except PlatformError as error:
            trouble, token = Trouble(error.problem, error.hint), guard.token(request.session)
            status = HTTPStatus.TOO_MANY_REQUESTS if isinstance(error, TooManyAttempts) else HTTPStatus.UNAUTHORIZED
            return desk.page(request, "sign_in.html", status=status, trouble=trouble, wanted=wanted, login_token=token)
        return onwards(wanted)

    @app.post("/sign-out")
    async def sign_out(request: Request) -> Response:
        found = forms.fields(request.headers.get("content-type", ""), await body(request))
        guard.ensure_ours(request.session, found.get("token", ""))
        guard.sessions.end(request.session)
        return onwards("/sign-in")


def _own(address: str) -> str:
    """A page of ours, never one elsewhere."""
    return address if len(address) <= _LONGEST and _PATH.fullmatch(address) else "/"
