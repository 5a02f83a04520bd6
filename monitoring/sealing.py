"""Sealing: a month's decisions leave the log's database for the lake, where statistics may read all of them."""

from datetime import datetime

from models.clock import Month
from models.lake import Lake, PartitionVersion
from monitoring.decisions import DecisionLog

DECISIONS = "decisions"


def seal_decisions(log: DecisionLog, lake: Lake, model: str, month: Month, *, recorded_at: datetime) -> PartitionVersion | None:
    """Copy the month as the log holds it now; None if nothing was decided.

    Idempotent: the same decisions make no second version. Decisions that arrive late make a further one.
    """
    if month not in log.months(model):
        return None
    return lake.write(DECISIONS, month, log.columns(model, month), recorded_at=recorded_at, facts={"model": model})


def seal_all(log: DecisionLog, lake: Lake, model: str, *, recorded_at: datetime) -> list[PartitionVersion]:
    """Seal every month that has decisions, oldest first."""
    sealed = (seal_decisions(log, lake, model, month, recorded_at=recorded_at) for month in sorted(log.months(model)))
    return [partition for partition in sealed if partition is not None]
