"""Decisions and reviews as they are stored and sealed: values in the order of `chain.DECISION` and `chain.REVIEW`."""

from collections.abc import Sequence

from pydantic_core import to_json

from monitoring.chain import Row
from monitoring.decisions import LoggedDecision, Review, spelled, stamp


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
        )
        for d in decisions
    ]


def review_row(r: Review) -> Row:
    """A review as it is stored."""
    said = (r.decision_id, r.outcome, r.reviewer, r.reason_code, r.comment, stamp(r.recorded_at))
    return (*said, r.statement, r.no_notice, spelled(r.reasons))
