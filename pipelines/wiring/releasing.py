"""Ledger, release channel, registry and evidence; whose keys sign, and whose signatures count."""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

from models.adapters.api_key_files import ApiKeyFiles
from models.adapters.approver_keys import ApproverKeys
from models.adapters.evidence_folder import EvidenceFolder
from models.adapters.file_ledger import FileLedger
from models.adapters.folder_channel import FolderChannel
from models.adapters.key_files import DEMONSTRATION_APPROVER, PUBLISHER, WITNESS, make_local_keys, signer, trust
from models.adapters.pack_folder import PackFolder
from models.adapters.sender_keys import SenderKeys
from models.adapters.stamp_folder import StampFolder
from models.adapters.user_files import UserFiles
from models.bundle import Bundle
from models.channel import ReleaseChannel
from models.errors import Misconfigured
from models.governance.api_keys import ApiKeys
from models.governance.attestation import attested
from models.governance.delivery import Parcel
from models.governance.ledger import Entry, Ledger
from models.governance.requests import Office
from models.governance.signing import Duty, Signer, Trust
from models.governance.timestamps import Authority, StampedLedger, Stamps
from models.governance.users import Users
from models.registry import ModelRegistry
from models.scoring import Scorer
from monitoring.telemetry.context import cause
from pipelines.adapters import parcel_folder
from pipelines.adapters.mlflow_home import DATABASE, FOLDER, has_versions
from pipelines.delivery.receiving import Shelves
from pipelines.pack.artefacts import Artefacts
from pipelines.pack.prose import Document
from pipelines.promotion import Desk
from pipelines.swap_set.report import SwapSet
from pipelines.wiring.foundation import Foundation


class Releasing(Foundation):
    """How a model comes into force, and what is kept about it."""

    @cached_property
    def ledger(self) -> Ledger:
        if not self.settings.timestamp_url or self.authority is None:
            return self._ledger_file
        return StampedLedger(self._ledger_file, self.authority, self.stamps)

    @cached_property
    def _ledger_file(self) -> FileLedger:
        return FileLedger(self.settings.ledger_path, self._witness, self.settings.ledger_anchor, self.trust, cause)

    def attested(self) -> list[Entry]:
        """The ledger's entries, for what rests on them. Raises `Integrity` unless its witness signed all of it."""
        return attested(self.ledger, self.trust)

    def begin_anchor(self) -> None:
        """Give an anchor that is empty the head of a ledger that is older. Raises `Misconfigured` if none is set."""
        if self.settings.ledger_anchor is None:
            raise Misconfigured("no anchor is set", hint="STEWARD_LEDGER_ANCHOR names a file elsewhere")
        self._ledger_file.anchor()

    @property
    def stamps(self) -> Stamps:
        """The time stamps of the ledger."""
        return StampFolder(self.settings.stamps_folder)

    @cached_property
    def authority(self) -> Authority | None:
        """Who stamps the ledger, and by whose certificates a stamp is checked; None without certificates."""
        roots = self.settings.timestamp_roots
        if roots is None:
            return None
        from pipelines.adapters.time_authority import TimeAuthority

        return TimeAuthority(self.settings.timestamp_url, roots)

    def _witness(self) -> Signer:
        """The key that attests the ledger; asked for when something is appended."""
        return self._job(WITNESS, Duty.ATTEST)

    def _job(self, name: str, duty: Duty) -> Signer:
        """A job's signer. The local profile makes its keys on first use."""
        keys = self.settings.home / "keys"
        if self.settings.profile == "local":
            make_local_keys(keys, self.settings.trust_path)
        return signer(keys, name, duty)

    def trust(self) -> Trust:
        """Whose signatures count now. Raises `Misconfigured` if there is no trust file: reading makes none."""
        return trust(self.settings.trust_path, demonstration=self.settings.profile == "local")

    @cached_property
    def approvers(self) -> ApproverKeys:
        settings = self.settings
        return ApproverKeys(settings.approver_keys, settings.home / "keys" / "proposed", settings.trust_path)

    @property
    def senders(self) -> SenderKeys:
        """What this home sends releases with, and from which homes it takes them."""
        return SenderKeys(self.settings.home / "keys", self.settings.trust_path)

    def pack_up(self, parcel: Parcel, folder: Path) -> None:
        parcel_folder.write(folder, parcel)

    def unpack(self, folder: Path) -> Parcel:
        return parcel_folder.read(folder)

    @property
    def shelves(self) -> Shelves:
        return Shelves(self.evidence, self.packs)

    @property
    def api_keys(self) -> ApiKeys:
        """Who may ask the scoring service."""
        return ApiKeyFiles(self.settings.home / "keys")

    @property
    def users(self) -> Users:
        """Who may sign in to the console."""
        return UserFiles(self.settings.home / "keys")

    @cached_property
    def channel(self) -> ReleaseChannel:
        return FolderChannel(self.settings.channel_folder)

    def released_bundle(self, digest: str) -> Bundle:
        return Bundle.verified(self.channel.bundle(digest), digest)

    def scorer(self, graph: bytes) -> Scorer:
        from models.adapters.onnx_runtime import OnnxScorer

        return OnnxScorer(graph)

    @cached_property
    def office(self) -> Office:
        """Who may publish here. Only the local profile has the demonstration approver."""
        publisher = self._job(PUBLISHER, Duty.PUBLISH)
        return Office(
            channel=self.channel,
            ledger=self.ledger,
            trust=self.trust(),
            publisher=publisher,
            clock=self.clock,
            dossiers=self.evidence,
            demonstration=self._job(DEMONSTRATION_APPROVER, Duty.APPROVE) if self.settings.profile == "local" else None,
            canaries=self.settings.canaries,
        )

    @cached_property
    def registry(self) -> ModelRegistry:
        from pipelines.adapters.mlflow_registry import MlflowRegistry

        url = self.settings.mlflow_url
        return MlflowRegistry(url, self.clock) if url else MlflowRegistry.below(self.settings.home, self.clock)

    @property
    def mirrored(self) -> bool:
        """Whether there is a registry whose aliases could lag. Nothing is made or imported for the answer."""
        return bool(self.settings.mlflow_url) or has_versions(self.settings.home / FOLDER / DATABASE)

    @property
    def desk(self) -> Desk:
        return Desk(self.registry, self.office)

    @cached_property
    def evidence(self) -> EvidenceFolder:
        return EvidenceFolder(self.settings.home / "evidence")

    @cached_property
    def packs(self) -> PackFolder:
        return PackFolder(self.settings.home / "packs")

    @cached_property
    def swap_sets(self) -> PackFolder:
        """Reports on two versions, by challenger."""
        return PackFolder(self.settings.home / "swap-sets")

    def render_swap_set(self, report: SwapSet) -> bytes:
        """The page of a swap-set report."""
        from pipelines.adapters.swap_set_page import render

        return render(report)

    def render_pack(self, documents: Sequence[Document], artefacts: Artefacts) -> bytes:
        """The page of an evidence pack."""
        from pipelines.adapters.pack_page import render

        return render(documents, artefacts)
