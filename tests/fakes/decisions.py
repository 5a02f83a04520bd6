"""A decision log in memory."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from threading import Lock

import numpy as np

from models.clock import Month
from models.contract import Columns
from models.errors import Conflict, NotFound, PlatformError
from monitoring.chain import DECISION, REVIEW, UNSEALED, ChainKeys, Link, Row, Seal, sealed
from monitoring.decisions import Answered, Entry, Expiring, LoggedDecision, Review, input_columns, missing, spelled
from monitoring.rows import decision_rows, review_row
from tests.rings import LOG_KEYS


class InMemoryDecisionLog:
    """`down` makes every call fail with that error, as a database that is away does. One lane for each kind of record."""

    def __init__(self, decisions: Sequence[LoggedDecision] = (), keys: ChainKeys = LOG_KEYS) -> None:
        self._keys = keys
        self.lanes = {len(row): Seal(keys.new_lane()[0], 0, "", "") for row in (DECISION, REVIEW)}
        self.seals: dict[tuple[int, str], Seal] = {}
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
        self.append_all([Entry(decisions, answered)])

    def append_all(self, entries: Sequence[Entry]) -> None:
        self.ping()
        with self._turn:
            decisions = [decision for entry in entries for decision in entry.decisions]
            kept = [(entry.answered, entry.decisions) for entry in entries if entry.answered is not None]
            new = {decision.decision_id: decision for decision in decisions}
            keys = [answered.key for answered, _ in kept]
            if repeated := [key for key in keys if key in self.answers or keys.count(key) > 1]:
                raise Conflict(f"the idempotency key {repeated[0]!r} was used before", hint="read what was answered")
            if len(new) < len(decisions) or new.keys() & self.decisions.keys():
                raise Conflict("a decision id was used before", hint="give every decision its own id")
            self.decisions.update(new)
            self._seal(decision_rows(decisions))
            for answered, of in kept:
                self.answers[answered.key] = answered
                self.answered_at[answered.key] = of[0].recorded_at if of else datetime.min.replace(tzinfo=UTC)

    def append_missing(self, entries: Sequence[Entry]) -> None:
        self.ping()
        self.append_all(missing(entries, self.decisions.keys(), self.answers.keys()))

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
            kept = review.after(self.find(review.decision_id), before)
            if kept is review:
                self.reviews[review.decision_id] = review
                self._seal([review_row(review)])
            return kept

    def reviewed(self, decision_id: str) -> Review | None:
        self.find(decision_id)
        return self.reviews.get(decision_id)

    def reviewed_since(self, model: str, instant: datetime) -> frozenset[str]:
        since = {each.decision_id for each in self.reviews.values() if each.recorded_at >= instant}
        return frozenset(each for each in since if self.decisions[each].model == model)

    def links(self) -> Iterator[Link]:
        """Unsealed first, as a database sorts them."""
        for rows in (decision_rows([*self.decisions.values()]), [review_row(each) for each in self.reviews.values()]):
            found = [Link(self.seals.get((len(row), row[0]), UNSEALED), row) for row in rows]
            yield from sorted(found, key=lambda link: (link.seal.lane, link.seal.place))

    def linked(self, decision_id: str) -> list[Link]:
        return self._linked([link for link in self.links() if link.is_decision], decision_id)

    def linked_review(self, decision_id: str) -> list[Link]:
        return self._linked([link for link in self.links() if not link.is_decision], decision_id)

    def _linked(self, links: list[Link], decision_id: str) -> list[Link]:
        own = [link for link in links if link["decision_id"] == decision_id]
        before = [link for link in links if own and link.seal.lane and link.seal.place == own[0].seal.place - 1]
        return before + own

    def heads(self) -> Mapping[str, Seal]:
        found: dict[str, Seal] = {}
        for seal in self.seals.values():
            if seal.place > found.get(seal.lane, UNSEALED).place:
                found[seal.lane] = replace(seal, inputs="")
        return found

    def adopt(self) -> int:
        rows = [link.row for link in self.links() if link.seal == UNSEALED]
        for length in (len(DECISION), len(REVIEW)):
            self._seal([row for row in rows if len(row) == length])
        return len(rows)

    def _seal(self, rows: Sequence[Row]) -> None:
        for row in rows:
            last = self.lanes[len(row)]
            key = self._keys.of(last.lane)
            assert key is not None
            (seal,) = sealed(key, last, [row])
            self.lanes[len(row)] = self.seals[len(row), row[0]] = seal

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
            "arm": np.array([row.arm for row in rows], dtype=np.str_),
            "rollout": np.array([row.rollout for row in rows], dtype=np.int64),
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
        due = [row for row in self.decisions.values() if row.model == model and row.recorded_at < before and row.inputs]
        return [row for row in due if row.decision_id not in self.reviewed_since(model, before)]

    def _expired_answers(self, model: str, before: datetime) -> list[str]:
        return [key for key in self.answers if key.startswith(f"{model}:") and self.answered_at[key] < before]
