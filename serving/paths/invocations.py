"""What MLflow's clients and SageMaker call."""

from fastapi import FastAPI, Request, Response
from starlette.concurrency import run_in_threadpool

from serving.answers.answer import Ask
from serving.answers.desk import Desk
from serving.answers.prediction import Predictor
from serving.door.bodies import body, idempotency_key, media_type
from serving.door.needs import to_score
from serving.protocols.documents import JSON
from serving.protocols.invocations import CSV, TARGET, returned, translated
from serving.release.watching import Watcher
from serving.telemetry.metering import Meter


def add_invocations(app: FastAPI, desk: Desk, predictor: Predictor, watcher: Watcher, meter: Meter, most_bytes: int) -> None:
    @app.get("/ping", include_in_schema=False)
    async def ping() -> Response:
        return Response(status_code=503 if watcher.obstacle() else 200)

    @app.post("/invocations", include_in_schema=False)
    async def invocations(request: Request) -> Response:
        with meter.whole():
            return await answered(request)

    async def answered(request: Request) -> Response:
        headers = request.scope["headers"]
        key, media = idempotency_key(headers), media_type(request.headers.get("content-type", "").encode()).decode()
        sent = await body(request.scope, request.receive, most_bytes, also=[CSV.encode()])
        model = predictor.only(request.headers.get(TARGET, ""))
        request.state.holder.permit(to_score(model.pointer.model))
        form = await run_in_threadpool(translated, sent, media, model.contract, model.checker.max_records)
        answer = await desk.answer(Ask(model.pointer.model, form, request.state.request_id, key, request.state.holder))
        return Response(
            returned(answer.response), media_type=JSON, headers={"Idempotent-Replayed": "true"} if answer.replayed else {}
        )
