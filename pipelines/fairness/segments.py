"""The groups of the accounts of a roll-out, for the tests that look for harm to one group only. Behind the door."""

from collections.abc import Iterable, Mapping

import numpy as np

from models.clock import Month
from models.contract import Contract, Role
from models.governance.fairness.groups import NOT_RECORDED, band_names, groups
from models.policy import FairnessLimits
from monitoring.rollout.observations import Segments
from pipelines.fairness.audit import AuditTable


def segments(
    contract: Contract, limits: FairnessLimits, table: AuditTable, accounts: Mapping[Month, Iterable[str]]
) -> list[Segments]:
    """By audit column. `accounts` are pseudonyms by the month that was decided on; who is in several counts in the first.

    Raises `NotFound` if a month has no audit columns. All groups that there may be are named, also those of nobody.
    """
    columns = contract.named(Role.AUDIT)
    found: dict[str, dict[str, str]] = {name: {} for name in columns}
    for month in sorted(accounts):
        names = np.array(list(accounts[month]), dtype=np.str_)
        audit = table.of(month, names)
        for column, labels in groups(contract, limits, audit.columns, audit.known).items():
            for account, group in zip(names.tolist(), labels.tolist(), strict=True):
                found[column].setdefault(account, group)
    return [
        Segments(name, possible, found[name], limits.minimum_cell) for name, possible in named_groups(contract, limits).items()
    ]


def named_groups(contract: Contract, limits: FairnessLimits) -> dict[str, tuple[str, ...]]:
    """All groups that there may be, by audit column: of nobody in particular, so no door is gone through."""
    return {column: _possible(contract, limits, column) for column in contract.named(Role.AUDIT)}


def _possible(contract: Contract, limits: FairnessLimits, column: str) -> tuple[str, ...]:
    """By the contract and the policy, whoever turns up."""
    codes = contract[column].codes
    named = dict.fromkeys(codes.values()) if codes else dict.fromkeys(band_names(limits.bands[column]))
    return (*named, NOT_RECORDED)
