"""Sealing: a month's decisions leave the log's database for the lake, where statistics may read all of them."""

from datetime import datetime
from typing import Any

import numpy as np

from models.clock import Month
from models.contract import Columns
from models.errors import NotFound
from models.lake import Lake, PartitionVersion
from monitoring.decisions import NO_INPUTS, DecisionLog, LoggedDecision, read_reasons

DECISIONS = "decisions"
EXPIRED = "expired"  # the fact that counts the decisions whose inputs were deleted


def seal_decisions(log: DecisionLog, lake: Lake, model: str, month: Month, *, recorded_at: datetime) -> PartitionVersion | None:
    """Copy the month as the log holds it now; None if nothing was decided.

    Idempotent: the same decisions make no second version. Decisions that arrive late make a further one.
    """
    if month not in log.months(model):
        return None
    columns = log.columns(model, month)
    if not columns["rollout"].any():  # a month without a roll-out stays what it was, byte by byte, in every release
        columns = {name: values for name, values in columns.items() if name not in ("arm", "rollout")}
    return lake.write(DECISIONS, month, columns, recorded_at=recorded_at, facts=facts(model, columns))


def facts(model: str, columns: Columns) -> dict[str, str]:
    """What is stored with a sealed month: whose it is, and how many decisions have lost their inputs, if any have."""
    gone = int((~with_inputs(columns)).sum())
    return {"model": model} | ({EXPIRED: str(gone)} if gone else {})


def with_inputs(columns: Columns) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Which decisions still have their inputs, shape (n,)."""
    found = np.zeros(len(columns["decision_id"]), dtype=np.bool_)
    for name in columns.keys() - set(NO_INPUTS):
        found |= ~np.isnan(columns[name])
    return found


def find_sealed(lake: Lake, decision_id: str) -> tuple[PartitionVersion, LoggedDecision]:
    """A decision as the lake has it, which does not keep the request's id, and in which partition. Raises `NotFound`."""
    for part in reversed(lake.versions(DECISIONS)):
        rows = np.flatnonzero(lake.read([part], ["decision_id"])["decision_id"] == decision_id)
        if len(rows):
            return part, _decision(part, {name: values[rows[0]].item() for name, values in lake.read([part]).items()})
    raise NotFound(
        f"there is no decision {decision_id!r}, neither in the log nor sealed", hint="decision ids are part of every answer"
    )


def _decision(part: PartitionVersion, row: dict[str, Any]) -> LoggedDecision:
    inputs = {name: value for name, value in row.items() if name not in NO_INPUTS and value == value}  # NaN was never there
    own = {name: row[name] for name in NO_INPUTS if name in row}
    return LoggedDecision(
        **own
        | {
            "model": part.facts["model"],
            "month": part.month,
            "inputs": inputs,
            "recorded_at": datetime.fromisoformat(row["recorded_at"]),
            "request_id": "",
            "reasons": read_reasons(row["reasons"]),
            "out_of_distribution": tuple(filter(None, row.get("out_of_distribution", "").split(","))),
        }
    )


def seal_all(log: DecisionLog, lake: Lake, model: str, *, recorded_at: datetime) -> list[PartitionVersion]:
    """Seal every month that has decisions, oldest first."""
    sealed = (seal_decisions(log, lake, model, month, recorded_at=recorded_at) for month in sorted(log.months(model)))
    return [partition for partition in sealed if partition is not None]
