"""Follows the accounts of past months through the outcomes that are known by now."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import numpy as np

from models.clock import Month
from models.contract import Role
from models.governance.ledger import Entry, accepted_definition
from models.lake import OUTCOMES, Lake, PartitionVersion
from models.usecase import UseCase
from monitoring.outcomes.curves import COHORTS, Vintage, vintage
from monitoring.performance import comparable_definition
from monitoring.sealing import DECISIONS


def vintages(use_case: UseCase, lake: Lake, entries: Sequence[Entry], baseline: int | None, now: datetime) -> list[Vintage]:
    """Of the newest decided months, oldest first. A curve ends where outcomes are not known, or cannot be read comparably."""
    matured = {part.month: part for part in lake.versions(OUTCOMES, known_at=now) if _matured(part, now)}
    read = {month: _read(use_case, lake, part, entries, baseline) for month, part in sorted(matured.items())[-COHORTS:]}
    found = []
    for part in lake.versions(DECISIONS, known_at=now):
        if part.month in read:
            accounts = np.unique(lake.read([part], [use_case.contract.key])[use_case.contract.key])
            found.append(vintage(str(part.month), accounts, list(_since(part.month, read))))
    return [each for each in found[-COHORTS:] if each]


def _since(month: Month, read: Mapping[Month, Mapping[str, Any] | None]) -> Iterator[Mapping[str, Any]]:
    while outcomes := read.get(month):
        yield outcomes
        month = month.plus(1)


def _read(
    use_case: UseCase, lake: Lake, part: PartitionVersion, entries: Sequence[Entry], baseline: int | None
) -> Mapping[str, Any] | None:
    coding = part.facts["coding"]
    accepted = accepted_definition(list(entries), use_case.as_coded, coding)
    definition, _ = comparable_definition(use_case, coding, accepted, baseline)
    if definition is None:
        return None
    columns = lake.read([part])
    codes = columns[use_case.contract.named(Role.OUTCOME)[0]]
    return {"account": columns[use_case.contract.key], "bad": definition.bad(codes)}


def _matured(part: PartitionVersion, now: datetime) -> bool:
    return part.facts["matured_at"] <= str(now.date())
