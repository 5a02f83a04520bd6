"""Ed25519 signatures over canonical JSON, and the list of whose signature counts for what (RFC 8032)."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from models.bundle import canonical
from models.errors import NotApproved


class Duty(StrEnum):
    """What a key may sign. Nobody holds two: maker, checker and witness are different people or jobs."""

    PUBLISH = "publish"
    APPROVE = "approve"
    ATTEST = "attest"


@dataclass(frozen=True)
class Signed:
    """A document, who signed it, and the signature over `canonical({"signer", "duty", "document"})`."""

    document: Mapping[str, Any]
    signer: str
    duty: Duty
    signature: str

    def payload(self) -> bytes:
        return canonical({"signer": self.signer, "duty": self.duty, "document": self.document})

    def to_bytes(self) -> bytes:
        return canonical({"document": self.document, "signer": self.signer, "duty": self.duty, "signature": self.signature})

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        try:
            return cls.from_dict(json.loads(data))
        except (ValueError, RecursionError) as error:
            raise _unreadable() from error

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> Self:
        try:
            found = cls(raw["document"], raw["signer"], Duty(raw["duty"]), raw.get("signature", ""))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise _unreadable() from error
        if not found.signature:
            raise NotApproved("a document has no signature", hint="what nobody signed counts for nothing; find out who wrote it")
        return found


@dataclass(frozen=True)
class Signer:
    """A person or a job with a private key for one duty."""

    name: str
    duty: Duty
    key: Ed25519PrivateKey

    def sign(self, document: Mapping[str, Any]) -> Signed:
        unsigned = Signed(document, self.name, self.duty, "")
        signature = base64.b64encode(self.key.sign(unsigned.payload())).decode()
        return Signed(document, self.name, self.duty, signature)

    def public(self) -> str:
        return base64.b64encode(self.key.public_key().public_bytes_raw()).decode()


@dataclass(frozen=True)
class Trust:
    """Public keys by duty and name: {"publish": {"pipeline": "base64"}, "approve": {...}}.

    `demonstration` is true in the local profile only: elsewhere no signature of a demonstration counts, whoever is listed.
    """

    keys: Mapping[str, Mapping[str, str]]
    demonstration: bool = False

    def verify(self, signed: Signed, duty: Duty) -> None:
        """Raises `NotApproved` unless a key trusted for this duty signed exactly this document."""
        known = self.keys.get(duty, {})
        if signed.duty is not duty or signed.signer not in known:
            raise NotApproved(
                f"{signed.signer!r} is not trusted to {duty}",
                hint=f"trusted: {', '.join(sorted(known)) or 'nobody'}; see the trust file",
            )
        public = Ed25519PublicKey.from_public_bytes(base64.b64decode(known[signed.signer]))
        try:
            public.verify(base64.b64decode(signed.signature), signed.payload())
        except (InvalidSignature, ValueError, TypeError) as error:
            raise NotApproved(
                f"the signature of {signed.signer!r} does not match",
                hint="the document was changed after signing, or signed with another key than the trust file has",
            ) from error


def _unreadable() -> NotApproved:
    return NotApproved("a signed document cannot be read", hint="it was cut off or edited; fetch it again")
