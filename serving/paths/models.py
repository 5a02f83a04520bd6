"""What is served, how it is asked, and what would have helped."""

from fastapi import FastAPI, Request, Response
from fastapi.openapi.utils import get_openapi
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool

from models.governance.api_keys import Action
from serving.answers.answer import Ask
from serving.answers.prediction import Predictor
from serving.door.bodies import body
from serving.door.holders import Holder
from serving.paths.problems import refusals
from serving.protocols.documents import JSON, Models, served
from serving.protocols.openapi import complete
from serving.release.watching import Watcher


def add_models(app: FastAPI, predictor: Predictor, watcher: Watcher, most_bytes: int) -> None:
    @app.post("/v1/models/{model}/counterfactual", include_in_schema=False)
    async def counsel(model: str, request: Request) -> Response:
        sent = await body(request.scope, request.receive, most_bytes)
        asked = Ask(model, sent, request.state.request_id)
        return Response(await run_in_threadpool(predictor.counsel, asked), media_type=JSON)

    @app.get("/v1/models", summary="What is served now", responses=refusals())
    async def models(request: Request) -> Models:
        shown = [model for model in predictor.answering if _covered(request, model.pointer.model)]
        return Models(models=[served(model, watcher.seen.stale, predictor.trials) for model in shown])

    @app.get("/openapi.json", include_in_schema=False)
    def document(request: Request) -> JSONResponse:
        fixed = get_openapi(title=app.title, version=app.version, routes=app.routes)
        shown = {name: model for name, model in predictor.models.items() if _covered(request, name)}
        return JSONResponse(complete(fixed, shown))


def _covered(request: Request, model: str) -> bool:
    holder: Holder = request.state.holder
    return holder.covers(model, Action.READ)
