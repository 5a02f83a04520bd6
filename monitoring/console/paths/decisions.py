"""Decisions on single accounts, for those who may look at them: search, one decision, and the same made again.

An account's id is sent in a form and never stands in an address: addresses end up in histories and logs.
"""

from collections.abc import Mapping
from typing import Annotated
from urllib.parse import quote

from fastapi import Depends, FastAPI, Request, Response

from models.governance.access import Act
from monitoring.console.desk import Desk, onwards
from monitoring.console.pages import decisions
from monitoring.console.pages.today import known
from monitoring.console.sources import or_trouble


def serve(app: FastAPI, desk: Desk) -> None:
    sources, asked = desk.sources, Depends(desk.form(Act.READ_DECISIONS))

    @app.get("/decisions")
    def search(request: Request) -> Response:
        desk.person(request, Act.READ_DECISIONS)
        return desk.page(request, "decisions.html", models=known(sources), model="", found=None)

    @app.post("/decisions")
    def find(request: Request, form: Annotated[Mapping[str, str], asked]) -> Response:
        if decision := form.get("decision", ""):
            return onwards(f"/decisions/{quote(decision, safe='')}")
        model = form.get("model", "")
        found = or_trouble(lambda: decisions.on_account(sources, model, form.get("account", "")))
        return desk.page(request, "decisions.html", models=known(sources), model=model, found=found)

    @app.get("/decisions/{decision_id}")
    def decision(request: Request, decision_id: str, again: bool = False) -> Response:  # noqa: FBT001, FBT002, an address says it
        desk.person(request, Act.READ_DECISIONS)
        page = decisions.decision_page(sources, decision_id)
        made = or_trouble(lambda: decisions.again(sources, page.past)) if again else None
        return desk.page(request, "decision.html", page=page, again=made)
