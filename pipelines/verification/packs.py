"""Does every stored evidence pack still say what was sealed, and follow from its own artefacts?

Who can write the folder can seal any figures and any page in it without a key. So a pack must be named in the ledger, and is
written again by the code that wrote it. Another release writes other words: of its packs only the values can be followed, the
rest rests on the digest in the ledger, and that is said.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from models.bundle import MANIFEST
from models.errors import Integrity, PlatformError
from models.governance.dossier import evidence_digest
from models.governance.ledger import Entry
from models.governance.packs import named_packs
from models.governance.verification import Finding
from pipelines.pack.build import Render, recheck, reread

REBUILD = "put the folder back from its backup, or build it again: make evidence VERSION=…"
UNNAMED = "find out who put it there, and take it away; if a run was killed as it built it: make evidence VERSION=…"


class Shelf(Protocol):
    def stored(self) -> Iterator[tuple[str, str, Mapping[str, bytes]]]:
        """Every pack that is kept: where, the beginning of its digest, and its files by name."""
        ...


def check_packs(shelf: Shelf, entries: Sequence[Entry], render: Render, release: str) -> Iterator[Finding]:
    """`release` is the code that writes packs here: `pipelines.pack.writer`. That a named pack is gone is another check's."""
    named = named_packs(entries)
    for where, folder, files in shelf.stored():
        try:
            digest = evidence_digest(files, _bundle(files))
            if not digest.startswith(folder):
                raise Integrity(f"the pack in this folder is {digest[:12]}: it was sealed anew, or moved", hint="")
            if digest in named:
                _follows(files, render, same=named[digest] == release)
                continue
        except PlatformError as error:
            yield Finding(where, error.problem, REBUILD)
            continue
        yield Finding(where, "no entry of the ledger names this pack", UNNAMED)


def compared(shelf: Shelf, entries: Sequence[Entry], release: str) -> str:
    """What holds if `check_packs` finds nothing, as a sentence."""
    wrote = {digest[:12]: by for digest, by in named_packs(entries).items()}
    others = [folder for _, folder, _ in shelf.stored() if wrote.get(folder, release) != release]
    named = "The ledger names every evidence pack that is here, and"
    if not others:
        return f"{named} each follows from its artefacts, figures and page."
    return (
        f"{named} each number stands in its artefact."
        f" Not compared, as another release of the platform wrote them: verdicts and page of {', '.join(others)};"
        " their bytes are those that the ledger names. make evidence VERSION=… writes a version's pack anew."
    )


def _follows(files: Mapping[str, bytes], render: Render, *, same: bool) -> None:
    if same:
        recheck(files, render)
    else:
        reread(files)


def _bundle(files: Mapping[str, bytes]) -> str:
    """The bundle that the pack says it is of; "" if it says nothing that can be read, which is refused then."""
    try:
        return str(json.loads(files[MANIFEST])["bundle"])
    except (KeyError, TypeError, ValueError):
        return ""
