"""Alerts: the list, one with its runbook, and saying that one is at it or that it is settled."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import Depends, FastAPI, Request, Response

from models.governance.access import Act
from models.governance.alert_acts import Doing
from models.governance.attestation import ensure_attested
from monitoring.alerts.acts import act
from monitoring.console.desk import Desk, onwards
from monitoring.console.pages import alerts

TOLD = {"acknowledge": "You are at it.", "close": "It is closed; it opens anew if a later month shows the same."}


def serve(app: FastAPI, desk: Desk) -> None:
    sources, handled = desk.sources, Depends(desk.form(Act.HANDLE_ALERTS))

    @app.get("/alerts")
    def every(request: Request) -> Response:
        return desk.page(request, "alerts.html", found=alerts.alert_list(sources))

    @app.get("/alerts/{alert}")
    def one(request: Request, alert: str, done: str = "") -> Response:
        return desk.page(request, "alert.html", page=alerts.alert_page(sources, alert), done=TOLD.get(done, ""))

    @app.get("/runbooks/{name:path}")
    def runbook(request: Request, name: str) -> Response:
        return desk.page(request, "runbook.html", runbook=sources.runbooks(name))

    @app.post("/alerts/{alert}/{doing}")
    def handle(request: Request, alert: str, doing: Doing, form: Annotated[Mapping[str, str], handled]) -> Response:
        office, by = sources.office(), desk.person(request, Act.HANDLE_ALERTS).name
        ensure_attested(office)
        done = act(sources.alerts, office.ledger, office.clock, doing, alert, by=by, reason=form.get("reason", ""))
        return onwards(f"/alerts/{done.id}?done={doing}")
