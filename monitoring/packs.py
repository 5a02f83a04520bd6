"""Evidence packs as the viewer needs to know them: sealed folders by bundle, each under its own digest."""

import mimetypes
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from models.errors import Integrity, NotApproved, NotFound
from models.governance.dossier import evidence_digest
from models.governance.ledger import Entry, Event
from models.governance.packs import Packs, newest_pack

PAGE = "index.html"


@dataclass(frozen=True)
class Version:
    """A registered version, by its number in the ledger. `pack` is the digest of its newest pack, "" without one."""

    number: int
    bundle: str
    pack: str


def versions(entries: Sequence[Entry], packs: Packs, model: str) -> list[Version]:
    """Newest first; `entries` are the model's."""
    made = {int(entry.facts["version"]): str(entry.facts["bundle"]) for entry in entries if entry.event is Event.REGISTERED}
    found = sorted(made.items(), reverse=True)
    return [Version(number, bundle, newest_pack(entries, packs, model, bundle)) for number, bundle in found]


def opened(packs: Packs, model: str, version: Version) -> Mapping[str, bytes]:
    """Every file of a version's newest pack, none changed since it was sealed. Raises `NotFound`, `Integrity`."""
    if not version.pack:
        raise NotFound(
            f"version {version.number} of {model} has no evidence pack", hint=f"build it: make evidence VERSION={version.number}"
        )
    files = packs.files(model, version.bundle, version.pack)
    try:
        digest = evidence_digest(files, version.bundle, (PAGE,))
    except NotApproved as error:
        raise Integrity(error.problem, hint=f"build it again: make evidence VERSION={version.number}") from error
    if digest != version.pack:
        raise Integrity(
            f"the evidence pack is {digest[:12]}, not {version.pack[:12]}",
            hint=f"build it again: make evidence VERSION={version.number}",
        )
    return files


def document(files: Mapping[str, bytes], name: str) -> tuple[bytes, str]:
    """A file of the pack, and its media type. Nothing else can be fetched. Raises `NotFound`."""
    if name not in files:
        raise NotFound(f"the evidence pack has no file {name!r}", hint="open the page of the pack")
    return files[name], mimetypes.guess_type(name)[0] or "text/plain"
