"""The seals of the decision log, read and written with SQL. See `monitoring.chain`."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, Select, Table, and_, func, literal, or_, select, tuple_, update

from monitoring.adapters.sql_schema import DECISIONS, REVIEWS
from monitoring.chain import DECISION, REVIEW, Link, Seal
from monitoring.chain import Row as Record

SEAL = ("lane", "place", "inputs_seal", "chain")
"""The columns of a decision's seal; a review's is without `inputs_seal`."""
_AT_ONCE = 10_000  # rows held in memory while all of them are read


def links(connection: Connection, table: Table) -> Iterator[Link]:
    """By lane, and in a lane by place."""
    query = _links(table).order_by(table.c.lane, table.c.place).execution_options(yield_per=_AT_ONCE)
    yield from map(_link, connection.execute(query))


def linked(connection: Connection, table: Table, decision_id: str) -> list[Link]:
    """A decision or its review after the one before it in its lane."""
    c = table.c
    own = select(c.lane, c.place).where(c.decision_id == decision_id).subquery()
    before = c.lane != "", c.lane == own.c.lane, c.place == own.c.place - 1
    query = _links(table).join(own, or_(c.decision_id == decision_id, and_(*before))).order_by(c.place)
    return [_link(row) for row in connection.execute(query)]


def heads(connection: Connection, table: Table) -> Mapping[str, Seal]:
    last = select(table.c.lane, func.max(table.c.place)).where(table.c.lane != "").group_by(table.c.lane)
    query = select(table.c.lane, table.c.place, table.c.chain).where(tuple_(table.c.lane, table.c.place).in_(last))
    return {lane: Seal(lane, place, "", chain) for lane, place, chain in connection.execute(query)}


def unsealed(connection: Connection, table: Table) -> list[Record]:
    """In the order recorded."""
    names, order = (DECISION, table.c.number) if table is DECISIONS else (REVIEW, table.c.recorded_at)
    query = select(*(table.c[name] for name in names)).where(table.c.lane == "").order_by(order)
    return [tuple(row) for row in connection.execute(query)]


def seal(connection: Connection, table: Table, rows: Sequence[Record], seals: Sequence[Seal]) -> None:
    """Give rows that are there their seals."""
    for row, given in zip(rows, seals, strict=True):
        connection.execute(update(table).where(table.c.decision_id == row[0]).values(_values(table, given)))


def review_values(row: Record, given: Seal) -> dict[str, Any]:
    """What is written of a review."""
    return dict(zip(REVIEW, row, strict=True)) | _values(REVIEWS, given)


def _values(table: Table, given: Seal) -> dict[str, Any]:
    values = dict(zip(SEAL, (given.lane, given.place, given.inputs, given.chain), strict=True))
    return {name: value for name, value in values.items() if name in table.c}


def _links(table: Table) -> Select[Any]:
    names, inputs = (DECISION, table.c.inputs_seal) if table is DECISIONS else (REVIEW, literal(""))
    return select(table.c.lane, table.c.place, inputs, table.c.chain, *(table.c[name] for name in names))


def _link(row: Row[Any]) -> Link:
    """Whatever stands there: SQLite keeps texts in columns of numbers, too."""
    lane, place, inputs, chain, *record = row
    return Link(Seal(str(lane), place if isinstance(place, int) else -1, inputs, chain), tuple(record))
