"""What every path of the console works with: where it looks, who asks, and how a page is written."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

from fastapi import Request, Response
from fastapi.responses import RedirectResponse
from fastapi.templating import Jinja2Templates
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from models.governance.access import Act, Person
from monitoring.console import words
from monitoring.console.access import forms
from monitoring.console.access.guard import Guard, ensure
from monitoring.console.access.refusals import NotSignedIn
from monitoring.console.pages import advice
from monitoring.console.sources import Sources, Trouble
from monitoring.outcomes.estimation import ASSUMPTION

TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True)
class Desk:
    sources: Sources
    guard: Guard
    templates: Jinja2Templates

    @classmethod
    def of(cls, sources: Sources, guard: Guard) -> "Desk":
        environment = Environment(
            loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
        )
        environment.filters |= words.FILTERS
        environment.tests["trouble"] = lambda part: isinstance(part, Trouble)
        environment.globals |= {"sources": sources, "assumption": ASSUMPTION, "Act": Act}
        environment.globals["run"] = lambda command: advice.command_for(command, sources.scenario)
        return cls(sources, guard, Jinja2Templates(env=environment))

    def page(self, request: Request, name: str, *, status: HTTPStatus = HTTPStatus.OK, **context: Any) -> Response:
        person = getattr(request.state, "person", None)
        own = {"person": person, "token": self.guard.token(request.session) if person else "", "signing_in": not self.guard.local}
        return self.templates.TemplateResponse(request, name, own | context, status_code=status)

    def person(self, request: Request, act: Act) -> Person:
        """Who asks, if they may. Raises `NotSignedIn`, `NotPermitted`."""
        person: Person | None = getattr(request.state, "person", None)
        if person is None:
            raise NotSignedIn("nobody is signed in", hint="sign in first")
        ensure(person, act)
        return person

    def form(self, act: Act) -> Callable[[Request], Any]:
        """A dependency: the fields of a form from one of our pages, sent by somebody who may do this."""

        async def read(request: Request) -> Mapping[str, str]:
            self.person(request, act)
            found = forms.fields(request.headers.get("content-type", ""), await body(request))
            self.guard.ensure_ours(request.session, found.get("token", ""))
            return found

        return read


async def body(request: Request) -> bytes:
    """As far as it may be a form's: the rest is not read."""
    found = b""
    async for chunk in request.stream():
        found += chunk
        if len(found) > forms.LARGEST:
            break
    return found


def onwards(address: str) -> Response:
    """After an action the browser looks again, so that a reload repeats nothing."""
    return RedirectResponse(address, status_code=HTTPStatus.SEE_OTHER)
