"""After a rotation of keys: the audit columns are written once more, under the newest keys.

Everything else is lifted by who reads it. A key of the audit table is a keyed hash of a pseudonym, which nobody can lift; but who
has all keys and the lake's accounts can tell which key was whose.
"""

from collections.abc import Iterable
from datetime import datetime

import numpy as np

from models.clock import Month
from models.contract import Contract
from models.governance.pseudonyms import Keyring, generation_of, generations
from models.lake import AUDIT, GENERATION, SNAPSHOTS, Lake, PartitionVersion
from pipelines.batches import in_key_order


def rekey(
    lake: Lake, restricted: Lake, contract: Contract, accounts: Keyring, audit_keys: Keyring, now: datetime
) -> list[PartitionVersion]:
    """The partitions written. `lake` is as it is stored: nothing is lifted. Done again, it writes nothing."""
    newest, written = generations(accounts, audit_keys), []
    for part in restricted.versions(AUDIT):
        if part.facts.get(GENERATION, newest) != newest:
            columns = dict(restricted.read([part]))
            before, audit_before = map(int, part.facts[GENERATION].split("."))
            new = {
                audit_keys.pseudonym(accounts.lift(name, before), audit_before): audit_keys.pseudonym(accounts.lift(name))
                for name in _names(lake, part.month, contract.key)
                if generation_of(name) <= before
            }
            columns[contract.key] = np.array([new.get(key, key) for key in columns[contract.key].tolist()])
            rows = in_key_order(columns, contract.key)
            written.append(restricted.write(AUDIT, part.month, rows, recorded_at=now, facts={GENERATION: newest}))
    return written


def _names(lake: Lake, month: Month, key: str) -> Iterable[str]:
    """Every account that the month's snapshots ever had, as it is stored."""
    history = lake.history(SNAPSHOTS, month)
    return dict.fromkeys(name for part in history for name in lake.read([part], [key])[key].tolist())
