"""Who asks: from the session, or whoever sits at the machine in the local profile.

A session is a signed cookie that names the person, the record of their account and a token. Every look asks the account again:
a removal, new roles or a new password count at once. A form must bring the token of its session back.
"""

import hmac
import secrets
from dataclasses import dataclass

from models.governance.access import Act, Person, who_may
from models.governance.users import Users, signed_in
from monitoring.console.access.attempts import Attempts
from monitoring.console.access.refusals import NotPermitted, NotSignedIn
from monitoring.console.access.sessions import TOKEN, Session, Sessions

NAME, RECORD = "name", "record"  # of what a session holds


@dataclass(frozen=True)
class Guard:
    """`local` is who sits at the machine, None where people sign in."""

    users: Users
    attempts: Attempts
    sessions: Sessions
    local: Person | None = None

    def person(self, session: Session) -> Person | None:
        """Raises `Misconfigured` if the account cannot be read."""
        if self.local is not None:
            return self.local
        if not self.sessions.lasts(session):
            return None
        user = self.users.find(str(session.get(NAME, "")))
        known = user is not None and user.removed_at is None and hmac.compare_digest(user.record, str(session.get(RECORD, "")))
        return user.person if user and known else None

    def sign_in(self, session: Session, name: str, password: str, address: str) -> Person:
        """Raises `NotSignedIn`, `TooManyAttempts`. The session begins anew: a token that was planted before counts no more."""
        self.attempts.begin(name, address)
        user = signed_in(self.users, name, password)
        if user is None:
            raise NotSignedIn("name and password do not go together", hint="whoever keeps the home can make a new one: make user")
        self.attempts.passed(name, address)
        session.clear()
        session.update({NAME: user.name, RECORD: user.record, TOKEN: secrets.token_urlsafe(24)})
        self.sessions.begin(session)
        return user.person

    def token(self, session: Session) -> str:
        """What every form of this session carries."""
        return str(session.setdefault(TOKEN, secrets.token_urlsafe(24)))

    def ensure_ours(self, session: Session, given: str) -> None:
        """Raises `NotPermitted` for a form that did not come from a page of this session; one without a token has no pages."""
        kept = str(session.get(TOKEN, ""))
        if not kept or not hmac.compare_digest(kept.encode(), given.encode()):
            raise NotPermitted("this form is not from a page of your session", hint="open the page again and send it from there")


def ensure(person: Person, act: Act) -> None:
    """Raises `NotPermitted`."""
    if not person.may(act):
        roles = ", ".join(sorted(person.roles))
        raise NotPermitted(f"{person.name} ({roles}) may not {act}", hint=f"it takes the role {who_may(act)}: make user")
