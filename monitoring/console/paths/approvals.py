"""The inbox, one request, and what people do with it: approve, reject, bring into force.

No person's private key is here. In the local profile the demonstration approver may sign at a person's word; everybody else gets
what is to be signed, and brings the signature back (ADR 38).
"""

import json
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Request, Response

from models.errors import InputRefused, NotApproved
from models.governance import release
from models.governance.access import Act, Person
from models.governance.answerable import answerable
from models.governance.approval import WATERMARK
from models.governance.checking import draft_approval, draft_rejection, people_only, reject, sign_off
from models.governance.countersigning import SIGNED_WITHIN, take_approval, take_rejection
from models.governance.requests import Office, requested
from models.governance.signing import Signer
from monitoring.console.desk import Desk, onwards
from monitoring.console.pages import approvals
from monitoring.custody import begin

Fields = Mapping[str, str]
APPROVAL, REJECTION = "approval", "rejection"
TOLD = {
    "approved": "Your approval is recorded.",
    "rejected": "The rejection is recorded. It is promoted only if somebody approves it after this.",
    "promoted": "It is in force. Running services follow within five seconds; MLflow with make versions.",
}


def serve(app: FastAPI, desk: Desk) -> None:
    _serve_looking(app, desk)
    _serve_signing(app, desk)
    _serve_deciding(app, desk)


def _serve_looking(app: FastAPI, desk: Desk) -> None:
    sources = desk.sources

    @app.get("/approvals")
    def inbox(request: Request, done: str = "") -> Response:
        return desk.page(request, "approvals.html", page=approvals.inbox(sources), done=done)

    @app.get("/models/{model}/requests/{bundle}")
    def wish(request: Request, model: str, bundle: str, done: str = "") -> Response:
        page = approvals.request_page(sources, model, bundle)
        return desk.page(request, "request.html", page=page, done=TOLD.get(done, ""))


def _serve_deciding(app: FastAPI, desk: Desk) -> None:
    sources, decided = desk.sources, Depends(desk.form(Act.DECIDE))

    @app.post("/models/{model}/requests/{bundle}/approve")
    def approve(request: Request, model: str, bundle: str, form: Annotated[Fields, decided]) -> Response:
        person, office, digest = _who(desk, request), sources.office(), approvals.bundle_of(sources, model, bundle)
        by, comment = answerable(person.name, form.get("comment", ""))
        acceptance = form.get("acceptance", "")
        if form.get("how") == "demonstration":
            demonstrated = _demonstration(office, model, digest)
            words = {"comment": comment, "acceptance": acceptance, "watermark": WATERMARK, "asked_by": by}
            sign_off(office, demonstrated, model, digest, **words)
            return onwards(f"/models/{model}/requests/{digest[:12]}?done=approved")
        signer = _signer(desk, person, form)
        conditions = form.get("conditions", "")
        document = draft_approval(office, signer, model, digest, comment=comment, conditions=conditions, acceptance=acceptance)
        return _to_sign(desk, request, APPROVAL, signer, document)

    @app.post("/models/{model}/requests/{bundle}/reject")
    def decline(request: Request, model: str, bundle: str, form: Annotated[Fields, decided]) -> Response:
        person, office, digest = _who(desk, request), sources.office(), approvals.bundle_of(sources, model, bundle)
        by, reason = answerable(person.name, form.get("reason", ""))
        if form.get("how") == "demonstration":
            reject(office, _demonstration(office, model, digest, approving=False), model, digest, reason=reason, asked_by=by)
            return onwards(f"/models/{model}/requests/{digest[:12]}?done=rejected")
        signer = _signer(desk, person, form)
        return _to_sign(desk, request, REJECTION, signer, draft_rejection(office, model, digest, reason=reason))


def _serve_signing(app: FastAPI, desk: Desk) -> None:
    sources, decided = desk.sources, Depends(desk.form(Act.DECIDE))

    @app.post("/models/{model}/requests/{bundle}/signed")
    def signed(request: Request, model: str, bundle: str, form: Annotated[Fields, decided]) -> Response:
        signer, document = _signer(desk, _who(desk, request), form), _document(form.get("document", ""))
        digest = approvals.bundle_of(sources, model, bundle)
        if (document.get("model"), document.get("bundle")) != (model, digest):
            raise NotApproved("what was signed is of another request", hint="begin again from the page of the request")
        if form.get("kind") == REJECTION:
            take_rejection(sources.office(), signer, document, form.get("signature", ""))
        else:
            take_approval(sources.office(), signer, document, form.get("signature", ""))
        done = "rejected" if form.get("kind") == REJECTION else "approved"
        return onwards(f"/models/{model}/requests/{digest[:12]}?done={done}")

    @app.post("/models/{model}/requests/{bundle}/promote")
    def promote(request: Request, model: str, bundle: str, form: Annotated[Fields, decided]) -> Response:  # noqa: ARG001
        person, office, digest = _who(desk, request), sources.office(), approvals.bundle_of(sources, model, bundle)
        begin(office.ledger, office.channel, actor=person.name, at=office.clock.now())
        release.promote(office, model, digest, asked_by=person.name)
        return onwards(f"/models/{model}/requests/{digest[:12]}?done=promoted")


def _who(desk: Desk, request: Request) -> Person:
    return desk.person(request, Act.DECIDE)


def _demonstration(office: Office, model: str, bundle: str, *, approving: bool = True) -> Signer:
    """Raises `NotApproved` outside the local profile, and where only people may sign."""
    if office.demonstration is None:
        raise NotApproved("people sign with their own keys here", hint="choose to sign with your own key")
    if approving and (why := people_only(office, requested(office, model, bundle))):
        raise NotApproved(f"only people may sign this: {why}", hint="sign with your own key: make approver makes one")
    return office.demonstration


def _signer(desk: Desk, person: Person, form: Fields) -> str:
    """Whose key signs: who is signed in; where nobody signs in, whoever the person at the machine says to be.

    The signature shows it either way.
    """
    return form.get("approver", "") or person.name if desk.guard.local else person.name


def _to_sign(desk: Desk, request: Request, kind: str, signer: str, document: Mapping[str, Any]) -> Response:
    text = json.dumps(document, ensure_ascii=False)
    hours = int(SIGNED_WITHIN.total_seconds() // 3600)
    return desk.page(request, "sign.html", kind=kind, signer=signer, document=document, text=text, hours=hours)


def _document(text: str) -> Mapping[str, Any]:
    try:
        found = json.loads(text)
    except ValueError as error:
        raise InputRefused("the signed document cannot be read", hint="begin again from the page of the request") from error
    return found if isinstance(found, dict) else {}
