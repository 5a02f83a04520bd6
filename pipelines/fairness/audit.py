"""The one door to the audit columns. Fairness reports go through it; nothing that trains, chooses or scores does."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from models.clock import Month
from models.contract import Columns, Contract, Role
from models.errors import Integrity, NotFound
from models.governance.pseudonyms import Keyring, generations
from models.lake import AUDIT, GENERATION, Lake, PartitionVersion

Accounts = NDArray[np.str_]
Join = Callable[[Accounts, PartitionVersion], Accounts]
"""Accounts as the lake has them (n,) to the keys of a partition of the restricted table (n,)."""


@dataclass(frozen=True)
class Keyed:
    """The join by keyed hash: who lacks the audit keys cannot tell whose row is whose."""

    accounts: Keyring
    audit_keys: Keyring

    def __call__(self, accounts: Accounts, part: PartitionVersion) -> Accounts:
        if part.facts.get(GENERATION) != generations(self.accounts, self.audit_keys):
            raise Integrity(
                f"audit columns {part.month} version {part.version} do not stand under the newest keys",
                hint="a rotation was interrupted: `make ingest` writes them under the newest",
            )
        return self.audit_keys.pseudonyms(self.accounts.lifted(accounts))


@dataclass(frozen=True)
class Audit:
    """Audit columns of the accounts asked for, row by row (n,). What stands where `known` is false means nothing."""

    columns: Columns
    known: NDArray[np.bool_]
    source: Mapping[str, Any]


class AuditTable(Protocol):
    def of(self, month: Month, accounts: Accounts) -> Audit:
        """Raises `NotFound` if the month has no audit partition."""
        ...


class LakeAudit:
    """The restricted lake's table, as known at an instant, joined by key."""

    def __init__(self, lake: Lake, contract: Contract, known_at: datetime, join: Join) -> None:
        self._lake = lake
        self._contract = contract
        self._known_at = known_at
        self._join = join

    def of(self, month: Month, accounts: Accounts) -> Audit:
        part = next((p for p in self._lake.versions(AUDIT, known_at=self._known_at) if p.month == month), None)
        if part is None:
            raise NotFound(f"the restricted lake has no audit columns of {month}", hint="run `make ingest` for that month")
        stored = self._lake.read([part], [self._contract.key, *self._contract.named(Role.AUDIT)])
        keys = stored[self._contract.key]
        order = np.argsort(keys, kind="stable")
        if len(keys) == 0 or np.any(keys[order][1:] == keys[order][:-1]):
            raise Integrity(
                f"audit columns {month} version {part.version} are empty or hold an account twice", hint="ingest it again"
            )
        wanted = self._join(accounts, part)
        place = order[np.minimum(np.searchsorted(keys[order], wanted), len(keys) - 1)]
        source = {"table": AUDIT, "month": str(month), "version": part.version, "digest": part.digest, "rows": part.rows}
        columns = {name: stored[name][place] for name in self._contract.named(Role.AUDIT)}
        return Audit(columns, np.asarray(keys[place] == wanted), source)
