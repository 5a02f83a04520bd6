"""What both clients ask, and where: each method's call, and how its answer is read."""

import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any
from urllib.parse import SplitResult, quote, urlsplit

from models.errors import InputRefused, Misconfigured
from serving.client.answers import Scored, ServedModel
from serving.client.asking import Call, Reply, understood, written
from serving.client.tracing import trace_context

Records = Mapping[str, Any] | Sequence[Mapping[str, Any]]
"""One record, or several."""

_JSON = {"content-type": "application/json"}
_KEY = re.compile(r"[!-~]{1,255}")


@dataclass(frozen=True)
class Address:
    """Where the service is, and the key for it, which goes nowhere else. Raises `Misconfigured`."""

    url: str
    key: str = field(default="", repr=False)
    model: str = ""
    plain_http: bool = False

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or parts.username or parts.query or parts.fragment or not _reachable(parts):
            raise Misconfigured(
                "the service's address is not like https://host:port",
                hint="give scheme, host and, where there is one, port and path; the key is an argument of its own",
            )
        if self.key and parts.scheme == "http" and not (self.plain_http or _own(parts.hostname or "")):
            raise Misconfigured(
                "a key would go over the network in the clear",
                hint="use https; or, where something else protects the way, plain_http=True",
            )

    @property
    def headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.key}"} if self.key else {}

    def scoring(self, records: Records, model: str, idempotency_key: str) -> Call:
        if not isinstance(idempotency_key, str):
            raise InputRefused("the idempotency key is no str", hint="give 1 to 255 visible ASCII characters, or leave it out")
        if idempotency_key and not _KEY.fullmatch(idempotency_key):
            raise InputRefused("the idempotency key is too long or not plain", hint="give 1 to 255 visible ASCII characters")
        key = {"idempotency-key": idempotency_key or secrets.token_hex(16)}
        return self._call("POST", f"/v1/models/{self._named(model)}/score", written(records), key)

    def counterfactual(self, record: Mapping[str, Any], model: str) -> Call:
        return self._call("POST", f"/v1/models/{self._named(model)}/counterfactual", written(record))

    def reviewing(self, decision_id: str, said: Mapping[str, Any]) -> Call:
        """The service takes the same review as often as it is sent, and another one never."""
        return self._call("POST", _review(decision_id), written(said))

    def reviewed(self, decision_id: str) -> Call:
        return self._call("GET", _review(decision_id))

    def models(self) -> Call:
        return self._call("GET", "/v1/models")

    def ready(self) -> Call:
        return self._call("GET", "/health/ready", accepted=frozenset({200, 503}))

    def _named(self, model: str) -> str:
        if not (name := model or self.model):
            raise Misconfigured("no model is named", hint="name it where the client is made, or with the call: model=…")
        return quote(name, safe="")

    def _call(
        self,
        method: str,
        path: str,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        accepted: frozenset[int] = frozenset({200}),
    ) -> Call:
        sent = self.headers | trace_context() | {"x-request-id": secrets.token_hex(16)} | (_JSON if content is not None else {})
        return Call(method, self.url.rstrip("/") + path, content, sent | dict(headers or {}), accepted)


def scored(reply: Reply) -> Scored:
    replayed = reply.headers.get("idempotent-replayed") == "true"
    return understood(lambda said: Scored.of(said, replayed=replayed), reply)


def served(said: Any) -> tuple[ServedModel, ...]:
    return tuple(map(ServedModel.of, said["models"]))


def review(outcome: str, reviewer: str, reason_code: str, comment: str, statement: str, *, own: bool) -> dict[str, Any]:
    said: dict[str, Any] = {"outcome": outcome, "reviewer": reviewer, "reason_code": reason_code, "comment": comment}
    return said | {"statement": statement, "own_delinquency": own}


def _review(decision_id: str) -> str:
    return f"/v1/decisions/{quote(decision_id, safe='')}/review"


def _reachable(parts: SplitResult) -> bool:
    try:
        return bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:  # a port that is none
        return False


def _own(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
