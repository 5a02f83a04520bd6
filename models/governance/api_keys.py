"""API keys: who may ask a service for what, until when, and how much of it.

A key is 32 random bytes. Only its SHA-256 is kept: nobody guesses 256 random bits, so a slow hash, which protects passwords that
people choose, would only slow down the door. What a key may do is decided by whoever issues it, and stands beside its hash.
"""

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Protocol

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from models.bundle import canonical, sha256
from models.errors import InputRefused

PREFIX = "steward_"
"""How a key begins, so that a search for lost secrets finds it."""
EVERY = "all"
"""In place of models' names: those of today and those to come."""
LONGEST_DAYS = 398
"""A key lives a year and a month at most: whoever needs it longer looks at it again."""

NAME = r"^[a-z][a-z0-9._-]{0,62}$"


class Action(StrEnum):
    SCORE = "score"
    COUNTERFACTUAL = "counterfactual"
    REVIEW = "review"
    READ = "read"  # what is served, the OpenAPI document, why a service is not ready


class State(StrEnum):
    IN_FORCE = "in force"
    EXPIRED = "expired"
    REVOKED = "revoked"


class Allowance(BaseModel):
    """How much one key may ask of one service process."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    requests_per_second: float = Field(default=100.0, gt=0, le=1e6)
    burst: int = Field(default=200, ge=1, le=10**6)
    """Requests that may come at once after a pause."""
    decisions_per_second: float = Field(default=10_000.0, gt=0, le=1e9)
    """Over time: a batch is taken whole, and what follows it waits."""
    in_flight: int = Field(default=64, ge=1, le=10**6)
    """Requests that are worked on at a time."""


class ApiKey(BaseModel):
    """A key as it is kept. `reviewers`: whose reviews it may bring, by name."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=NAME)
    digest: str = Field(pattern=r"^[0-9a-f]{64}$", repr=False)
    models: tuple[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")], ...] = Field(min_length=1)
    actions: tuple[Action, ...] = Field(min_length=1)
    reviewers: tuple[Annotated[str, Field(pattern=r"^[A-Za-z0-9._@-]{1,64}$")], ...] = Field(min_length=1)
    allowance: Allowance
    issued_at: AwareDatetime
    expires_at: AwareDatetime
    revoked_at: AwareDatetime | None = None

    def state(self, now: datetime) -> State:
        if self.revoked_at is not None:
            return State.REVOKED
        return State.IN_FORCE if now < self.expires_at else State.EXPIRED

    def covers(self, model: str) -> bool:
        return EVERY in self.models or model in self.models

    @property
    def record(self) -> str:
        """The SHA-256 of everything that is kept: what the ledger knows of a key."""
        return sha256(canonical(self.model_dump(mode="json")))


class ApiKeys(Protocol):
    """Where keys are kept."""

    def all(self) -> list[ApiKey]:
        """By name. Raises `Misconfigured` naming the first that cannot be read."""
        ...

    def find(self, name: str) -> ApiKey:
        """Raises `NotFound` or `Misconfigured`."""
        ...

    def ensure_free(self, name: str) -> None:
        """Raises `Conflict` if there is or was a key of this name."""
        ...

    def add(self, key: ApiKey) -> None:
        """Durable when it returns. Raises `Conflict` if there is or was a key of this name."""
        ...

    def replace(self, key: ApiKey) -> None:
        """Durable when it returns."""
        ...


def new_secret() -> str:
    return PREFIX + secrets.token_urlsafe(32)


def issue(
    secret: str,
    name: str,
    *,
    models: Sequence[str],
    actions: Sequence[str],
    days: int,
    now: datetime,
    reviewers: Sequence[str] = (),
    allowance: Allowance | None = None,
) -> ApiKey:
    """The key as it is kept; without `reviewers` it speaks for its own name alone. Raises `InputRefused`."""
    if not 1 <= days <= LONGEST_DAYS:
        raise InputRefused(f"a key cannot live for {days} days", hint=f"1 to {LONGEST_DAYS}")
    if unknown := [each for each in actions if each not in list(Action)]:
        raise InputRefused(f"{unknown[0]!r} is no action", hint=f"actions: {', '.join(Action)}, or {EVERY}")
    try:
        return ApiKey(
            name=name,
            digest=sha256(secret.encode()),
            models=tuple(dict.fromkeys(models)),
            actions=tuple(Action(each) for each in dict.fromkeys(actions)),
            reviewers=tuple(dict.fromkeys(reviewers or [name])),
            allowance=allowance or Allowance(),
            issued_at=now,
            expires_at=now + timedelta(days=days),
        )
    except ValidationError as error:
        field = str(error.errors()[0]["loc"][0])
        raise InputRefused(
            f"the key's {field} will not do", hint="names are of small letters, digits, dots, hyphens; at least one of each list"
        ) from error
