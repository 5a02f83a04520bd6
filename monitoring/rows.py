"""Decisions and reviews as they are stored and sealed: values in the order of `chain.DECISION` and `chain.REVIEW`."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from pydantic_core import to_json

from models.clock import Month
from monitoring.chain import DECISION, NO_ROLLOUT, Row
from monitoring.decisions import LoggedDecision, Review, read_reasons, spelled, stamp


def decision_rows(decisions: Sequence[LoggedDecision]) -> list[Row]:
    """Decisions as they are stored."""
    # The decisions of a batch share their instant and mostly their month: spell each once.
    stamps = {instant: stamp(instant) for instant in {decision.recorded_at for decision in decisions}}
    months = {month: str(month) for month in {decision.month for decision in decisions}}
    return [
        (
            d.decision_id,
            d.model,
            d.version,
            d.bundle,
            d.account_id,
            months[d.month],
            to_json(d.inputs).decode() if d.inputs else "",
            d.probability,
            d.action,
            stamps[d.recorded_at],
            d.request_id,
            d.no_notice,
            spelled(d.reasons),
            d.fallback,
            ",".join(d.out_of_distribution),
            d.arm,
            d.rollout,
        )
        for d in decisions
    ]


def review_row(r: Review) -> Row:
    """A review as it is stored."""
    said = (r.decision_id, r.outcome, r.reviewer, r.reason_code, r.comment, stamp(r.recorded_at))
    return (*said, r.statement, r.no_notice, spelled(r.reasons))


def read_decision(stored: Row) -> LoggedDecision:
    """A decision as it was before it was stored. Raises `ValueError`, `TypeError`, `KeyError` or `AttributeError` if no process
    of ours wrote it."""
    whole = stored if len(stored) == len(DECISION) else (*stored, *NO_ROLLOUT)
    fields: dict[str, Any] = dict(zip(DECISION, whole, strict=True))
    read = {
        "month": Month.parse(fields["month"]),
        "inputs": read_inputs(fields["inputs"]),
        "recorded_at": datetime.fromisoformat(fields["recorded_at"]),
        "reasons": read_reasons(fields["reasons"]),
        "out_of_distribution": tuple(filter(None, fields["out_of_distribution"].split(","))),
    }
    return LoggedDecision(**fields | read)


def read_inputs(text: str) -> Mapping[str, float | int]:
    """Raises `ValueError` if it is not names with numbers, or nothing."""
    found = json.loads(text or "{}")
    if not isinstance(found, dict) or not all(type(value) in (int, float) for value in found.values()):
        raise ValueError("no numbers by name")
    return found
