"""A database that SQLAlchemy knows, as the decision log uses it: opened and migrated on first use, one writer at a time."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from threading import Lock
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from models.errors import Conflict, Unavailable
from monitoring.adapters.sql_schema import engine, upgrade


class Database:
    """Connects and migrates on first use, so that a database that is away at start may come later."""

    def __init__(self, url: str) -> None:
        self.engine = engine(url)
        self.is_sqlite = self.engine.dialect.name == "sqlite"
        # SQLite lets one writer in at a time, and those who wait in it sleep; waiting here is fair and short.
        self.turn: AbstractContextManager[Any] = Lock() if self.is_sqlite else nullcontext()
        self._kept: Connection | None = None  # SQLite's, for appending: asking the pool takes as long as ten inserts
        self._opening = Lock()
        self._open = False

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Raises `Unavailable`."""
        with translated():
            self._migrate_once()
            with self.engine.connect() as connection:
                yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """One transaction, for whoever holds the `turn`. Raises `Conflict` or `Unavailable`."""
        with translated():
            self._migrate_once()
            with self.engine.begin() as connection:
                yield connection

    @contextmanager
    def appending(self) -> Iterator[Connection]:
        """The same on a connection that is kept, where writers take turns. One that failed is not used again."""
        if not self.is_sqlite:
            with self.writing() as connection:
                yield connection
            return
        with translated():
            self._migrate_once()
            try:
                self._kept = self._kept or self.engine.connect()
                with self._kept.begin():
                    yield self._kept
            except BaseException:
                self._let_go()
                raise

    def close(self) -> None:
        with self.turn:
            self._let_go()
        self.engine.dispose()

    def _let_go(self) -> None:
        kept, self._kept = self._kept, None
        if kept is not None:
            kept.close()

    def _migrate_once(self) -> None:
        if not self._open:
            with self._opening:
                if not self._open:
                    upgrade(self.engine)
                    self._open = True


def migrate(url: str) -> None:
    """Bring the schema of a database to this release's. Raises `Unavailable` or `Misconfigured`."""
    database = engine(url)
    try:
        with translated():
            upgrade(database)
    finally:
        database.dispose()


@contextmanager
def translated() -> Iterator[None]:
    """What the database refuses, in the words of whoever asked for it."""
    try:
        yield
    except IntegrityError as error:
        raise Conflict("a decision id was used before", hint="give every decision its own id") from error
    except SQLAlchemyError as error:
        cause = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
        raise Unavailable(
            f"the decision log does not answer: {cause}", hint="see to its database (STEWARD_DATABASE_URL); nothing was written"
        ) from error
