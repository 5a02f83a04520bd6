"""What a model may learn from: snapshots joined to their matured outcomes, as known at an instant, and nothing else.

An outcome partition says in its facts when it matured (`matured_at`, a date), how its codes are to be read (`coding`)
and which reading was in force when it arrived (`definition_version`). An immature outcome is unknown, never good: the
cohort is left out. So is a single account without an outcome.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.clock import Month
from models.contract import REQUEST_ROLES, Columns, Role
from models.errors import Held, Integrity, NotEnoughData
from models.lake import OUTCOMES, SNAPSHOTS, Lake, PartitionVersion
from models.outcomes import OutcomeDefinition
from models.usecase import UseCase


@dataclass(frozen=True)
class Dataset:
    """Rows ordered by cohort, oldest first, then as delivered. `columns` holds key, time and inputs; every array has shape (n,).

    `unlabelled` counts the snapshots that were left out because no outcome of theirs is known.
    """

    columns: Columns
    accounts: NDArray[np.str_]
    months: NDArray[np.str_]
    bad: NDArray[np.bool_]
    definition_version: int
    partitions: tuple[PartitionVersion, ...]
    unlabelled: int

    def take(self, rows: NDArray[Any]) -> "Dataset":
        """Some rows, by mask or by index; the lineage stays whole."""
        columns = {name: values[rows] for name, values in self.columns.items()}
        return Dataset(
            columns,
            self.accounts[rows],
            self.months[rows],
            self.bad[rows],
            self.definition_version,
            self.partitions,
            self.unlabelled,
        )

    def lineage(self) -> list[dict[str, Any]]:
        """Every partition that was read, by version and digest, as it stands in a bundle's manifest."""
        return [
            {
                "table": part.table,
                "month": str(part.month),
                "version": part.version,
                "digest": part.digest,
                "rows": part.rows,
                "recorded_at": part.recorded_at.isoformat(),
            }
            for part in self.partitions
        ]


def load(
    use_case: UseCase,
    lake: Lake,
    months: Sequence[Month],
    as_of: date,
    known_at: datetime,
    *,
    definition: int | None = None,
) -> Dataset:
    """The cohorts of `months`, all of them, in the versions recorded up to `known_at`.

    `definition` reads every code under one accepted definition; without it the partitions must agree on one. Raises
    `NotEnoughData` if a cohort is not known or has not matured at the end of `as_of`, `Held` if outcomes cannot be
    compared, `Integrity` if a partition contradicts itself.
    """
    chosen = sorted(set(months))
    snapshots = {part.month: part for part in lake.versions(SNAPSHOTS, known_at=known_at)}
    outcomes = {part.month: part for part in matured_outcomes(use_case, lake, as_of, known_at, chosen)}
    if not chosen or (absent := [month for month in chosen if month not in snapshots.keys() & outcomes.keys()]):
        raise NotEnoughData(
            f"{', '.join(map(str, absent)) if chosen else 'no month'}: no snapshots with matured outcomes as of {as_of},"
            f" as known at {known_at:%Y-%m-%d %H:%M}",
            hint="ingest these months, or choose a later --as-of or --known-at",
        )
    parts = [part for month in chosen for part in (snapshots[month], outcomes[month])]
    return read(use_case, lake, parts, definition=definition)


def read(use_case: UseCase, lake: Lake, partitions: Sequence[PartitionVersion], *, definition: int | None = None) -> Dataset:
    """The cohorts of exactly these partitions: of each month its snapshots, then its outcomes, oldest month first.

    Raises `Held` and `Integrity` as `load` does.
    """
    snapshots, outcomes = partitions[::2], partitions[1::2]
    reading = _definition(use_case, outcomes, definition)
    cohorts = [_cohort(use_case, lake, ours, theirs, reading) for ours, theirs in zip(snapshots, outcomes, strict=True)]
    columns = {name: np.concatenate([cohort[name] for cohort, _, _ in cohorts]) for name in cohorts[0][0]}
    return Dataset(
        columns=columns,
        accounts=columns[use_case.contract.key],
        months=columns[use_case.contract.time],
        bad=np.concatenate([bad for _, bad, _ in cohorts]),
        definition_version=reading.version,
        partitions=tuple(partitions),
        unlabelled=sum(unlabelled for _, _, unlabelled in cohorts),
    )


def matured_outcomes(
    use_case: UseCase, lake: Lake, as_of: date, known_at: datetime, months: Sequence[Month] | None = None
) -> list[PartitionVersion]:
    """The outcomes that had matured at the end of `as_of`, in the versions recorded up to `known_at`, oldest month first.

    The version known last counts, also for when it matured. Raises `NotEnoughData` if a restatement moved the maturity of
    a cohort behind `as_of`, whose rows would vanish without a word, and `Integrity` if an outcome claims to have been early.
    """
    known = [part for part in lake.versions(OUTCOMES, known_at=known_at) if months is None or part.month in months]
    found = [part for part in known if _matured(use_case, part, as_of)]
    for part in known:
        if part not in found:
            _refuse_vanishing(use_case, lake, part, as_of)
    return found


