"""Runs of flows: what ran, how long, and its log; with the ways to Prefect and MLflow."""

from fastapi import FastAPI, Request, Response

from monitoring.console.desk import Desk
from monitoring.console.sources import or_trouble

RUNS_SHOWN, LINES_SHOWN = 100, 200  # Prefect gives no more than 200 at once


def serve(app: FastAPI, desk: Desk) -> None:
    runs = desk.sources.runs

    @app.get("/runs")
    def recent(request: Request) -> Response:
        found, planned = or_trouble(lambda: runs.recent(RUNS_SHOWN)), or_trouble(runs.planned)
        return desk.page(request, "runs.html", runs=found, planned=planned)

    @app.get("/runs/{run}")
    def one(request: Request, run: str) -> Response:
        return desk.page(request, "run.html", shown=runs.find(run), log=or_trouble(lambda: runs.log(run, LINES_SHOWN)))
