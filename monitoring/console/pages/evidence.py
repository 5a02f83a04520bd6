"""What stands on the page of an evidence pack, and which of its files can be fetched."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from models.errors import NotFound
from models.governance.approval import Approval, agreeing
from monitoring.console.sources import Sources, Trouble, or_trouble
from monitoring.packs import Version, opened, versions


@dataclass(frozen=True)
class EvidencePage:
    """A version's evidence pack. `approvals` are those of the version that are in force; each signs one evidence digest."""

    model: str
    version: Version
    versions: Sequence[Version]  # with a pack, newest first
    approvals: Sequence[Approval] | Trouble


def evidence_page(sources: Sources, model: str, number: int) -> EvidencePage:
    """Raises `NotFound` without such a version or a pack of it, `Integrity` if the pack was changed."""
    version, _ = evidence_files(sources, model, number)
    packed = [each for each in versions(sources.ledger.entries(model), sources.packs, model) if each.pack]

    def approvals() -> Sequence[Approval]:
        signed = sources.channel.approvals(version.bundle)
        return agreeing(signed, sources.trust(), model=model, bundle=version.bundle, now=sources.clock.now()) if signed else ()

    return EvidencePage(model, version, packed, or_trouble(approvals))


def evidence_files(sources: Sources, model: str, number: int) -> tuple[Version, Mapping[str, bytes]]:
    """A version with every file of its newest pack. Raises as `evidence_page` does."""
    registered = versions(sources.ledger.entries(model), sources.packs, model)
    version = next((each for each in registered if each.number == number), None)
    if version is None:
        raise NotFound(f"{model} has no version {number}", hint="open the model; `make train` registers versions")
    return version, opened(sources.packs, model, version)
