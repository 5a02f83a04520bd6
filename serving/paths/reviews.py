"""What a person decided who was asked to."""

from fastapi import FastAPI, Request
from starlette.concurrency import run_in_threadpool

from serving.door.bodies import body
from serving.paths.problems import refusals
from serving.protocols.documents import JSON, Reviewed
from serving.protocols.reviews import Reviewing, Reviews

_ADDRESS = "/v1/decisions/{decision_id}/review"


def add_reviews(app: FastAPI, reviews: Reviews, most_bytes: int) -> None:
    taken = {"requestBody": {"required": True, "content": {JSON: {"schema": Reviewing.model_json_schema()}}}}

    @app.post(
        _ADDRESS,
        summary="What a person decided who was asked to",
        responses=refusals(404, 409, 410, 413, 415, 422, 503),
        openapi_extra=taken,
    )
    async def take(decision_id: str, request: Request) -> Reviewed:
        sent = await body(request.scope, request.receive, most_bytes)
        return await run_in_threadpool(reviews.take, decision_id, sent, request.state.holder)

    @app.get(_ADDRESS, summary="What a person decided, if anybody did", responses=refusals(404, 503))
    async def read(decision_id: str, request: Request) -> Reviewed:
        return await run_in_threadpool(reviews.find, decision_id, request.state.holder)
