"""The paths of the Open Inference Protocol, version 2: what KServe, Triton and their clients ask."""

from functools import partial
from typing import Any

from fastapi import FastAPI, Request, Response
from starlette.concurrency import run_in_threadpool

from models.errors import InputRefused, NotFound
from serving.answers.answer import Ask
from serving.answers.desk import Desk
from serving.answers.loaded import LoadedModel
from serving.answers.prediction import Predictor
from serving.door.bodies import body, idempotency_key
from serving.protocols.documents import JSON
from serving.protocols.tensors import metadata, returned, translated
from serving.release.watching import Watcher
from serving.telemetry.metering import Meter

BINARY = "application/octet-stream"
HEAD = "inference-header-content-length"
_OF_MODEL = ("/v2/models/{name}", "/v2/models/{name}/versions/{version}")


def add_inference(app: FastAPI, desk: Desk, predictor: Predictor, watcher: Watcher, meter: Meter, most_bytes: int) -> None:
    _add_state(app, predictor, watcher)

    async def infer(request: Request) -> Response:
        with meter.whole():
            return await answered(request)

    async def answered(request: Request) -> Response:
        name, version = _asked(request)
        key, head = idempotency_key(request.scope["headers"]), _head(request)
        sent = await body(request.scope, request.receive, most_bytes, also=_also(request))
        model = _answering(predictor, name, version)
        asked = await run_in_threadpool(translated, sent, head, model.contract, model.checker.max_records)
        ask = Ask(name, asked.body, request.state.request_id, key, request.state.holder, version=_number(version))
        answer = await desk.answer(ask)
        content, length = await run_in_threadpool(returned, answer.response, asked)
        told = {HEAD: str(length)} if length is not None else {}
        told |= {"Idempotent-Replayed": "true"} if answer.replayed else {}
        return Response(content, media_type=JSON if length is None else BINARY, headers=told)

    for path in _OF_MODEL:
        app.post(f"{path}/infer", include_in_schema=False)(infer)


def _add_state(app: FastAPI, predictor: Predictor, watcher: Watcher) -> None:
    get = partial(app.get, include_in_schema=False)

    @get("/v2")
    async def server() -> dict[str, Any]:
        return {"name": "steward", "version": app.version, "extensions": ["binary_tensor_data"]}

    @get("/v2/health/live")
    async def live() -> dict[str, bool]:
        return {"live": True}

    @get("/v2/health/ready")
    async def ready(response: Response) -> dict[str, bool]:
        obstacle = watcher.obstacle()
        response.status_code = 503 if obstacle else 200
        return {"ready": obstacle is None}

    async def described(request: Request) -> dict[str, Any]:
        model = _answering(predictor, *_asked(request))
        return metadata(model.pointer.model, model.pointer.version, model.contract)

    async def model_ready(request: Request) -> dict[str, Any]:
        return {"name": _answering(predictor, *_asked(request)).pointer.model, "ready": True}

    for path in _OF_MODEL:
        get(path)(described)
        get(f"{path}/ready")(model_ready)


def _asked(request: Request) -> tuple[str, str]:
    """Model and version, "" for none."""
    return request.path_params["name"], request.path_params.get("version", "")


def _answering(predictor: Predictor, name: str, version: str) -> LoadedModel:
    """Raises `NotFound` for a version that does not answer now: another one is not taken in its place."""
    model = predictor.model(name)
    if version and _number(version) != model.pointer.version:
        raise NotFound(f"version {version[:20]!r} of {name!r} does not answer", hint=f"version {model.pointer.version} does")
    return model


def _number(version: str) -> int | None:
    """None if none is asked for; 0, which none has, for what is no number."""
    return (int(version) if version.isascii() and version.isdigit() and len(version) < 10 else 0) if version else None


def _also(request: Request) -> list[bytes]:
    """NVIDIA's client declares nothing. A page in a browser may do so, too, but its browser says where the page is from."""
    return [BINARY.encode()] if "origin" in request.headers else [BINARY.encode(), b""]


def _head(request: Request) -> int | None:
    """How long the JSON before the binary tensors is; None if all is JSON."""
    said = request.headers.getlist(HEAD)
    if not said:
        return None
    if len(said) > 1 or not (said[0].isascii() and said[0].isdigit() and len(said[0]) < 12):
        raise InputRefused(f"{HEAD} is not the length of the JSON", hint="send a number, once")
    return int(said[0])
