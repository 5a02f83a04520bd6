"""Through what the console acts: the same office as the pipelines' commands, on the same home."""

from models.adapters.evidence_folder import EvidenceFolder
from models.adapters.file_ledger import FileLedger
from models.adapters.key_files import DEMONSTRATION_APPROVER, PUBLISHER, WITNESS, make_local_keys, signer, trust
from models.channel import ReleaseChannel
from models.clock import Clock
from models.governance.requests import Office
from models.governance.signing import Duty, Signer
from monitoring.settings import MonitoringSettings
from monitoring.telemetry.context import cause


def office(chosen: MonitoringSettings, channel: ReleaseChannel, clock: Clock) -> Office:
    """Raises `Misconfigured` where the keys of the jobs that publish and attest are not mounted: then pages only look.

    Time stamps are asked for by the pipelines alone: the next one covers what was recorded here.
    """
    local, keys = chosen.profile == "local", chosen.home / "keys"
    if local:
        make_local_keys(keys, chosen.trust_path)

    def witness() -> Signer:
        return signer(keys, WITNESS, Duty.ATTEST)

    trusted = trust(chosen.trust_path, demonstration=local)
    return Office(
        channel=channel,
        ledger=FileLedger(chosen.ledger_path, witness, chosen.ledger_anchor, lambda: trusted, cause),
        trust=trusted,
        publisher=signer(keys, PUBLISHER, Duty.PUBLISH),
        clock=clock,
        dossiers=EvidenceFolder(chosen.home / "evidence"),
        demonstration=signer(keys, DEMONSTRATION_APPROVER, Duty.APPROVE) if local else None,
        canaries=chosen.canaries,
    )
