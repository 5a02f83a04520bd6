"""Taking a model out of service and bringing it back: stop, resume, roll back. By the rules of make stop and make rollback."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import Depends, FastAPI, Request, Response

from models.governance import stop
from models.governance.access import Act
from models.governance.release import take_back
from monitoring.console.desk import Desk, onwards

Fields = Mapping[str, str]


def serve(app: FastAPI, desk: Desk) -> None:
    sources = desk.sources

    @app.post("/models/{model}/stop")
    def halt(request: Request, model: str, form: Annotated[Fields, Depends(desk.form(Act.STOP))]) -> Response:
        by, reason = desk.person(request, Act.STOP).name, form.get("reason", "")
        stop.stop(sources.office(), model, asked_by=by, reason=reason, fallback=form.get("fallback", ""))
        return onwards("/approvals?done=stopped")

    @app.post("/models/{model}/resume")
    def go_on(request: Request, model: str, form: Annotated[Fields, Depends(desk.form(Act.STOP))]) -> Response:
        stop.resume(sources.office(), model, asked_by=desk.person(request, Act.STOP).name, reason=form.get("reason", ""))
        return onwards("/approvals?done=resumed")

    @app.post("/models/{model}/roll-back")
    def back(request: Request, model: str, form: Annotated[Fields, Depends(desk.form(Act.ROLL_BACK))]) -> Response:
        by, again = desk.person(request, Act.ROLL_BACK).name, form.get("again") == "yes"
        take_back(sources.office(), model, asked_by=by, reason=form.get("reason", ""), again=again)
        return onwards("/approvals?done=rolled-back")
