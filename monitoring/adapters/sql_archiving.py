"""What PostgreSQL says of the archive of its log. Every user of a database may ask, so the decision log's own does."""

from sqlalchemy import make_url, text
from sqlalchemy.exc import SQLAlchemyError

from models.errors import Unavailable
from monitoring.adapters.sql_schema import engine
from monitoring.archiving import Archiving

_ASKED = text(
    # The name of a segment of 16 MB holds where it begins: timeline, then the two halves of the place. After a restore the last
    # that was archived may be no segment, and a database that nobody writes to archives none: how far behind it is, is not known.
    "SELECT coalesce(last_failed_time > coalesce(last_archived_time, '-infinity'), false) AS failing,"
    r" CASE WHEN last_archived_wal ~ '^[0-9A-F]{24}' THEN pg_wal_lsn_diff(pg_current_wal_lsn(),"
    " (substr(last_archived_wal, 9, 8) || '/' || substr(last_archived_wal, 23, 2) || '000000')::pg_lsn + 16777216)"
    " ELSE 0 END AS behind"
    " FROM pg_stat_archiver"
    " WHERE current_setting('archive_mode') <> 'off' AND NOT pg_is_in_recovery()"
)


class LogArchive:
    """Asked a few times a minute, so it keeps no connection."""

    def __init__(self, url: str) -> None:
        self._url = make_url(url)

    def __call__(self) -> Archiving | None:
        """None where nothing is archived: SQLite, or a PostgreSQL that is not told to. Raises `Unavailable`."""
        if self._url.get_backend_name() != "postgresql":
            return None
        database = engine(self._url.render_as_string(hide_password=False))
        try:
            with database.connect() as connection:
                found = connection.execute(_ASKED).one_or_none()
        except SQLAlchemyError as error:
            raise Unavailable(
                f"the decision log does not answer: {type(error).__name__}", hint="see to its database (STEWARD_DATABASE_URL)"
            ) from error
        finally:
            database.dispose()
        return Archiving(failing=bool(found.failing), behind=max(0, int(found.behind))) if found else None
