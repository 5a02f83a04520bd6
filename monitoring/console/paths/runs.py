"""Runs of flows: what ran, how long, and its log; what asked for retrainings; the ways to Prefect and MLflow."""

from fastapi import FastAPI, Request, Response

from monitoring.console.desk import Desk
from monitoring.console.pages import retrainings
from monitoring.console.sources import or_trouble

RUNS_SHOWN, LINES_SHOWN = 100, 200  # Prefect gives no more than 200 at once


def serve(app: FastAPI, desk: Desk) -> None:
    runs = desk.sources.runs

    @app.get("/runs")
    def recent(request: Request) -> Response:
        found, planned = or_trouble(lambda: runs.recent(RUNS_SHOWN)), or_trouble(runs.planned)
        lately = retrainings.newest_by_model(desk.sources)
        return desk.page(request, "runs.html", runs=found, planned=planned, retrainings=lately)

    @app.get("/models/{model}/retrainings")
    def considered(request: Request, model: str) -> Response:
        return desk.page(request, "retrainings.html", page=retrainings.retrainings_page(desk.sources, model))

    @app.get("/runs/{run}")
    def one(request: Request, run: str) -> Response:
        return desk.page(request, "run.html", shown=runs.find(run), log=or_trouble(lambda: runs.log(run, LINES_SHOWN)))
