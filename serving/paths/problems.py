"""Which status each problem gets, and what a client is told of it (RFC 9457)."""

import json
import logging
from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request, Response
from starlette.exceptions import HTTPException
from starlette.types import Receive, Scope, Send

from models import errors
from models.errors import PlatformError
from serving.door.bodies import BodyTooLarge, Gone, NotJson
from serving.door.refusals import AddressTooLong, HeadTooLarge, NotAuthenticated, NotPermitted, TooManyRequests, TurnedAway
from serving.protocols.documents import PROBLEM, Problem, problem

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


def refusal(error: Exception, request_id: str) -> Response:
    """What a client is told. Of an error that nobody expected nothing; the server's log has it under the request's id."""
    if isinstance(error, PlatformError):
        status = next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)
        return _response(problem(error, status, request_id), error.headers if isinstance(error, TurnedAway) else None)
    logger.error("request %s broke", request_id, extra={"request_id": request_id})
    said = Problem(
        type="about:blank",
        title="Internal error",
        status=500,
        detail="something went wrong that nobody expected",
        hint="tell the operator the request id",
        request_id=request_id,
    )
    return _response(said)


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """For the document: what the door refuses at any path, and what this path refuses beside."""
    content = {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {status: {"content": content} for status in sorted({401, 403, 414, 429, 431, 503, *statuses})}


def add_problems(app: FastAPI) -> None:
    @app.exception_handler(PlatformError)
    @app.exception_handler(Exception)
    async def refused(request: Request, error: Exception) -> Response:
        return refusal(error, request.state.request_id)

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
        return _response(said, error.headers)

    @app.exception_handler(Gone)
    async def gone(_request: Request, _error: Gone) -> Response:
        return Response(status_code=400)  # nobody reads it


class _Told(Response):
    """Under `/v2` clients look for the reason in `error` (Open Inference Protocol); a problem may have members of its own."""

    def __init__(self, said: Problem, headers: Mapping[str, str]) -> None:
        super().__init__(said.model_dump_json(), said.status, headers, PROBLEM)
        self._said = said

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"].startswith("/v2/"):
            said = self._said.model_dump() | {"error": f"{self._said.detail} -> {self._said.hint}"}
            self.body = json.dumps(said, ensure_ascii=False).encode(errors="replace")
            self.headers["content-length"] = str(len(self.body))
        await super().__call__(scope, receive, send)


def _response(said: Problem, headers: Mapping[str, str] | None = None) -> Response:
    retry = {"Retry-After": "1"} if said.status == 503 else {}
    return _Told(said, retry | dict(headers or {}))
