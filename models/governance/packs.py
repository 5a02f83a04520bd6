"""Which evidence packs the ledger vouches for, and which is the newest of a bundle.

A folder proves nothing: who can write it can seal a nicer pack in it without any key. An entry of the ledger is signed by its
witness, so a pack counts if an entry names its digest, and the newest is the one that was named last.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from models.errors import NotFound
from models.governance.dossier import altered, evidence_digest
from models.governance.ledger import Entry, Event
from models.governance.requests import Office


class Packs(Protocol):
    def files(self, model: str, bundle: str, digest: str) -> Mapping[str, bytes]:
        """Every file by its name below the folder, as it is now. Empty if there is none."""
        ...


def note_pack(office: Office, model: str, actor: str, *, bundle: str, pack: str, training: str, writer: str) -> None:
    """Write down that this pack was sealed, of which training evidence, and by which release of the code that writes packs."""
    facts = {"bundle": bundle, "pack": pack, "training": training, "writer": writer}
    office.note_once(Event.PACK_SEALED, model, actor, facts)


def named_packs(entries: Sequence[Entry]) -> dict[str, str]:
    """By digest the release that wrote it; "" for those that only a registration of an earlier release names.

    Such a registration may name what training left instead of a pack: then no pack has that digest.
    """
    registered = {str(entry.facts.get("evidence", "")): "" for entry in entries if entry.event is Event.REGISTERED}
    return registered | {entry.facts["pack"]: entry.facts["writer"] for entry in entries if entry.event is Event.PACK_SEALED}


def newest_pack(entries: Sequence[Entry], packs: Packs, model: str, bundle: str) -> str:
    """The digest of the pack of a bundle that the ledger named last; "" without one."""
    mine = [entry for entry in entries if entry.model == model and entry.facts.get("bundle") == bundle]
    sealed = [str(entry.facts["pack"]) for entry in mine if entry.event is Event.PACK_SEALED]
    return sealed[-1] if sealed else next(_registered(mine, packs), "")


def opened(entries: Sequence[Entry], packs: Packs, model: str, bundle: str) -> tuple[str, Mapping[str, bytes]]:
    """The newest pack of a bundle: its digest, and its files as they were sealed.

    Raises `NotFound` if the ledger names none, `NotApproved` if it is gone or was touched.
    """
    digest = newest_pack(entries, packs, model, bundle)
    if not digest:
        raise NotFound(f"the ledger names no evidence pack of bundle {bundle[:12]} of {model}", hint="build it: make evidence")
    files = packs.files(model, bundle, digest)
    if (found := evidence_digest(files, bundle)) != digest:
        raise altered(f"the evidence pack is {found[:12]}, not {digest[:12]}")
    return digest, files


def _registered(mine: Sequence[Entry], packs: Packs) -> Iterator[str]:
    """Packs of a release that noted them only by their registration, the newest first."""
    for entry in (each for each in reversed(mine) if each.event is Event.REGISTERED):
        evidence = str(entry.facts.get("evidence", ""))
        if evidence and packs.files(entry.model, entry.facts["bundle"], evidence):
            yield evidence
