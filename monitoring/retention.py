"""Retention: what was kept for as long as it had to be is deleted, and the ledger says what.

Deleted are the inputs of decisions, in the log and in the sealed months, and the answers kept for retries. Decisions, their
reasons, bundles, approvals and keys stay. Where a person reviewed, the time counts from the review. The ledger's entry comes
first: a run that is killed has announced more than it did, never less, and the next run completes it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from models.clock import Clock
from models.contract import Array, Columns
from models.governance.ledger import Event, Ledger
from models.governance.retention import expired_before
from models.lake import Lake, PartitionVersion, content_digest
from monitoring.custody import note
from monitoring.decisions import NO_INPUTS, DecisionLog, stamp
from monitoring.sealing import DECISIONS, EXPIRED, facts, with_inputs


@dataclass(frozen=True)
class Archive:
    """Where decisions are kept. `lake` is as it is stored: nothing is lifted, so that a sealed month stays what the log gives."""

    log: DecisionLog
    lake: Lake
    ledger: Ledger
    clock: Clock


@dataclass(frozen=True)
class Retained:
    """What a run deleted: inputs of decisions by business month, and answers. `before`: recorded earlier than that."""

    before: datetime
    decisions: Mapping[str, int]
    answers: int
    sealed: int  # sealed months written anew


def retain(archive: Archive, model: str, months: int, actor: str) -> Retained:
    """Delete what was recorded more than so many months ago. Done again, it deletes nothing and says nothing."""
    now = archive.clock.now()
    before = expired_before(now, months)
    note(archive.log, archive.lake, archive.ledger, model, actor=actor, at=now)  # what goes is known as it was
    logged, later = archive.log.expiring(model, before), archive.log.reviewed_since(model, before)
    parts = archive.lake.versions(DECISIONS)
    sealed = [found for part in parts if (found := _rewriting(archive.lake, part, before, later))]
    decisions = {str(month): count for month, count in logged.decisions.items()}
    for each in sealed:
        decisions[str(each.part.month)] = max(each.rows, decisions.get(str(each.part.month), 0))
    retained = Retained(before, dict(sorted(decisions.items())), logged.answers, len(sealed))
    if decisions or logged.answers:
        rewritten = [each.told() for each in sealed]
        told = {"before": before.isoformat(), "months": months, "decisions": retained.decisions, "answers": logged.answers}
        archive.ledger.append(Event.INPUTS_EXPIRED, model=model, actor=actor, at=now, facts=told | {"sealed": rewritten})
    archive.log.expire(model, before)
    for each in sealed:
        archive.lake.write(DECISIONS, each.part.month, each.columns, recorded_at=now, facts=facts(model, each.columns))
    _forget(archive.lake)
    return retained


@dataclass(frozen=True)
class _Rewriting:
    """A sealed month, and what it becomes: `rows` decisions lose their inputs."""

    part: PartitionVersion
    columns: Columns
    rows: int

    def told(self) -> dict[str, str | int]:
        becomes = content_digest(self.columns)
        return {"month": str(self.part.month), "version": self.part.version, "digest": self.part.digest, "becomes": becomes}


def _rewriting(lake: Lake, part: PartitionVersion, before: datetime, later: frozenset[str]) -> _Rewriting | None:
    """None if nothing goes; `later` are decisions whose notice is a later review."""
    dated = lake.read([part], ["recorded_at", "decision_id"])
    old = (dated["recorded_at"] < stamp(before)) & ~np.isin(dated["decision_id"], sorted(later))
    if not old.any():
        return None
    columns = lake.read([part])
    gone = old & with_inputs(columns)
    if not gone.any():
        return None
    emptied = {name: values if name in NO_INPUTS else _emptied(values, gone) for name, values in columns.items()}
    kept = {name: values for name, values in emptied.items() if name in NO_INPUTS or not np.isnan(values).all()}
    return _Rewriting(part, kept, int(gone.sum()))


def _emptied(values: Array, gone: Array) -> Array:
    return np.where(gone, np.nan, values.astype(np.float64))


def _forget(lake: Lake) -> None:
    """Earlier versions of a month hold what was deleted from it."""
    for newest in lake.versions(DECISIONS):
        if EXPIRED in newest.facts:
            for part in lake.history(DECISIONS, newest.month)[:-1]:
                lake.forget(part)
