"""Taking a model out of service and bringing it back: stop, resume, roll back. By the rules of make stop and make rollback.

A form names what its page showed, so that nobody undoes what they have not seen.
"""

import re
from collections.abc import Mapping
from typing import Annotated

from fastapi import Depends, FastAPI, Request, Response

from models.governance import stop
from models.governance.access import Act
from models.governance.release import take_back
from monitoring.console.desk import Desk, onwards

Fields = Mapping[str, str]
_NUMBER = re.compile(r"[0-9]{1,9}")


def serve(app: FastAPI, desk: Desk) -> None:
    sources = desk.sources

    @app.post("/models/{model}/stop")
    def halt(request: Request, model: str, form: Annotated[Fields, Depends(desk.form(Act.STOP))]) -> Response:
        by, reason = desk.person(request, Act.STOP).name, form.get("reason", "")
        stop.stop(sources.office(), model, asked_by=by, reason=reason, fallback=form.get("fallback", ""))
        return onwards("/approvals?done=stopped")

    @app.post("/models/{model}/resume")
    def go_on(request: Request, model: str, form: Annotated[Fields, Depends(desk.form(Act.STOP))]) -> Response:
        by, reason, seen = desk.person(request, Act.STOP).name, form.get("reason", ""), form.get("sequence", "")
        sequence = int(seen) if _NUMBER.fullmatch(seen) else 0  # which no stop has
        stop.resume(sources.office(), model, asked_by=by, reason=reason, sequence=sequence)
        return onwards("/approvals?done=resumed")

    @app.post("/models/{model}/roll-back")
    def back(request: Request, model: str, form: Annotated[Fields, Depends(desk.form(Act.ROLL_BACK))]) -> Response:
        by, again = desk.person(request, Act.ROLL_BACK).name, form.get("again") == "yes"
        seen, reason = form.get("away_from", ""), form.get("reason", "")
        take_back(sources.office(), model, asked_by=by, reason=reason, again=again, away_from=seen)
        return onwards("/approvals?done=rolled-back")
