"""People who sign in: their roles, and a password that nobody keeps. Made and removed by a person who answers for it.

A password is made by the platform and shown once. Kept is its scrypt (RFC 7914) with a salt of its own; a session names the
record that it began with, so a new password or a removal ends it at once.
"""

import hashlib
import hmac
import secrets
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Protocol

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from models.bundle import canonical, sha256
from models.clock import Clock
from models.errors import Conflict, InputRefused, Integrity, NotFound, PlatformError
from models.governance.access import Person, Role
from models.governance.answerable import answerable
from models.governance.ledger import Entry, Event, Ledger
from models.governance.verification import Finding

NAME = r"^[a-z][a-z0-9-]{0,62}$"
"""As an approver's: who signs with an own key signs in under the same name."""
_COST = {"n": 2**15, "r": 8, "p": 1, "maxmem": 2**26, "dklen": 32}  # about 0.1 s and 32 MB for every attempt
_NOBODY = bytes(16)


class User(BaseModel):
    """A person as kept."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=NAME)
    roles: tuple[Role, ...] = Field(min_length=1)
    salt: str = Field(pattern=r"^[0-9a-f]{32}$", repr=False)
    digest: str = Field(pattern=r"^[0-9a-f]{64}$", repr=False)
    made_at: AwareDatetime
    removed_at: AwareDatetime | None = None

    @property
    def record(self) -> str:
        """The SHA-256 of everything that is kept: what the ledger knows of a person's account."""
        return sha256(canonical(self.model_dump(mode="json")))

    @property
    def person(self) -> Person:
        return Person(self.name, frozenset(self.roles))


class Users(Protocol):
    """Where accounts are kept."""

    def all(self) -> list[User]:
        """By name. Raises `Misconfigured` naming the first that cannot be read."""
        ...

    def find(self, name: str) -> User | None:
        """Raises `Misconfigured`."""
        ...

    def keep(self, user: User) -> None:
        """In the place of an earlier one of the same name. Durable when it returns."""
        ...


def make(
    users: Users, ledger: Ledger, clock: Clock, name: str, roles: Sequence[str], *, by: str, reason: str
) -> tuple[User, str]:
    """An account, or a new password and new roles for one, and the password. Raises `InputRefused`."""
    by, reason = answerable(by, reason)
    if unknown := [role for role in roles if role not in list(Role)]:
        raise InputRefused(f"{unknown[0]!r} is no role", hint=f"roles: {', '.join(Role)}")
    password, salt = secrets.token_urlsafe(18), secrets.token_bytes(16)
    try:
        kept = tuple(Role(role) for role in dict.fromkeys(roles))
        user = User(name=name, roles=kept, salt=salt.hex(), digest=_hashed(password, salt), made_at=clock.now())
    except ValidationError as error:
        raise InputRefused(f"{name!r} cannot sign in", hint="small letters, digits and hyphens; at least one role") from error
    # Recorded first: nobody gets in whom the ledger does not know.
    _note(ledger, Event.USER_MADE, user, by, clock.now(), reason)
    users.keep(user)
    return user, password


def remove(users: Users, ledger: Ledger, clock: Clock, name: str, *, by: str, reason: str) -> User:
    """Let somebody sign in no longer; open sessions end. Raises `NotFound`, `Conflict`; `Integrity` if it cannot be recorded."""
    by, reason = answerable(by, reason)
    user = users.find(name)
    if user is None:
        raise NotFound(f"nobody signs in as {name!r}", hint="see make users")
    if user.removed_at is not None and _noted(ledger.entries()).get(name) == user.record:
        raise Conflict(f"{name} was removed on {user.removed_at:%Y-%m-%d}", hint="see make users")
    if user.removed_at is None:
        user = user.model_copy(update={"removed_at": clock.now()})
        users.keep(user)  # first: a ledger that is broken must keep nobody in
    try:
        _note(ledger, Event.USER_REMOVED, user, by, clock.now(), reason)
    except PlatformError as error:
        raise Integrity(f"{name} cannot sign in any more, but that is not recorded: {error.problem}", error.hint) from error
    return user


def signed_in(users: Users, name: str, password: str) -> User | None:
    """None for a wrong name or password, and both take the same time."""
    user = users.find(name)
    salt, kept = (bytes.fromhex(user.salt), user.digest) if user else (_NOBODY, "")
    right = hmac.compare_digest(_hashed(password, salt), kept)
    return user if user and right and user.removed_at is None else None


def check_users(entries: Sequence[Entry], users: Sequence[User]) -> Iterator[Finding]:
    """Every account is as the ledger's newest entry about it says."""
    noted = _noted(entries)
    for user in users:
        where, hint = f"user {user.name}", f"find out who wrote it; then make remove-user NAME={user.name}"
        if user.name not in noted:
            yield Finding(where, "may sign in, and the ledger does not say who let them", hint)
        elif noted[user.name] != user.record:
            yield Finding(where, "the account is not what the ledger says of it: roles, password or removal were edited", hint)


def _hashed(password: str, salt: bytes) -> str:
    return hashlib.scrypt(password.encode(), salt=salt, **_COST).hex()


def _noted(entries: Iterable[Entry]) -> dict[str, str]:
    about = (entry for entry in entries if entry.event in (Event.USER_MADE, Event.USER_REMOVED))
    return {entry.facts["name"]: entry.facts["record"] for entry in about}


def _note(ledger: Ledger, event: Event, user: User, by: str, at: datetime, reason: str) -> None:
    facts = {"name": user.name, "roles": [str(role) for role in user.roles], "record": user.record, "reason": reason}
    ledger.append(event, model="", actor=by, at=at, facts=facts)
