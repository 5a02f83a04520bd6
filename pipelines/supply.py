"""What a model was made with: interpreter and installed distributions as a CycloneDX 1.6 bill of materials, with licences.

The bill names its subject and carries no time, so the same run again writes the same bytes. The hashes of a component are
those that the lock file admits for its version; which of these files was installed depends on the machine.
CycloneDX: ECMA-424; licence expressions: SPDX 2.3, annex D.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self
from uuid import NAMESPACE_URL, uuid5

from models.errors import Misconfigured

BILL, LICENCES = "sbom.cdx.json", "licences.json"
UNKNOWN = "unknown"
_TOKEN = re.compile(r"[()]|[^\s()]+")
_SPDX = re.compile(r"[A-Za-z0-9.+-]+( (?:AND|OR|WITH) [A-Za-z0-9.+()-]+)*")


class Kind(StrEnum):
    """As CycloneDX names the type of a component."""

    LIBRARY = "library"
    INTERPRETER = "platform"  # "a runtime environment that interprets or executes software"


@dataclass(frozen=True)
class Library:
    """An installed distribution, or the interpreter. `licence` is as declared, `hashes` the SHA-256 of its locked files."""

    name: str
    version: str
    licence: str
    hashes: tuple[str, ...] = ()
    kind: Kind = Kind.LIBRARY

    @property
    def purl(self) -> str:
        return f"pkg:{'generic' if self.kind is Kind.INTERPRETER else 'pypi'}/{self.name}@{self.version}"


@dataclass(frozen=True)
class Subject:
    """What the bill is about: a bundle by its digest, or the environment by that of its lock file."""

    kind: str
    name: str
    digest: str

    @property
    def ref(self) -> str:
        return f"{self.kind}:{self.name}:{self.digest}"

    @classmethod
    def bundle(cls, model: str, digest: str) -> Self:
        return cls("machine-learning-model", model, digest)

    @classmethod
    def environment(cls, lock_sha256: str) -> Self:
        return cls("application", "steward", lock_sha256)


@dataclass(frozen=True)
class LicencePolicy:
    """`allowed` are SPDX identifiers; `spellings` say what else means one; `exceptions` name a library, its licence and why."""

    allowed: frozenset[str]
    spellings: Mapping[str, str]
    exceptions: Mapping[str, Mapping[str, str]]

    def licence(self, library: Library) -> str:
        """As an SPDX expression, where the declaration has one or a known spelling of it."""
        exception = self.exceptions.get(library.name)
        return exception["licence"] if exception else self.spellings.get(library.licence, library.licence)

    def refusals(self, libraries: Sequence[Library]) -> list[str]:
        """Why these libraries may not be used together here; empty if they may. An exception that nobody needs is one too."""
        names = {library.name for library in libraries}
        found = [
            f"{library.name} {library.version}: {self.licence(library)} is not an allowed licence"
            for library in libraries
            if library.name not in self.exceptions and not self._admits(self.licence(library))
        ]
        found += [f"{name}: an exception without a reason" for name, one in self.exceptions.items() if not one.get("reason")]
        return found + [f"{name}: an exception for what is not installed" for name in sorted(self.exceptions.keys() - names)]

    def _admits(self, expression: str) -> bool:
        """OR binds weaker than AND. What cannot be read is not admitted."""
        tokens = _TOKEN.findall(expression)
        try:
            return self._either(tokens) and not tokens
        except ValueError:
            return False

    def _either(self, tokens: list[str]) -> bool:
        admitted = self._both(tokens)
        while _taken(tokens, "OR"):
            admitted |= self._both(tokens)
        return admitted

    def _both(self, tokens: list[str]) -> bool:
        admitted = self._one(tokens)
        while _taken(tokens, "AND"):
            admitted &= self._one(tokens)
        return admitted

    def _one(self, tokens: list[str]) -> bool:
        if not _taken(tokens, "("):
            if not tokens:
                raise ValueError("a licence is missing")
            return tokens.pop(0) in self.allowed
        admitted = self._either(tokens)
        if not _taken(tokens, ")"):
            raise ValueError("a parenthesis is open")
        return admitted


def _taken(tokens: list[str], word: str) -> bool:
    found = tokens[:1] == [word]
    del tokens[:found]
    return found


def policy(data: Mapping[str, Any]) -> LicencePolicy:
    """From the tables of `infra/licences.toml`. Raises `Misconfigured`."""
    try:
        return LicencePolicy(frozenset(data["allowed"]), dict(data["spellings"]), dict(data["exceptions"]))
    except (KeyError, TypeError, ValueError) as error:
        raise Misconfigured(
            "the licence policy lacks a table", hint="infra/licences.toml: allowed, spellings, exceptions"
        ) from error


def documents(libraries: Sequence[Library], rules: LicencePolicy, subject: Subject) -> dict[str, bytes]:
    """The bill of materials and the list of licences, as files by name."""
    listed = [{"name": library.name, "version": library.version, "licence": rules.licence(library)} for library in libraries]
    reasons = {
        library.name: rules.exceptions[library.name]["reason"] for library in libraries if library.name in rules.exceptions
    }
    licences = {"subject": subject.ref, "libraries": listed, "exceptions": reasons, "refused": rules.refusals(libraries)}
    return {BILL: _text(bill(libraries, rules, subject)), LICENCES: _text(licences)}


def bill(libraries: Sequence[Library], rules: LicencePolicy, subject: Subject) -> dict[str, Any]:
    """A CycloneDX 1.6 document. The subject's version is its digest."""
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": uuid5(NAMESPACE_URL, subject.ref).urn,
        "version": 1,
        "metadata": {
            "component": {"type": subject.kind, "bom-ref": subject.ref, "name": subject.name, "version": subject.digest},
        },
        "components": [_component(library, rules.licence(library)) for library in libraries],
        "dependencies": [{"ref": subject.ref, "dependsOn": [library.purl for library in libraries]}],
    }


def versions(libraries: Sequence[Library]) -> dict[str, str]:
    """By name."""
    return {library.name: library.version for library in libraries}


def _component(library: Library, licence: str) -> dict[str, Any]:
    component: dict[str, Any] = {
        "type": library.kind.value,
        "bom-ref": library.purl,
        "name": library.name,
        "version": library.version,
        "purl": library.purl,
        "licenses": [
            {"expression": licence} if licence != UNKNOWN and _SPDX.fullmatch(licence) else {"license": {"name": licence}}
        ],
    }
    if library.hashes:
        hashes = [{"alg": "SHA-256", "content": digest} for digest in library.hashes]
        component["externalReferences"] = [{"type": "distribution", "url": library.purl, "hashes": hashes}]
    return component


def _text(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document, indent=1, ensure_ascii=False).encode()
