"""The decision log's tables, the engine that reaches them, and the migrations that bring them up to date.

Revisions are numbered "0001", "0002", ...; the scripts lie in `migrations/versions`. Tables are written once more
here for the queries; a test proves that the scripts lead to exactly these.

Two releases may use one database, so a script only adds, with defaults in the database. One that cannot do so writes its own
revision into `compatibility.needs`: releases that know less refuse from then on.
"""

from pathlib import Path
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Double,
    Engine,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    create_engine,
    event,
    func,
    inspect,
    select,
    text,
)
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from models.errors import Misconfigured

REVISION = "0007"
SCRIPTS = Path(__file__).parent / "migrations"
_MIGRATING = 7_310_205  # any number, the same in every process: PostgreSQL's advisory lock of whoever migrates

METADATA = MetaData()
DECISIONS = Table(
    "decisions",
    METADATA,
    # The order recorded. SQLite numbers rows by itself only if the type is exactly INTEGER.
    Column("number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("decision_id", String(64), nullable=False, unique=True),
    Column("model", String(64), nullable=False),
    Column("version", Integer, nullable=False),
    Column("bundle", String(64), nullable=False),
    Column("account_id", Text, nullable=False),
    Column("month", String(7), nullable=False),
    Column("inputs", Text, nullable=False),  # a JSON object; 0 is whole and 0.0 is not, so types survive
    Column("probability", Double, nullable=False),
    Column("action", String(16), nullable=False),
    Column("recorded_at", String(32), nullable=False),  # ISO, UTC, microseconds: sorts as text, equal in every database
    Column("request_id", String(64), nullable=False),
    # Empty where there is nothing to say: by default too, so that a release which does not know them may still write.
    Column("no_notice", Text, nullable=False, server_default=""),
    Column("reasons", Text, nullable=False, server_default=""),
    Column("fallback", Text, nullable=False, server_default=""),
    Column("out_of_distribution", Text, nullable=False, server_default=""),  # names of inputs, with commas between
    Column("arm", String(16), nullable=False, server_default=""),
    Column("rollout", Integer, nullable=False, server_default="0"),
    # The seal, see monitoring/chain.py; an empty lane is a record of before there were seals.
    Column("lane", String(48), nullable=False, server_default=""),
    Column("place", BigInteger, nullable=False, server_default="0"),
    Column("inputs_seal", String(64), nullable=False, server_default=""),
    Column("chain", String(64), nullable=False, server_default=""),
    Index("ix_decisions_model_month_number", "model", "month", "number"),
    # Costs nothing where nothing is rolled out.
    Index(
        "ix_decisions_rollout",
        "model",
        "rollout",
        "number",
        sqlite_where=text("rollout > 0"),
        postgresql_where=text("rollout > 0"),
    ),
)
ANSWERS = Table(
    "answers",
    METADATA,
    Column("key", String(320), primary_key=True),
    Column("request_digest", String(64), nullable=False),
    Column("response", LargeBinary, nullable=False),
    Column("recorded_at", String(32), nullable=False),  # so that old answers can be removed one day
)


REVIEWS = Table(
    "reviews",
    METADATA,
    Column("decision_id", String(64), primary_key=True),
    Column("outcome", String(16), nullable=False),
    Column("reviewer", String(64), nullable=False),
    Column("reason_code", String(32), nullable=False),
    Column("comment", Text, nullable=False),
    Column("recorded_at", String(32), nullable=False),
    Column("statement", Text, nullable=False, server_default=""),
    Column("no_notice", Text, nullable=False, server_default=""),
    Column("reasons", Text, nullable=False, server_default=""),
    Column("lane", String(48), nullable=False, server_default=""),
    Column("place", BigInteger, nullable=False, server_default="0"),
    Column("chain", String(64), nullable=False, server_default=""),
)
SHADOWS = Table(
    "shadow_decisions",
    METADATA,
    Column("number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("decision_id", String(64), nullable=False),  # of the decision that was answered: account and inputs are there
    Column("model", String(64), nullable=False),
    Column("rollout", Integer, nullable=False),
    Column("version", Integer, nullable=False),
    Column("bundle", String(64), nullable=False),
    Column("action", String(16), nullable=False),  # "" if it failed
    Column("probability", Double),
    Column("decided_in", Double),  # seconds, of those that were timed
    Column("scored_in", Double),
    Column("recorded_at", String(32), nullable=False),
    Index("ix_shadow_decisions_rollout", "model", "rollout", "number"),
)
"""What the other bundle of a roll-out made of a decision: no decision itself, and not sealed. See monitoring/trials.py."""
COMPATIBILITY = Table("compatibility", METADATA, Column("needs", String(4), nullable=False))
"""One row: the oldest revision whose code may read and write."""


def engine(url: str) -> Engine:
    """An engine for SQLite or PostgreSQL; connects to nothing yet. Raises `Misconfigured`."""
    try:
        parsed = make_url(url)
        if parsed.get_backend_name() == "sqlite":
            return _sqlite(parsed)
        if parsed.get_backend_name() == "postgresql":
            return _postgresql(parsed)
    except (ArgumentError, NoSuchModuleError) as error:
        raise Misconfigured("the decision log's URL cannot be read", hint=_KNOWN) from error
    raise Misconfigured(f"the decision log cannot live in {parsed.get_backend_name()}", hint=_KNOWN)


_KNOWN = "STEWARD_DATABASE_URL is sqlite:////path/to/file.db or postgresql://user:password@host/database"


def _sqlite(url: URL) -> Engine:
    if not url.database:
        raise Misconfigured("the decision log's URL names no file", hint=_KNOWN)
    if not url.database.startswith("file:"):  # that is an address, and may be one to read only
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    made = create_engine(url if "timeout" in url.query else url.update_query_dict({"timeout": "15"}), hide_parameters=True)
    event.listen(made, "connect", _make_durable)
    return made


def _make_durable(connection: Any, _record: object) -> None:
    """A commit survives a power cut (synchronous FULL), readers do not stop the writer (WAL), and deleted is gone."""
    if connection.execute("PRAGMA journal_mode").fetchone() != ("wal",):
        connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA secure_delete = ON")  # what is deleted is overwritten, not only unlisted


def _postgresql(url: URL) -> Engine:
    # A database that went away is noticed within seconds instead of hanging every thread.
    limits = {"connect_timeout": 5, "tcp_user_timeout": 10_000, "options": "-c statement_timeout=60000"}
    driver = url.set(drivername="postgresql+psycopg")
    return create_engine(driver, connect_args=limits, pool_pre_ping=True, pool_timeout=10, hide_parameters=True)


def upgrade(database: Engine) -> None:
    """Bring the schema to `REVISION`, one process at a time. Raises `Misconfigured` if it is ahead of this code and
    needs later code."""
    with database.connect() as connection:
        if _is_current(connection):
            return
    with database.begin() as connection:
        _wait_for_turn(connection)
        if not _is_current(connection):
            migrate(connection, REVISION)


def is_current(database: Engine) -> bool:
    """Whether the tables are there as this code knows them, or with additions; makes nothing, not even SQLite's file."""
    if not _is_there(database):
        return False
    with database.connect() as connection:
        return _is_current(connection)


def has_decisions(database: Engine) -> bool:
    """Whether there is a table of decisions, of whatever schema; makes nothing."""
    return _is_there(database) and inspect(database).has_table(DECISIONS.name)


def unknown(database: Engine, *tables: Table) -> list[str]:
    """Columns of these tables that the database does not have."""
    looking = inspect(database)
    there = {each.name: looking.get_columns(each.name) if looking.has_table(each.name) else [] for each in tables}
    names = {name: {column["name"] for column in columns} for name, columns in there.items()}
    return [f"{each.name}.{column.name}" for each in tables for column in each.c if column.name not in names[each.name]]


def _is_there(database: Engine) -> bool:
    return database.dialect.name != "sqlite" or Path(str(database.url.database)).exists()


def _is_current(connection: Connection) -> bool:
    if not inspect(connection).has_table("alembic_version"):
        return False
    found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()
    if found is None or found <= REVISION:
        return found == REVISION
    if (needs := _needs(connection)) <= REVISION:
        return True  # a later release has migrated, and only added
    raise Misconfigured(
        f"the decision log's schema is {found} and needs a release that knows {needs}; this one knows {REVISION}",
        hint="start the release that migrated it, or a later one; the schema is never taken back",
    )


def _needs(connection: Connection) -> str:
    needs: str = connection.execute(select(func.max(COMPATIBILITY.c.needs))).scalar_one()
    return needs


def _wait_for_turn(connection: Connection) -> None:
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    else:
        connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _MIGRATING})


def migrate(connection: Connection, revision: str) -> None:
    """Run the scripts up to a revision. Callers take their turn first: see `upgrade`."""
    # Alembic costs a start-up about a tenth of a second and is needed once in a schema's life.
    from alembic.config import Config
    from alembic.runtime.environment import EnvironmentContext
    from alembic.script import ScriptDirectory

    scripts = ScriptDirectory(SCRIPTS)
    with EnvironmentContext(Config(), scripts, fn=lambda now, _: scripts._upgrade_revs(revision, now)) as context:
        context.configure(connection=connection, target_metadata=METADATA, transactional_ddl=True)
        context.run_migrations()
