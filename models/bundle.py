"""The deployable: one folder of plain files, sealed by a manifest of digests. No pickle, no code.

model.onnx       raw contract inputs in, probability and log-odds out, all float64
contract.json    the columns                 policy.json     cut-offs, costs, limits
reference.json   frozen bins for PSI/CSI     golden.json     rows with the scores they must get
inventory.json   owner, purpose, uses, exposure
reasons.json     accounts that adverse decisions are compared with, and scales of what a customer can change
uncertainty.json intervals by score and the review range that follows from them; what is familiar to the model
manifest.json    SHA-256 of every file above, and the lineage: data partitions, lock file, git commit, recipe
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from models.contract import Contract
from models.errors import Integrity
from models.policy import Policy

MANIFEST = "manifest.json"
PARTS = (
    "model.onnx",
    "contract.json",
    "policy.json",
    "reference.json",
    "golden.json",
    "inventory.json",
    "reasons.json",
    "uncertainty.json",
)
FORMAT = 1


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def canonical(data: Any) -> bytes:
    """JSON with one spelling: sorted keys, no spaces, UTF-8. What is hashed and signed."""
    return json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


@dataclass(frozen=True)
class Bundle:
    """A verified bundle: to have one is to know that every byte matches the manifest."""

    files: Mapping[str, bytes]

    @classmethod
    def seal(cls, model: str, parts: Mapping[str, bytes], *, lineage: Mapping[str, Any]) -> Self:
        """Equal parts and lineage seal to an equal digest: no time of day goes in, so a rerun recognises its own work."""
        manifest = {
            "format": FORMAT,
            "model": model,
            "files": {name: sha256(parts[name]) for name in PARTS},
            "lineage": lineage,
        }
        return cls.verified({**{name: parts[name] for name in PARTS}, MANIFEST: canonical(manifest)})

    @classmethod
    def verified(cls, files: Mapping[str, bytes], digest: str | None = None) -> Self:
        """Check the manifest's own digest first, then each file's, before anything else is parsed. Raises `Integrity`."""
        if MANIFEST not in files:
            raise Integrity("the bundle has no manifest.json", hint="fetch it again; it was not written completely")
        if digest is not None and (found := sha256(files[MANIFEST])) != digest:
            raise Integrity(
                f"the manifest's digest is {found[:12]}, expected {digest[:12]}",
                hint="the bundle is not the one that was approved",
            )
        digests = _digests(files[MANIFEST])
        if files.keys() != digests.keys() | {MANIFEST}:
            raise Integrity(
                "the bundle's files are not those of its manifest",
                hint="nothing may be added to or taken from a bundle",
            )
        for name, expected in digests.items():
            if sha256(files[name]) != expected:
                raise Integrity(f"{name} does not match its digest in the manifest", hint="the file was changed after sealing")
        return cls(dict(files))

    @property
    def digest(self) -> str:
        return sha256(self.files[MANIFEST])

    @property
    def manifest(self) -> dict[str, Any]:
        return dict(json.loads(self.files[MANIFEST]))

    @property
    def model(self) -> str:
        return str(self.manifest["model"])

    @property
    def lineage(self) -> dict[str, Any]:
        return dict(self.manifest["lineage"])

    @property
    def graph(self) -> bytes:
        return self.files["model.onnx"]

    @property
    def contract(self) -> Contract:
        return Contract.from_dict(json.loads(self.files["contract.json"]))

    @property
    def policy(self) -> Policy:
        return Policy.model_validate_json(self.files["policy.json"])

    def part(self, name: str) -> Any:
        """A JSON part, parsed."""
        return json.loads(self.files[name])


def _digests(manifest: bytes) -> dict[str, str]:
    """The digest of every file, as the manifest says."""
    try:
        parsed = json.loads(manifest)
        form, files = parsed["format"], dict(parsed["files"])
    except (ValueError, KeyError, TypeError) as error:
        raise Integrity("manifest.json cannot be read", hint="it was cut off or edited; fetch the bundle again") from error
    if form != FORMAT:
        raise Integrity(f"bundle format {form!r} is unknown here", hint=f"this release reads format {FORMAT}")
    return files
