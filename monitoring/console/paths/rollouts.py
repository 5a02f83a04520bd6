"""Roll-outs, their verdicts, and swap-set reports."""

from fastapi import FastAPI, Request, Response

from monitoring.console.desk import Desk
from monitoring.console.pages import rollouts


def serve(app: FastAPI, desk: Desk) -> None:
    @app.get("/rollouts")
    def overview(request: Request) -> Response:
        return desk.page(request, "rollouts.html", found=rollouts.overview(desk.sources))

    @app.get("/models/{model}/rollouts/{number}")
    def rollout(request: Request, model: str, number: int) -> Response:
        return desk.page(request, "rollout.html", page=rollouts.rollout_page(desk.sources, model, number))

    @app.get("/models/{model}/swap-sets/{report}/{name}")
    def swap_set(model: str, report: str, name: str) -> Response:
        data, kind = rollouts.file_of(desk.sources, model, report, name)
        return Response(data, media_type=kind)
