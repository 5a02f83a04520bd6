"""Who may come in with a token that somebody else signed (JWT, RFC 7519): what its claims must say, and what they allow.

A role that a token names has rights only if the settings give it some. Nothing is taken from a token but its subject, its roles
and whose reviews it brings. A token cannot be taken back, so how long one may live is bounded. RFC 8725 is kept: algorithms are
pinned, issuer and audience compared, and every claim must be of its kind.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any, Protocol

from pydantic import BaseModel, ConfigDict, Field

from models.errors import PlatformError
from models.governance.api_keys import Action, Allowance
from serving.door.holders import Grant, Holder, Subject
from serving.door.refusals import NotAuthenticated

LONGEST = 8_192
"""Bytes of a token, at most."""
MOST = 10_000
"""Subjects, and tokens, that are remembered at a time."""


class Role(BaseModel):
    """What a role may do. `models`: by name, or `all`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    models: tuple[str, ...] = Field(min_length=1)
    actions: tuple[Action, ...] = Field(min_length=1)


@dataclass(frozen=True)
class Rules:
    """What a token must say. `roles_claim` and `reviewer_claim` may lead into an object: `realm_access.roles`."""

    issuer: str
    audience: str
    roles: Mapping[str, Role]
    roles_claim: str = "roles"
    reviewer_claim: str = "preferred_username"
    leeway_seconds: float = 30.0
    longest_seconds: float = 86_400.0
    allowance: Allowance = field(default_factory=Allowance)


@dataclass(frozen=True)
class Admitted:
    """`since` and `until` are seconds since 1970, leeway included."""

    subject: Subject
    since: float
    until: float


class Verifier(Protocol):
    """Safe for one event loop; never waits for the network."""

    @property
    def generation(self) -> int:
        """Another number whenever the issuer's keys have changed."""
        ...

    def ensure_known(self) -> None:
        """Raises `Unavailable` if the issuer's keys are not known, or not any more."""
        ...

    def claims(self, token: bytes) -> Mapping[str, Any]:
        """What a token says whose signature is the issuer's. Raises `NotAuthenticated`, or `Unavailable` while the key it names
        may still come."""
        ...

    def notes(self) -> Mapping[str, PlatformError]:
        """What is wrong with the issuer's keys."""
        ...


class Tokens:
    """Of one event loop. A token that was verified is known by its SHA-256, while the issuer's keys are known and the same."""

    def __init__(self, rules: Rules, verifier: Verifier) -> None:
        self._rules = rules
        self._verifier = verifier
        self._verified: dict[bytes, Admitted] = {}
        self._holders: dict[str, Holder] = {}
        self._generation = -1

    def admit(self, token: bytes, now: datetime) -> Holder:
        """Raises `NotAuthenticated` or `Unavailable`."""
        if len(token) > LONGEST:
            raise no_token(f"this token is longer than {LONGEST:,} bytes")
        if self._generation != self._verifier.generation:
            self._generation, self._verified = self._verifier.generation, {}
        digest = sha256(token).digest()
        found = self._verified.get(digest)
        if found is None:
            found = admitted(self._verifier.claims(token), self._rules, now.timestamp())
            _remember(self._verified, digest, found)
        else:
            self._verifier.ensure_known()
        if not found.since <= now.timestamp() < found.until:
            raise no_token("this token is not in force now")
        return self._holder(found.subject)

    def notes(self) -> Mapping[str, PlatformError]:
        return self._verifier.notes()

    def _holder(self, subject: Subject) -> Holder:
        """The allowance is the subject's, whatever roles its tokens name."""
        known = self._holders.get(subject.name)
        if known is None:
            known = Holder(subject, self._rules.allowance)
        elif known.key != subject:
            known = known.as_well(subject)
        else:
            return known
        _remember(self._holders, subject.name, known)
        return known


def admitted(claims: Mapping[str, Any], rules: Rules, now: float) -> Admitted:
    """Raises `NotAuthenticated`, which says which claim it is, but nothing of what it says."""
    if claims.get("iss") != rules.issuer:
        raise no_token("this token is of another issuer")
    said = claims.get("aud")
    if rules.audience not in (said if isinstance(said, list) else [said]):
        raise no_token("this token is for another audience")
    end = _instant(claims, "exp")
    begins = [begin for name in ("nbf", "iat") if (begin := _instant(claims, name)) is not None]
    if end is None or not begins:
        raise no_token("this token does not say from when until when it is in force (exp, and nbf or iat)")
    since, until = max(begins) - rules.leeway_seconds, end + rules.leeway_seconds
    if not since <= now < until:
        raise no_token("this token is not in force now")
    if end - max(begins) > rules.longest_seconds:
        raise no_token("this token is in force for longer than tokens may be here")
    return Admitted(_subject(claims, rules), since, until)


def no_token(why: str) -> NotAuthenticated:
    hint = "ask its issuer for another one: for this service, in force now, with a role that this service knows"
    return NotAuthenticated(why, presented=True, hint=hint)


def _subject(claims: Mapping[str, Any], rules: Rules) -> Subject:
    name = claims.get("sub")
    if not isinstance(name, str) or not 0 < len(name) <= 255 or not name.isprintable():
        raise no_token("this token names no subject (sub)")
    held = [rules.roles[role] for role in _texts(_found(claims, rules.roles_claim)) if role in rules.roles]
    if not held:
        raise no_token("this token names no role that may do anything here")
    reviewer = _found(claims, rules.reviewer_claim)
    return Subject(
        name=f"sub:{name}",
        grants=tuple(Grant(frozenset(role.models), frozenset(role.actions)) for role in held),
        reviewers=(reviewer,) if isinstance(reviewer, str) and reviewer else (),
    )


def _instant(claims: Mapping[str, Any], name: str) -> float | None:
    """Seconds since 1970, None if there is none."""
    said = claims.get(name)
    if said is None and name not in claims:
        return None
    if isinstance(said, bool) or not isinstance(said, int | float) or not 0 <= said < 1e11:
        raise no_token(f"this token's {name} is no instant")
    return float(said)


def _found(claims: Mapping[str, Any], path: str) -> Any:
    found: Any = claims
    for name in path.split("."):
        found = found.get(name) if isinstance(found, dict) else None
    return found


def _texts(said: Any) -> Sequence[str]:
    """A list of names, or one text with spaces between them, as `scope` is."""
    if isinstance(said, str):
        return said.split()
    return [each for each in said if isinstance(each, str)] if isinstance(said, list) else []


def _remember(known: dict[Any, Any], name: Any, what: Any) -> None:
    """The oldest is forgotten where there is no room."""
    known.pop(name, None)
    while len(known) >= MOST:
        del known[next(iter(known))]
    known[name] = what
