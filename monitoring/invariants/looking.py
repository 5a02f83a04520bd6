"""Looking at a sealed month row by row: which rows are read, and what is put together from them."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

import numpy as np

from models.bundle import Bundle
from models.contract import Columns
from models.errors import NotFound
from models.lake import SNAPSHOTS, Lake, PartitionVersion
from models.scoring import Scorer
from monitoring.drift import Statistics
from monitoring.invariants import rowwise
from monitoring.invariants.figures import Carried, Invariants, Service
from monitoring.sealing import DECISIONS, EXPIRED

ROWS = 200_000
"""Rows that are looked at one by one: a month of more is looked at by those accounts whose hashes are smallest, the same in
every table, so that they can be joined and memory stays bounded."""
BEFORE = 12
"""Months that say how many decisions are usual."""


@dataclass(frozen=True)
class Eyes:
    """What is needed to look."""

    lake: Lake
    statistics: Statistics
    scorer: Callable[[bytes], Scorer]


def look(eyes: Eyes, part: PartitionVersion, bundle: Bundle, service: Service | None = None, rows: int = ROWS) -> Invariants:
    """At the decisions of a month that this bundle made."""
    contract, policy = bundle.contract, bundle.policy
    names = [contract.key, *contract.inputs]
    decided = _own(_read(eyes, part, [*names, "probability", "bundle"], rows), bundle)
    decided = _with_inputs(decided, contract.inputs)
    scorer, keys = eyes.scorer(bundle.graph), decided[contract.key]
    snapshots = [found for version in _versions(eyes.lake, part) if (found := _kept(eyes, version, names, rows)) is not None]
    return Invariants(
        rows=len(keys),
        whole=part.rows <= rows,
        decisions=part.rows,
        before=tuple(each.rows for each in _before(eyes.lake, part)),
        repeats=rowwise.repeats(keys, contract.matrix(decided)),
        carried=_carried(eyes, part, bundle, decided, rows),
        skew=rowwise.skew(contract, policy, decided, snapshots, scorer) if snapshots else None,
        recomputed=rowwise.recomputed(contract, policy, decided, scorer),
        sanity=rowwise.sanity(decided["probability"]),
        units=rowwise.units(contract, decided, bundle.part("reference.json"), policy.monitoring.minimum_rows),
        service=service,
    )


def _read(eyes: Eyes, part: PartitionVersion, names: Sequence[str], rows: int) -> Columns:
    """A whole month is read under the newest keys of accounts; of a larger one the same accounts are drawn in every table."""
    if part.rows <= rows:
        return eyes.lake.read([part], names)
    return eyes.statistics.sample(part, names, rows, key=names[0])


def _kept(eyes: Eyes, part: PartitionVersion, names: Sequence[str], rows: int) -> Columns | None:
    """None for a version whose rows are not kept any more."""
    with suppress(NotFound):
        return _read(eyes, part, names, rows)
    return None


def _own(columns: Columns, bundle: Bundle) -> Columns:
    own = columns["bundle"] == bundle.digest
    return {name: values[own] for name, values in columns.items()}


def _with_inputs(columns: Columns, inputs: Sequence[str]) -> Columns:
    """Without the decisions whose inputs retention has deleted."""
    here = ~np.all([np.isnan(np.asarray(columns[name], dtype=np.float64)) for name in inputs], axis=0)
    return {name: values[here] for name, values in columns.items()}


def _versions(lake: Lake, part: PartitionVersion) -> list[PartitionVersion]:
    return lake.history(SNAPSHOTS, part.month)[::-1]


def _before(lake: Lake, part: PartitionVersion) -> list[PartitionVersion]:
    return [each for each in lake.versions(DECISIONS) if each.month < part.month][-BEFORE:]


def _carried(eyes: Eyes, part: PartitionVersion, bundle: Bundle, decided: Columns, rows: int) -> Carried | None:
    """Against the month just before, if it was decided on and still has its inputs."""
    last = next((each for each in reversed(_before(eyes.lake, part)) if each.month == part.month.plus(-1)), None)
    if last is None or EXPIRED in last.facts:
        return None
    names = [bundle.contract.key, *bundle.contract.inputs]
    return rowwise.carried(bundle.contract, decided, _read(eyes, last, names, rows), str(last.month))
