"""The decision log in SQLite or PostgreSQL."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import datetime
from threading import Lock
from typing import Any

import numpy as np
from sqlalchemy import Column, ColumnElement, Connection, Row, Select, Table, delete, false, func, insert, select, update
from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError

from models.clock import Month
from models.contract import Columns
from models.errors import Conflict, Integrity, NotFound, Unavailable
from monitoring.adapters import sql_seals
from monitoring.adapters.lanes import Lanes
from monitoring.adapters.sql_schema import ANSWERS, DECISIONS, REVIEWS, engine, has_decisions, is_current, unknown, upgrade
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
_WRITTEN = [*DECISION, *sql_seals.SEAL]
# Said in SQL: handed to the driver as it is, a batch of 1,000 takes half the time.
_INSERT = f"INSERT INTO decisions ({', '.join(_WRITTEN)}) VALUES ({', '.join('?' for _ in _WRITTEN)})"  # noqa: S608, only names
_NAMED = 500  # values in one query, at most: SQLite has a limit
_COPY = f"COPY decisions ({', '.join(_WRITTEN)}) FROM STDIN"


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
    """Connects and migrates on first use, so that a database that is away at start may come later."""

    def __init__(self, url: str, keys: Callable[[], ChainKeys] = no_keys) -> None:
        """Who only reads needs no `keys`; without one nothing can be appended."""
        self._engine = engine(url)
        self._lanes = {DECISIONS: Lanes(keys), REVIEWS: Lanes(keys)}
        sqlite = self._engine.dialect.name == "sqlite"
        self._insert = _insert if sqlite else _copy
        # SQLite lets one writer in at a time, and those who wait in it sleep; waiting here is fair and short.
        self._turn: AbstractContextManager[Any] = Lock() if sqlite else nullcontext()
        self._kept: Connection | None = None  # SQLite's, for appending: asking the pool takes as long as ten inserts
        self._keeps = sqlite
        self._opening = Lock()
        self._open = False

    def ping(self) -> None:
        """Asks for what an append needs, the right to write, and changes nothing."""
        with self._turn, self._writing() as connection:
            connection.execute(update(DECISIONS).where(false()).values(lane=""))

    def append(self, decisions: Sequence[LoggedDecision], answered: Answered | None = None) -> None:
        self.append_all([Entry(decisions, answered)])

    def append_all(self, entries: Sequence[Entry]) -> None:
        rows = decision_rows([decision for entry in entries for decision in entry.decisions])
        with self._turn, self._lanes[DECISIONS].sealing(rows) as seals, self._appending() as connection:
            for entry in entries:
                if entry.answered is not None:
                    _keep_answer(connection, entry.answered, entry.decisions)
            if rows:
                self._insert(connection, [(*row, s.lane, s.place, s.inputs, s.chain) for row, s in zip(rows, seals, strict=True)])

    def append_missing(self, entries: Sequence[Entry]) -> None:
        ids = self._there(DECISIONS.c.decision_id, [entry.decisions[0].decision_id for entry in entries if entry.decisions])
        keys = self._there(ANSWERS.c.key, [entry.answered.key for entry in entries if entry.answered])
        self.append_all(missing(entries, ids, keys))

    def _there(self, column: Column[Any], wanted: Sequence[str]) -> set[str]:
        """Which of these values a column has."""
        with self._reading() as connection:
            some = [wanted[at : at + _NAMED] for at in range(0, len(wanted), _NAMED)]
            return {value for each in some for value in connection.execute(select(column).where(column.in_(each))).scalars()}

    def answered(self, key: str) -> Answered | None:
        query = select(ANSWERS.c.key, ANSWERS.c.request_digest, ANSWERS.c.response).where(ANSWERS.c.key == key)
        with self._reading() as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else Answered(row.key, row.request_digest, bytes(row.response))

    def find(self, decision_id: str) -> LoggedDecision:
        with self._reading() as connection:
            row = connection.execute(select(DECISIONS).where(DECISIONS.c.decision_id == decision_id)).one_or_none()
        if row is None:
            raise NotFound(f"there is no decision {decision_id!r}", hint="decision ids are part of every answer")
        return _decision(row)

    def of_account(self, model: str, names: Sequence[str]) -> list[LoggedDecision]:
        with self._reading() as connection:
            rows = connection.execute(of_account(model, names)).all()
        return [_decision(row) for row in rows]

    def review(self, review: Review) -> Review:
        decision = self.find(review.decision_id)
        kept = review.after(decision, self.reviewed(review.decision_id))
        if kept is not review:
            return kept
        try:
            row = review_row(review)
            with self._turn, self._lanes[REVIEWS].sealing([row]) as (seal,), self._writing() as connection:
                connection.execute(insert(REVIEWS), sql_seals.review_values(row, seal))
        except Conflict:  # somebody else was faster: what was said then counts
            return review.after(decision, self.reviewed(review.decision_id))
        return review

    def reviewed(self, decision_id: str) -> Review | None:
        with self._reading() as connection:
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
        with self._reading() as connection:
            return {Month.parse(text): count for text, count in connection.execute(query)}

    def columns(self, model: str, month: Month) -> Columns:
        query = (
            select(*(DECISIONS.c[name] for name in _TYPES), DECISIONS.c.inputs)
            .where(DECISIONS.c.model == model, DECISIONS.c.month == str(month))
            .order_by(DECISIONS.c.number)
        )
        with self._reading() as connection:
            rows = connection.execute(query).all()
        named: Sequence[Sequence[Any]]
        *named, inputs = zip(*rows, strict=True) if rows else [()] * (len(_TYPES) + 1)
        with _as_written(f"a decision of {model} in {month}"):
            columns = {name: np.array(values, dtype=_TYPES[name]) for name, values in zip(_TYPES, named, strict=True)}
            return {**columns, **input_columns([read_inputs(text) for text in inputs])}

    def reviewed_since(self, model: str, instant: datetime) -> frozenset[str]:
        of_model = REVIEWS.join(DECISIONS, REVIEWS.c.decision_id == DECISIONS.c.decision_id)
        since = DECISIONS.c.model == model, REVIEWS.c.recorded_at >= stamp(instant)
        with self._reading() as connection:
            return frozenset(connection.execute(select(REVIEWS.c.decision_id).select_from(of_model).where(*since)).scalars())

    def links(self) -> Iterator[Link]:
        with _translated():
            if not is_current(self._engine) and not has_decisions(self._engine):
                return
            if lacking := unknown(self._engine, DECISIONS, REVIEWS):
                raise Unmigrated(
                    f"its seals cannot be read: it lacks {', '.join(lacking)}",
                    hint="make report brings an older log up to date; if it was up to date, somebody took these away: restore"
                    " it from its backup, then make verify",
                )
            with self._engine.connect() as connection:  # whatever its schema is called: nothing is migrated for a look
                for table in (DECISIONS, REVIEWS):
                    yield from sql_seals.links(connection, table)

    def linked(self, decision_id: str) -> list[Link]:
        with self._reading() as connection:
            return sql_seals.linked(connection, DECISIONS, decision_id)

    def linked_review(self, decision_id: str) -> list[Link]:
        with self._reading() as connection:
            return sql_seals.linked(connection, REVIEWS, decision_id)

    def heads(self) -> Mapping[str, Seal]:
        with self._reading() as connection:
            return {**sql_seals.heads(connection, DECISIONS), **sql_seals.heads(connection, REVIEWS)}

    def adopt(self) -> int:
        return self._adopt(DECISIONS) + self._adopt(REVIEWS)

    def _adopt(self, table: Table) -> int:
        with self._reading() as connection:
            rows = sql_seals.unsealed(connection, table)
        with self._turn, self._lanes[table].sealing(rows) as seals, self._writing() as connection:
            sql_seals.seal(connection, table, rows, seals)
        return len(rows)

    def expiring(self, model: str, before: datetime) -> Expiring:
        month = DECISIONS.c.month
        decisions = select(month, func.count()).where(*_expired(model, before)).group_by(month).order_by(month)
        answers = select(func.count()).select_from(ANSWERS).where(*_expired_answers(model, before))
        with self._reading() as connection:
            counts = {Month.parse(text): count for text, count in connection.execute(decisions)}
            return Expiring(counts, connection.execute(answers).scalar_one())

    def expire(self, model: str, before: datetime) -> None:
        with self._turn, self._writing() as connection:
            connection.execute(update(DECISIONS).where(*_expired(model, before)).values(inputs=""))
            connection.execute(delete(ANSWERS).where(*_expired_answers(model, before)))
        if self._engine.dialect.name == "sqlite":
            with self._reading() as connection:  # the write-ahead log has the deleted rows until it is written back
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """For what lies beside the decisions in the same database. Raises `Unavailable`."""
        with self._reading() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """The same, in one transaction, in its turn among the writers of this process."""
        with self._turn, self._writing() as connection:
            yield connection

    def renew_keys(self) -> None:
        """Seal under the newest key from now on."""
        for lanes in self._lanes.values():
            lanes.renew()

    def close(self) -> None:
        with self._turn:
            self._let_go()
        self._engine.dispose()

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with _translated():
            self._migrate_once()
            with self._engine.connect() as connection:
                yield connection

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with _translated():
            self._migrate_once()
            with self._engine.begin() as connection:
                yield connection

    @contextmanager
    def _appending(self) -> Iterator[Connection]:
        """The same on a connection that is kept, where writers take turns. One that failed is not used again."""
        if not self._keeps:
            with self._writing() as connection:
                yield connection
            return
        with _translated():
            self._migrate_once()
            try:
                self._kept = self._kept or self._engine.connect()
                with self._kept.begin():
                    yield self._kept
            except BaseException:
                self._let_go()
                raise

    def _let_go(self) -> None:
        kept, self._kept = self._kept, None
        if kept is not None:
            kept.close()

    def _migrate_once(self) -> None:
        if not self._open:
            with self._opening:
                if not self._open:
                    upgrade(self._engine)
                    self._open = True


def migrate(url: str) -> None:
    """Bring the schema of a database to this release's. Raises `Unavailable` or `Misconfigured`."""
    database = engine(url)
    try:
        with _translated():
            upgrade(database)
    finally:
        database.dispose()


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except IntegrityError as error:
        raise Conflict("a decision id was used before", hint="give every decision its own id") from error
    except SQLAlchemyError as error:
        cause = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
        raise Unavailable(
            f"the decision log does not answer: {cause}", hint="see to its database (STEWARD_DATABASE_URL); nothing was written"
        ) from error


