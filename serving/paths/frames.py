"""The scoring path, asked with a table instead of JSON."""

from fastapi import FastAPI, Request, Response
from starlette.concurrency import run_in_threadpool

from serving.answers.answer import Ask
from serving.answers.desk import Desk
from serving.answers.prediction import Predictor
from serving.door.bodies import NotJson, body, idempotency_key
from serving.protocols.frames import ARROW, Frames, is_a_stream
from serving.protocols.scoring import PATH
from serving.telemetry.metering import Meter


def add_frames(app: FastAPI, desk: Desk, predictor: Predictor, frames: Frames | None, meter: Meter, most_bytes: int) -> None:
    """`frames`: who reads them; None refuses them all."""

    @app.post(PATH, include_in_schema=False)
    async def score(model: str, request: Request) -> Response:
        with meter.whole():
            return await answered(model, request)

    async def answered(name: str, request: Request) -> Response:
        if frames is None:
            raise NotJson("this service reads no tables", hint="send JSON")
        if not is_a_stream(request.scope):
            raise NotJson("the body is declared as another form of Arrow", hint=f"send a stream, content-type: {ARROW}; or JSON")
        key = idempotency_key(request.scope["headers"])
        sent = await body(request.scope, request.receive, most_bytes, also=[ARROW.encode()])
        model = predictor.model(name)
        form = await run_in_threadpool(frames.read, sent, model.contract, model.checker.max_records)
        answer = await desk.answer(Ask(name, form, request.state.request_id, key, request.state.holder))
        content = await run_in_threadpool(frames.written, answer.response)
        return Response(content, media_type=ARROW, headers={"Idempotent-Replayed": "true"} if answer.replayed else {})
