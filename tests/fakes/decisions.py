"""A decision log in memory."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from threading import Lock

import numpy as np

from models.clock import Month
from models.contract import Columns
from models.errors import Conflict, NotFound, PlatformError
from monitoring.decisions import Answered, Expiring, LoggedDecision, Review, input_columns, spelled


class InMemoryDecisionLog:
    """`down` makes every call fail with that error, as a database that is away does."""

    def __init__(self, decisions: Sequence[LoggedDecision] = ()) -> None:
        self.decisions: dict[str, LoggedDecision] = {}
        self.answers: dict[str, Answered] = {}
        self.answered_at: dict[str, datetime] = {}
        self.reviews: dict[str, Review] = {}
        self.down: PlatformError | None = None
        self._turn = Lock()
        self.append(decisions)

    def ping(self) -> None:
        if self.down is not None:
            raise self.down

    def append(self, decisions: Sequence[LoggedDecision], answered: Answered | None = None) -> None:
        self.ping()
        with self._turn:
            self._append(decisions, answered)

    def _append(self, decisions: Sequence[LoggedDecision], answered: Answered | None) -> None:
        new = {decision.decision_id: decision for decision in decisions}
        if answered is not None and answered.key in self.answers:
            raise Conflict(f"the idempotency key {answered.key!r} was used before", hint="read what was answered")
        if len(new) < len(decisions) or new.keys() & self.decisions.keys():
            raise Conflict("a decision id was used before", hint="give every decision its own id")
        self.decisions.update(new)
        if answered is not None:
            self.answers[answered.key] = answered
            self.answered_at[answered.key] = decisions[0].recorded_at if decisions else datetime.min.replace(tzinfo=UTC)

    def answered(self, key: str) -> Answered | None:
        self.ping()
        return self.answers.get(key)

    def find(self, decision_id: str) -> LoggedDecision:
        self.ping()
        if decision_id not in self.decisions:
            raise NotFound(f"there is no decision {decision_id!r}", hint="decision ids are part of every answer")
        return self.decisions[decision_id]

    def of_account(self, model: str, names: Sequence[str]) -> list[LoggedDecision]:
        return [row for row in self.decisions.values() if row.model == model and row.account_id in names]

    def review(self, review: Review) -> Review:
        with self._turn:
            before = self.reviewed(review.decision_id)
            self.reviews[review.decision_id] = review.after(self.find(review.decision_id), before)
            return self.reviews[review.decision_id]

    def reviewed(self, decision_id: str) -> Review | None:
        self.find(decision_id)
        return self.reviews.get(decision_id)

    def months(self, model: str) -> dict[Month, int]:
        self.ping()
        found = sorted(decision.month for decision in self.decisions.values() if decision.model == model)
        return {month: found.count(month) for month in dict.fromkeys(found)}

    def columns(self, model: str, month: Month) -> Columns:
        self.ping()
        rows = [row for row in self.decisions.values() if (row.model, row.month) == (model, month)]
        return {
            "decision_id": np.array([row.decision_id for row in rows], dtype=np.str_),
            "account_id": np.array([row.account_id for row in rows], dtype=np.str_),
            "version": np.array([row.version for row in rows], dtype=np.int64),
            "bundle": np.array([row.bundle for row in rows], dtype=np.str_),
            "probability": np.array([row.probability for row in rows], dtype=np.float64),
            "action": np.array([row.action for row in rows], dtype=np.str_),
            "recorded_at": np.array(
                [row.recorded_at.astimezone(UTC).isoformat(timespec="microseconds") for row in rows], dtype=np.str_
            ),
            "no_notice": np.array([row.no_notice for row in rows], dtype=np.str_),
            "reasons": np.array([spelled(row.reasons) for row in rows], dtype=np.str_),
            "fallback": np.array([row.fallback for row in rows], dtype=np.str_),
            "out_of_distribution": np.array([",".join(row.out_of_distribution) for row in rows], dtype=np.str_),
            **input_columns([row.inputs for row in rows]),
        }

    def expiring(self, model: str, before: datetime) -> Expiring:
        due = sorted(row.month for row in self._expired(model, before))
        return Expiring({month: due.count(month) for month in dict.fromkeys(due)}, len(self._expired_answers(model, before)))

    def expire(self, model: str, before: datetime) -> None:
        with self._turn:
            self.decisions.update({row.decision_id: replace(row, inputs={}) for row in self._expired(model, before)})
            for key in self._expired_answers(model, before):
                del self.answers[key]

    def _expired(self, model: str, before: datetime) -> list[LoggedDecision]:
        return [row for row in self.decisions.values() if row.model == model and row.recorded_at < before and row.inputs]

    def _expired_answers(self, model: str, before: datetime) -> list[str]:
        return [key for key in self.answers if key.startswith(f"{model}:") and self.answered_at[key] < before]
