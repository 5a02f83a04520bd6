"""What Steward is compared with, as ASGI applications: what tutorials write, and two that answer a constant."""

import os
from collections.abc import Awaitable, Callable, MutableMapping
from functools import cache
from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel, create_model

from models.credit_default import USE_CASE

CONSTANT = b'{"decision":"keep","probability":0.12}'
Message = MutableMapping[str, Any]


async def bare(scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]) -> None:
    """The limit of the server itself: reads the body, answers a constant."""
    if scope["type"] == "lifespan":
        while True:
            await send({"type": f"{(await receive())['type']}.complete"})
    while (await receive()).get("more_body"):
        pass
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(CONSTANT)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": CONSTANT})


def _record() -> type[BaseModel]:
    contract = USE_CASE.contract
    fields: dict[str, Any] = {name: (int if contract[name].codes else float, ...) for name in contract.inputs}
    return create_model("Record", **fields)


RECORD = _record()


class Scored(BaseModel):
    decision: str
    probability: float


@cache
def _model() -> Any:
    import mlflow.sklearn

    return mlflow.sklearn.load_model(os.environ["BENCHMARK_MODEL"])


def tutorial() -> FastAPI:
    """A typed record, a data frame of one row, `predict_proba`: no checks, no reasons, no log."""
    import pandas as pd

    app = FastAPI()
    types = {name: "int64" if USE_CASE.contract[name].codes else "float64" for name in USE_CASE.contract.inputs}

    @app.post("/score")
    def score(record: RECORD) -> Scored:  # type: ignore[valid-type]
        frame = pd.DataFrame([record.model_dump()]).astype(types)  # type: ignore[attr-defined]
        probability = float(_model().predict_proba(frame)[0, 1])
        return Scored(decision="reduce" if probability >= 0.5 else "keep", probability=probability)

    _model()
    return app


def constant() -> FastAPI:
    """A typed endpoint of the same framework that returns a constant."""
    app = FastAPI()
    fixed = Scored(decision="keep", probability=0.12)

    @app.post("/score")
    async def score(record: RECORD) -> Scored:  # type: ignore[valid-type]
        return fixed

    return app
