"""Ed25519 signatures over canonical JSON, and the list of whose signature counts for what (RFC 8032)."""

import base64
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from models.bundle import canonical, sha256
from models.errors import NotApproved


class Duty(StrEnum):
    """What a key may sign. Nobody holds two: maker, checker, witness and who delivers are different people, jobs or homes."""

    PUBLISH = "publish"
    APPROVE = "approve"
    ATTEST = "attest"
    DELIVER = "deliver"


@dataclass(frozen=True)
class Signed:
    """A document, who signed it, and the signature over `canonical({"signer", "duty", "document"})`.

    `key` is the fingerprint of the key that signed. It proves nothing and lets nothing pass; it tells a wrong key from an
    edited document when the signature fails. "" where none was kept (earlier releases, entries of the ledger).
    """

    document: Mapping[str, Any]
    signer: str
    duty: Duty
    signature: str
    key: str = ""

    def payload(self) -> bytes:
        return canonical({"signer": self.signer, "duty": self.duty, "document": self.document})

    def to_bytes(self) -> bytes:
        return canonical(asdict(self))

    @classmethod
    def from_bytes(cls, data: bytes, where: str = "a signed document") -> Self:
        """`where` it lies, for the message. Raises `NotApproved`."""
        try:
            return cls.from_dict(json.loads(data), where)
        except (ValueError, RecursionError) as error:
            raise _unreadable(where) from error

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any], where: str = "a signed document") -> Self:
        try:
            signature, key = str(raw.get("signature", "")), str(raw.get("key", ""))
            found = cls(dict(raw["document"]), str(raw["signer"]), Duty(raw["duty"]), signature, key)
            found.to_bytes()  # what cannot be spelled was signed by nobody, and could not be kept in a copy
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise _unreadable(where) from error
        if not found.signature:
            raise NotApproved(f"{where} has no signature", hint="what nobody signed counts for nothing; find out who wrote it")
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
        return Signed(document, self.name, self.duty, signature, fingerprint(self.public()))

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
        trusted = known[signed.signer]
        public = Ed25519PublicKey.from_public_bytes(base64.b64decode(trusted))
        try:
            public.verify(base64.b64decode(signed.signature), signed.payload())
        except (InvalidSignature, ValueError, TypeError) as error:
            raise _mismatch(signed, fingerprint(trusted)) from error


def fingerprint(public: str) -> str:
    """The first 16 hex digits of the SHA-256 of a public key, given as base64."""
    return sha256(base64.b64decode(public))[:16]


def _mismatch(signed: Signed, trusted: str) -> NotApproved:
    """Why a signature failed, as far as the fingerprint beside it tells; whoever edits may have edited that, too."""
    problem = f"the signature of {signed.signer!r} does not match"
    where = f"where it was to {signed.duty} {_about(signed.document)}"
    if not signed.key:
        return NotApproved(
            f"{problem} {where}",
            hint="the document was changed after signing, or signed with another key than the trust file has",
        )
    if signed.key != trusted:
        return NotApproved(
            f"{problem} the trusted key {where}: key {signed.key} signed, and the trust file has {trusted}",
            hint=f"was {signed.signer!r} given a new key? admit it to the trust file, or sign again with the trusted one;"
            " if not, somebody signed in that name",
        )
    return NotApproved(
        f"{problem} the document {where}: the key is the trusted one, so the document was changed after signing",
        hint="put the document back from a copy, or have it signed again; find out who could write there",
    )


def _about(document: Mapping[str, Any]) -> str:
    """What a signed document says it is of, as far as it does: it may have been edited."""
    names = ("model", "version", "sequence", "number", "bundle", "evidence")
    told = [f"{name} {str(document[name])[:16]}" for name in names if document.get(name)]
    return ", ".join(told) or "something that names no model"


def _unreadable(where: str) -> NotApproved:
    return NotApproved(f"{where} cannot be read", hint="it was cut off or edited; fetch it again")