def _expired(model: str, before: datetime) -> list[ColumnElement[bool]]:
    later = select(REVIEWS.c.decision_id).where(REVIEWS.c.recorded_at >= stamp(before))
    due = DECISIONS.c.recorded_at < stamp(before), DECISIONS.c.decision_id.not_in(later)
    return [DECISIONS.c.model == model, DECISIONS.c.inputs != "", *due]


def _expired_answers(model: str, before: datetime) -> list[ColumnElement[bool]]:
    return [ANSWERS.c.key.startswith(f"{model}:", autoescape=True), ANSWERS.c.recorded_at < stamp(before)]


def _keep_answer(connection: Connection, answered: Answered, decisions: Sequence[LoggedDecision]) -> None:
    when = stamp(decisions[0].recorded_at) if decisions else ""
    row = {
        "key": answered.key,
        "request_digest": answered.request_digest,
        "response": answered.response,
        "recorded_at": when,
    }
    try:
        connection.execute(insert(ANSWERS), row)
    except IntegrityError as error:
        raise Conflict(f"the idempotency key {answered.key!r} was used before", hint="read what was answered") from error


def _insert(connection: Connection, rows: list[tuple[Any, ...]]) -> None:
    connection.exec_driver_sql(_INSERT, rows)


def _copy(connection: Connection, rows: list[tuple[Any, ...]]) -> None:
    """PostgreSQL's COPY: a quarter of the time of INSERT for 1,000 rows."""
    from psycopg import Error

    cursor = connection.connection.cursor()
    try:
        with cursor.copy(_COPY) as copy:
            for row in rows:
                copy.write_row(row)
    except Error as error:
        raise DBAPIError.instance(_COPY, None, error, Error) from error  # as SQLAlchemy sorts what it runs itself


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
