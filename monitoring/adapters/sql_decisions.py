"""The decision log in SQLite or PostgreSQL."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import numpy as np
from sqlalchemy import Column, ColumnElement, Connection, Row, Select, Table, delete, false, func, insert, select, update

from models.clock import Month
from models.contract import Columns
from models.errors import Conflict, Integrity, NotFound
from monitoring.adapters import sql_seals
from monitoring.adapters.lanes import Lanes
from monitoring.adapters.sql_database import Database, translated
from monitoring.adapters.sql_schema import ANSWERS, DECISIONS, REVIEWS, has_decisions, is_current, unknown
from monitoring.adapters.sql_writing import copy_decisions, insert_decisions, keep_answer
from monitoring.chain import DECISION, REVIEW, ChainKeys, Link, Seal
from monitoring.decisions import (
    Answered,
    Entry,
    Expiring,
    LoggedDecision,
    Review,
    Unmigrated,
    input_columns,
    missing,
    read_reasons,
    stamp,
)
from monitoring.rows import decision_rows, read_decision, read_inputs, review_row

_TYPES: dict[str, type[np.generic]] = {
    "decision_id": np.str_,
    "account_id": np.str_,
    "version": np.int64,
    "bundle": np.str_,
    "probability": np.float64,
    "action": np.str_,
    "recorded_at": np.str_,
    "no_notice": np.str_,
    "reasons": np.str_,
    "fallback": np.str_,
    "out_of_distribution": np.str_,
    "arm": np.str_,
    "rollout": np.int64,
}
_NAMED = 500  # values in one query, at most: SQLite has a limit


def no_keys() -> ChainKeys:
    return ChainKeys(())


def of_account(model: str, names: Sequence[str]) -> Select[Any]:
    """Reads the log from end to end: there is no index on accounts, which every decision would pay for.

    Nor may the one on models be used, which leads from row to row all over the table and took five times as long: an
    expression has no index.
    """
    mine = DECISIONS.c.model.concat("") == model, DECISIONS.c.account_id.in_(names)
    return select(DECISIONS).where(*mine).order_by(DECISIONS.c.number)


class SqlDecisionLog:
    def __init__(self, url: str, keys: Callable[[], ChainKeys] = no_keys) -> None:
        """Who only reads needs no `keys`; without one nothing can be appended."""
        self._database = Database(url)
        self._lanes = {DECISIONS: Lanes(keys), REVIEWS: Lanes(keys)}
        self._insert = insert_decisions if self._database.is_sqlite else copy_decisions

    def ping(self) -> None:
        """Asks for what an append needs, the right to write, and changes nothing."""
        with self._database.turn, self._database.writing() as connection:
            connection.execute(update(DECISIONS).where(false()).values(lane=""))

    def append(self, decisions: Sequence[LoggedDecision], answered: Answered | None = None) -> None:
        self.append_all([Entry(decisions, answered)])

    def append_all(self, entries: Sequence[Entry]) -> None:
        rows = decision_rows([decision for entry in entries for decision in entry.decisions])
        with self._database.turn, self._lanes[DECISIONS].sealing(rows) as seals, self._database.appending() as connection:
            for entry in entries:
                if entry.answered is not None:
                    keep_answer(connection, entry.answered, entry.decisions)
            if rows:
                self._insert(connection, [(*row, s.lane, s.place, s.inputs, s.chain) for row, s in zip(rows, seals, strict=True)])

    def append_missing(self, entries: Sequence[Entry]) -> None:
        ids = self._there(DECISIONS.c.decision_id, [entry.decisions[0].decision_id for entry in entries if entry.decisions])
        keys = self._there(ANSWERS.c.key, [entry.answered.key for entry in entries if entry.answered])
        self.append_all(missing(entries, ids, keys))

    def _there(self, column: Column[Any], wanted: Sequence[str]) -> set[str]:
        """Which of these values a column has."""
        with self._database.reading() as connection:
            some = [wanted[at : at + _NAMED] for at in range(0, len(wanted), _NAMED)]
            return {value for each in some for value in connection.execute(select(column).where(column.in_(each))).scalars()}

    def answered(self, key: str) -> Answered | None:
        query = select(ANSWERS.c.key, ANSWERS.c.request_digest, ANSWERS.c.response).where(ANSWERS.c.key == key)
        with self._database.reading() as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else Answered(row.key, row.request_digest, bytes(row.response))

    def find(self, decision_id: str) -> LoggedDecision:
        with self._database.reading() as connection:
            row = connection.execute(select(DECISIONS).where(DECISIONS.c.decision_id == decision_id)).one_or_none()
        if row is None:
            raise NotFound(f"there is no decision {decision_id!r}", hint="decision ids are part of every answer")
        return _decision(row)

    def of_account(self, model: str, names: Sequence[str]) -> list[LoggedDecision]:
        with self._database.reading() as connection:
            rows = connection.execute(of_account(model, names)).all()
        return [_decision(row) for row in rows]

    def review(self, review: Review) -> Review:
        decision = self.find(review.decision_id)
        kept = review.after(decision, self.reviewed(review.decision_id))
        if kept is not review:
            return kept
        try:
            row = review_row(review)
            with self._database.turn, self._lanes[REVIEWS].sealing([row]) as (seal,), self._database.writing() as connection:
                connection.execute(insert(REVIEWS), sql_seals.review_values(row, seal))
        except Conflict:  # somebody else was faster: what was said then counts
            return review.after(decision, self.reviewed(review.decision_id))
        return review

    def reviewed(self, decision_id: str) -> Review | None:
        with self._database.reading() as connection:
            said = [REVIEWS.c[name] for name in REVIEW]
            row = connection.execute(select(*said).where(REVIEWS.c.decision_id == decision_id)).one_or_none()
        if row is None:
            self.find(decision_id)
            return None
        with _as_written(f"the review of decision {decision_id!r}"):
            read = {"recorded_at": datetime.fromisoformat(row.recorded_at), "reasons": read_reasons(row.reasons)}
            return Review(**dict(row._mapping) | read)

    def months(self, model: str) -> dict[Month, int]:
        month = DECISIONS.c.month
        query = select(month, func.count()).where(DECISIONS.c.model == model).group_by(month).order_by(month)
        with self._database.reading() as connection:
            return {Month.parse(text): count for text, count in connection.execute(query)}

    def columns(self, model: str, month: Month) -> Columns:
        query = (
            select(*(DECISIONS.c[name] for name in _TYPES), DECISIONS.c.inputs)
            .where(DECISIONS.c.model == model, DECISIONS.c.month == str(month))
            .order_by(DECISIONS.c.number)
        )
        with self._database.reading() as connection:
            rows = connection.execute(query).all()
        named: Sequence[Sequence[Any]]
        *named, inputs = zip(*rows, strict=True) if rows else [()] * (len(_TYPES) + 1)
        with _as_written(f"a decision of {model} in {month}"):
            columns = {name: np.array(values, dtype=_TYPES[name]) for name, values in zip(_TYPES, named, strict=True)}
            return {**columns, **input_columns([read_inputs(text) for text in inputs])}

    def reviewed_since(self, model: str, instant: datetime) -> frozenset[str]:
        of_model = REVIEWS.join(DECISIONS, REVIEWS.c.decision_id == DECISIONS.c.decision_id)
        since = DECISIONS.c.model == model, REVIEWS.c.recorded_at >= stamp(instant)
        with self._database.reading() as connection:
            return frozenset(connection.execute(select(REVIEWS.c.decision_id).select_from(of_model).where(*since)).scalars())

    def links(self) -> Iterator[Link]:
        with translated():
            if not is_current(self._database.engine) and not has_decisions(self._database.engine):
                return
            if lacking := unknown(self._database.engine, DECISIONS, REVIEWS):
                raise Unmigrated(
                    f"its seals cannot be read: it lacks {', '.join(lacking)}",
                    hint="make report brings an older log up to date; if it was up to date, somebody took these away: restore"
                    " it from its backup, then make verify",
                )
            with self._database.engine.connect() as connection:  # whatever its schema is called: nothing is migrated for a look
                for table in (DECISIONS, REVIEWS):
                    yield from sql_seals.links(connection, table)

    def linked(self, decision_id: str) -> list[Link]:
        with self._database.reading() as connection:
            return sql_seals.linked(connection, DECISIONS, decision_id)

    def linked_review(self, decision_id: str) -> list[Link]:
        with self._database.reading() as connection:
            return sql_seals.linked(connection, REVIEWS, decision_id)

    def heads(self) -> Mapping[str, Seal]:
        with self._database.reading() as connection:
            return {**sql_seals.heads(connection, DECISIONS), **sql_seals.heads(connection, REVIEWS)}

    def adopt(self) -> int:
        return self._adopt(DECISIONS) + self._adopt(REVIEWS)

    def _adopt(self, table: Table) -> int:
        with self._database.reading() as connection:
            rows = sql_seals.unsealed(connection, table)
        with self._database.turn, self._lanes[table].sealing(rows) as seals, self._database.writing() as connection:
            sql_seals.seal(connection, table, rows, seals)
        return len(rows)

    def expiring(self, model: str, before: datetime) -> Expiring:
        month = DECISIONS.c.month
        decisions = select(month, func.count()).where(*_expired(model, before)).group_by(month).order_by(month)
        answers = select(func.count()).select_from(ANSWERS).where(*_expired_answers(model, before))
        with self._database.reading() as connection:
            counts = {Month.parse(text): count for text, count in connection.execute(decisions)}
            return Expiring(counts, connection.execute(answers).scalar_one())

    def expire(self, model: str, before: datetime) -> None:
        with self._database.turn, self._database.writing() as connection:
            connection.execute(update(DECISIONS).where(*_expired(model, before)).values(inputs=""))
            connection.execute(delete(ANSWERS).where(*_expired_answers(model, before)))
        if self._database.is_sqlite:
            with self._database.reading() as connection:  # the write-ahead log has the deleted rows until it is written back
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """For what lies beside the decisions in the same database. Raises `Unavailable`."""
        with self._database.reading() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """The same, in one transaction, in its turn among the writers of this process."""
        with self._database.turn, self._database.writing() as connection:
            yield connection

    def renew_keys(self) -> None:
        """Seal under the newest key from now on."""
        for lanes in self._lanes.values():
            lanes.renew()

    def close(self) -> None:
        self._database.close()


def _expired(model: str, before: datetime) -> list[ColumnElement[bool]]:
    later = select(REVIEWS.c.decision_id).where(REVIEWS.c.recorded_at >= stamp(before))
    due = DECISIONS.c.recorded_at < stamp(before), DECISIONS.c.decision_id.not_in(later)
    return [DECISIONS.c.model == model, DECISIONS.c.inputs != "", *due]


def _expired_answers(model: str, before: datetime) -> list[ColumnElement[bool]]:
    return [ANSWERS.c.key.startswith(f"{model}:", autoescape=True), ANSWERS.c.recorded_at < stamp(before)]


def _decision(row: Row[Any]) -> LoggedDecision:
    with _as_written(f"decision {row.decision_id!r}"):
        return read_decision(tuple(row._mapping[name] for name in DECISION))


@contextmanager
def _as_written(what: str) -> Iterator[None]:
    """What no process of ours can have written is an edit, not a slip."""
    try:
        yield
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise Integrity(
            f"{what} is not as it was written: it cannot be read",
            hint="restore the log from its backup; make verify names what was edited",
        ) from error
