"""The partitions that models were made of, as their sealed lineages name them. The lake must keep every one of them."""

from collections.abc import Sequence
from datetime import datetime

from models.channel import ReleaseChannel, verified
from models.clock import Month
from models.errors import Integrity, NotFound
from models.governance.ledger import Entry, Event
from models.lake import PartitionVersion


def recorded(channel: ReleaseChannel, entries: Sequence[Entry], model: str) -> list[PartitionVersion]:
    """Every partition that a bundle trained here names, each once; a lineage does not say the facts.

    What another home sent was made of the lake of that home.

    A bundle that was deleted or changed since names nothing that could be relied on; that it was is for `make verify` to say.
    """
    mine = [entry for entry in entries if entry.model == model]
    elsewhere = {entry.facts["bundle"] for entry in mine if entry.event is Event.RECEIVED}
    registered = [entry for entry in mine if entry.event is Event.REGISTERED and entry.facts["bundle"] not in elsewhere]
    found: dict[tuple[str, str, str], PartitionVersion] = {}
    for digest in dict.fromkeys(entry.facts["bundle"] for entry in registered):
        try:
            named = verified(channel, model, digest).lineage.get("partitions", [])
        except (NotFound, Integrity):
            continue
        found |= {(part["table"], part["month"], part["digest"]): _partition(part) for part in named}
    return list(found.values())


def _partition(named: dict[str, str]) -> PartitionVersion:
    return PartitionVersion(
        table=named["table"],
        month=Month.parse(named["month"]),
        version=int(named["version"]),
        digest=named["digest"],
        rows=int(named["rows"]),
        recorded_at=datetime.fromisoformat(named["recorded_at"]),
        facts={},
    )
