"""Does every stored evidence pack still say what was sealed, and follow from its own artefacts?"""

import json
from collections.abc import Iterator, Mapping
from typing import Protocol

from models.bundle import MANIFEST, sha256
from models.errors import PlatformError
from models.governance.dossier import evidence_digest
from models.governance.verification import Finding
from pipelines.pack.build import recheck

REBUILD = "put the folder back from its backup, or build it again: make evidence VERSION=…"


class Shelf(Protocol):
    def stored(self) -> Iterator[tuple[str, str, Mapping[str, bytes]]]:
        """Every pack that is kept: where, the beginning of its digest, and its files by name."""
        ...


def check_packs(shelf: Shelf) -> Iterator[Finding]:
    for where, digest, files in shelf.stored():
        try:
            evidence_digest(files, _bundle(files))
            recheck(files)
        except PlatformError as error:
            yield Finding(where, error.problem, REBUILD)
            continue
        if not (found := sha256(files[MANIFEST])).startswith(digest):
            yield Finding(where, f"the pack in this folder is {found[:12]}: it was sealed anew, or moved", REBUILD)


def _bundle(files: Mapping[str, bytes]) -> str:
    """The bundle that the pack says it is of; "" if it says nothing that can be read, which is refused then."""
    try:
        return str(json.loads(files[MANIFEST])["bundle"])
    except (KeyError, TypeError, ValueError):
        return ""
