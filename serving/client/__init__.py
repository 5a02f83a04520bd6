"""A small typed client of the scoring service: `from serving.client import Client`. Needs the extra `client`.

    with Client("https://scoring.bank.example", key, model="credit_default") as client:
        scored = client.score({"account_id": "A00017", ...})
        print(scored.only.decision, scored.only.reasons)

Importing it loads httpx and the standard library: no model, no framework, no database.
"""

from serving.client.answers import (
    Better,
    Change,
    Counsel,
    Decision,
    Readiness,
    Reason,
    Review,
    Scored,
    ServedModel,
    Trouble,
)
from serving.client.blocking import Client
from serving.client.concurrent import AsyncClient
from serving.client.errors import (
    BrokenRule,
    Conflict,
    Expired,
    NotAuthenticated,
    NotFound,
    NotPermitted,
    NotUnderstood,
    Refused,
    ServiceError,
    TooMany,
    Unavailable,
)

__all__ = [
    "AsyncClient",
    "Better",
    "BrokenRule",
    "Change",
    "Client",
    "Conflict",
    "Counsel",
    "Decision",
    "Expired",
    "NotAuthenticated",
    "NotFound",
    "NotPermitted",
    "NotUnderstood",
    "Readiness",
    "Reason",
    "Refused",
    "Review",
    "Scored",
    "ServedModel",
    "ServiceError",
    "TooMany",
    "Trouble",
    "Unavailable",
]
