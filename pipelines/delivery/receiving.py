"""Taking in what another home sent: verified, scored, registered, asked for. It decides nothing until people here promote it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from models.governance.checking import accept
from models.governance.delivery import Opened, Parcel, note_received, opened
from models.governance.packs import note_pack
from models.governance.registration import note_registered
from models.governance.release import champion
from models.governance.requests import Request, request, requested
from models.registry import RunRecord
from models.scoring import Scorer, check_golden_rows
from pipelines.promotion import Desk, mirror


class Training(Protocol):
    """Where evidence that training left lies."""

    def store(self, model: str, bundle: str, files: Mapping[str, bytes]) -> object: ...


class Packs(Protocol):
    """Where evidence packs lie."""

    def store(self, model: str, bundle: str, digest: str, files: Mapping[str, bytes]) -> object: ...


@dataclass(frozen=True)
class Shelves:
    training: Training
    packs: Packs


@dataclass(frozen=True)
class Arrived:
    """`version` is this home's number for it. `before`: it was in force here when it came, so nothing was asked for."""

    found: Opened
    version: int
    before: bool = False


def receive(
    desk: Desk, shelves: Shelves, load: Callable[[bytes], Scorer], parcel: Parcel, model: str, *, by: str, reason: str
) -> Arrived:
    """Raises as `models.governance.delivery.opened`, and `Integrity` if the golden rows score otherwise on this machine.

    Everything is verified before anything is written; the same parcel again completes what a killed run left.
    """
    office = desk.office
    found = opened(office, parcel, model)
    check_golden_rows(found.bundle, load(found.bundle.graph))
    said, bundle = found.said, found.bundle
    if champion(office, model) == bundle.digest:
        return Arrived(found, requested(office, model, bundle.digest).version, before=True)
    note_received(office, found, parcel.statement, by=by, reason=reason)
    _store(shelves, found, parcel)
    run = RunRecord(f"received from {parcel.statement.signer}", {}, {}, {"sender": parcel.statement.signer, "sent": said.sent_at})
    version = desk.registry.register(model, run, bundle.files, bundle.digest)
    office.channel.add_bundle(bundle.digest, bundle.files)
    if said.writer:
        named = {"bundle": bundle.digest, "pack": said.evidence, "training": said.training, "writer": said.writer}
        note_pack(office, model, by, **named)
    note_registered(
        office,
        model,
        version=version.version,
        bundle=bundle.digest,
        evidence=said.evidence,
        run=version.run_id,
        actor=said.trainer,
    )
    wish = Request(model, version.version, bundle.digest, said.evidence, said.trainer, said.compared_with, said.reason)
    request(office, wish)
    for signed in found.approvals:
        accept(office, signed, asked_by=by)
    mirror(desk, model)
    return Arrived(found, version.version)


def _store(shelves: Shelves, found: Opened, parcel: Parcel) -> None:
    """Before the ledger names it."""
    model, bundle = found.said.model, found.bundle.digest
    if found.said.writer:
        shelves.packs.store(model, bundle, found.said.evidence, parcel.evidence)
    else:
        shelves.training.store(model, bundle, parcel.evidence)
