"""`GET /metrics` of the console: what it answered, and how the platform stands. For Prometheus."""

from collections.abc import Callable

from fastapi import FastAPI, Response

TEXT = "text/plain; version=0.0.4; charset=utf-8"


def add_metrics(app: FastAPI, exposed: Callable[[], bytes]) -> None:
    @app.get("/metrics", include_in_schema=False)
    def metrics() -> Response:
        return Response(exposed(), media_type=TEXT)
