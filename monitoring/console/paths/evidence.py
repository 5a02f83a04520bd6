"""An evidence pack in its frame, and its files."""

from fastapi import FastAPI, Request, Response

from monitoring.console.desk import Desk
from monitoring.console.pages import evidence
from monitoring.packs import document


def serve(app: FastAPI, desk: Desk) -> None:
    @app.get("/models/{model}/versions/{number}/evidence")
    def pack(request: Request, model: str, number: int) -> Response:
        return desk.page(request, "evidence.html", page=evidence.evidence_page(desk.sources, model, number))

    @app.get("/models/{model}/versions/{number}/evidence/files/{name:path}")
    def artefact(model: str, number: int, name: str) -> Response:
        data, kind = document(evidence.evidence_files(desk.sources, model, number)[1], name)
        return Response(data, media_type=kind)