def _refuse_vanishing(use_case: UseCase, lake: Lake, outcome: PartitionVersion, as_of: date) -> None:
    """An outcome that is late from the start is unknown. One that was known and is now said to be late is a contradiction."""
    earlier = [part for part in lake.history(OUTCOMES, outcome.month) if part.version < outcome.version]
    said = [date.fromisoformat(part.facts["matured_at"]) for part in earlier]
    if any(use_case.matured_at(outcome.month) <= day <= as_of for day in said):
        raise NotEnoughData(
            f"outcomes {outcome.month} were known as of {as_of}; version {outcome.version}, recorded at"
            f" {outcome.recorded_at:%Y-%m-%d %H:%M}, says that they matured at {outcome.facts['matured_at']}",
            hint="choose an --as-of on that day or later, or a --known-at before the restatement",
        )


def _matured(use_case: UseCase, outcome: PartitionVersion, as_of: date) -> bool:
    """Whether the cohort's outcome is known at the end of `as_of`. Raises `Integrity` if it claims to have been early."""
    matured_at = date.fromisoformat(outcome.facts["matured_at"])
    earliest = use_case.matured_at(outcome.month)
    if matured_at < earliest or outcome.recorded_at.date() < matured_at:
        raise Integrity(
            f"outcomes {outcome.month} version {outcome.version} say they matured at {matured_at} and were recorded at"
            f" {outcome.recorded_at:%Y-%m-%d}, but the outcome month ends at {earliest}",
            hint="an outcome cannot be known before its month is over: quarantine the partition and ingest it again",
        )
    return matured_at <= as_of


def _definition(use_case: UseCase, outcomes: Sequence[PartitionVersion], wanted: int | None) -> OutcomeDefinition:
    """The one definition under which all partitions can be read. Raises `Held` if there is none."""
    arrived = {str(part.month): int(part.facts["definition_version"]) for part in outcomes}
    versions = set(arrived.values()) if wanted is None else {wanted}
    if len(versions) > 1:
        raise Held(
            "the outcomes arrived under different definitions: " + ", ".join(f"{m} under {v}" for m, v in arrived.items()),
            hint="a person must accept one definition that reads them all, or leave the older months out",
        )
    definition = use_case.definitions[versions.pop()]
    if unreadable := [part for part in outcomes if part.facts["coding"] not in definition.codings]:
        part = unreadable[0]
        raise Held(
            f"definition {definition.version} ({definition.rule}) cannot read outcomes {part.month}:"
            f" they are coded as {part.facts['coding']}",
            hint="a person must accept a definition for this coding, or leave the month out",
        )
    return definition


def _cohort(
    use_case: UseCase, lake: Lake, snapshot: PartitionVersion, outcome: PartitionVersion, definition: OutcomeDefinition
) -> tuple[Columns, NDArray[np.bool_], int]:
    """One month: columns and bad of the accounts with an outcome, and how many have none."""
    contract = use_case.contract
    columns = lake.read([snapshot], contract.named(*REQUEST_ROLES))
    labels = lake.read([outcome], [contract.key, *contract.named(Role.OUTCOME)])
    if foreign := set(columns[contract.time]) - {str(snapshot.month)}:
        raise Integrity(
            f"snapshots {snapshot.month} version {snapshot.version} hold rows of {', '.join(sorted(foreign))}",
            hint="a partition holds one month: quarantine it and ingest it again",
        )
    accounts, known = columns[contract.key], labels[contract.key]
    _refuse_duplicates(snapshot, accounts)
    _refuse_duplicates(outcome, known)
    mine = np.flatnonzero(np.isin(accounts, known))
    by_name = np.argsort(known)
    theirs = by_name[np.searchsorted(known, accounts[mine], sorter=by_name)]
    bad = definition.bad(labels[contract.named(Role.OUTCOME)[0]][theirs])
    return {name: values[mine] for name, values in columns.items()}, bad, len(accounts) - len(mine)


def _refuse_duplicates(part: PartitionVersion, accounts: NDArray[Any]) -> None:
    distinct, counts = np.unique(accounts, return_counts=True)
    if len(distinct) < len(accounts):
        raise Integrity(
            f"{part.table} {part.month} version {part.version} hold account {distinct[np.argmax(counts)]} {counts.max()} times",
            hint="an account appears once a month: quarantine the partition and ingest it again",
        )
